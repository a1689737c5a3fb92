"""Webhooks tell a listener of every entry, signed as Standard Webhooks has it; best effort, kept in memory only."""

import asyncio
import base64
import hashlib
import hmac
import http.client
import time
from urllib.parse import urlsplit
from uuid import NAMESPACE_URL, uuid5

import msgspec

from api.stub.book import DONE, Entry

ATTEMPTS = 5


def signature(secret: str, message_id: str, timestamp: int, body: bytes) -> str:
    """The value of the header `webhook-signature`."""
    signed = f"{message_id}.{timestamp}.".encode() + body
    digest = hmac.new(secret.encode(), signed, hashlib.sha256).digest()
    return f"v1,{base64.b64encode(digest).decode()}"


class Webhooks:
    """A queue, and the task that empties it in order; without a URL nothing is sent."""

    def __init__(self, url: str | None, secret: str) -> None:
        self._url = urlsplit(url) if url else None
        self._secret = secret
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
        if self._url is None:
            return True
        outcome = "declined" if entry.declined else DONE[entry.operation]
        event = {"type": f"payment.{outcome}", "timestamp": entry.at, "data": entry}
        body = msgspec.json.encode(event)
        kind = http.client.HTTPSConnection if self._url.scheme == "https" else http.client.HTTPConnection
        connection = kind(self._url.hostname or "127.0.0.1", self._url.port, timeout=5)
        try:
            connection.request("POST", self._url.path or "/", body, self._headers(entry, body))
            return connection.getresponse().status < 300
        except OSError:
            return False
        finally:
            connection.close()

    def _headers(self, entry: Entry, body: bytes) -> dict[str, str]:
        # The id is the entry's own: a webhook that comes twice can be told by it.
        message_id, now = f"msg_{uuid5(NAMESPACE_URL, entry.key).hex}", int(time.time())
        return {
            "Content-Type": "application/json",
            "webhook-id": message_id,
            "webhook-timestamp": str(now),
            "webhook-signature": signature(self._secret, message_id, now, body),
        }
