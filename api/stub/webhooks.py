"""Webhooks tell a listener of every entry, signed as Standard Webhooks has it; best effort, kept in memory only."""

import asyncio
from uuid import NAMESPACE_URL, uuid5

import msgspec

from api.stub.book import DONE, Entry
from schemas.webhook import post

ATTEMPTS = 5


class Webhooks:
    """A queue, and the task that empties it in order; without a URL nothing is sent."""

    def __init__(self, url: str | None, secret: str) -> None:
        self._url, self._secret = url, secret
        self._queue: asyncio.Queue[Entry] = asyncio.Queue(maxsize=10_000)

    def send(self, entry: Entry, *, times: int = 1) -> None:
        """Queue the entry's webhook; when the queue is full, the webhook is lost."""
        for _ in range(times if self._url else 0):
            if not self._queue.full():
                self._queue.put_nowait(entry)

    async def run(self) -> None:
        """Send what is queued, for ever."""
        while True:
            entry = await self._queue.get()
            for attempt in range(ATTEMPTS):
                if await asyncio.to_thread(self._post, entry):
                    break
                await asyncio.sleep(0.1 * 2**attempt)

    def _post(self, entry: Entry) -> bool:
        if not self._url:
            return True
        outcome = "declined" if entry.declined else DONE[entry.operation]
        event = {"type": f"payment.{outcome}", "timestamp": entry.at, "data": entry}
        # The id is the entry's own: a webhook that comes twice can be told by it.
        message_id = f"msg_{uuid5(NAMESPACE_URL, entry.key).hex}"
        return post(self._url, self._secret, message_id, msgspec.json.encode(event), "application/json")
