"""Event stream is an answer that goes on: server-sent events for a listener, as long as both sides are there."""

import asyncio
import random
from collections.abc import AsyncGenerator
from contextlib import ExitStack, aclosing
from typing import Any

import msgspec
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from api.feed import Listener

KIND = "text/event-stream"
_EVENT: dict[str, Any] = {
    "type": "object",
    "properties": {
        "id": {"type": "string", "description": "for Last-Event-ID"},
        "event": {"type": "string", "description": "the event's type, or `end`"},
        "data": {"type": "string", "contentMediaType": "application/json"},
    },
}
EVENTS: dict[int | str, dict[str, Any]] = {200: {"content": {KIND: {"schema": _EVENT}}}}
"""As OpenAPI describes it: before 3.2, by one of its events."""
BEAT = 15.0
"""Seconds after which a stream says that it is still there."""
ALIVE = b":\n\n"
_JSON = msgspec.json.Encoder(decimal_format="number")


class EventStream(Response):
    """Sends blocks until there are no more or the client has left; then what it holds is let go.

    A client that reads slowly is waited for by the connection, and meanwhile the listener keeps so many events and no
    more: this never holds more of a stream than that.
    """

    media_type = KIND

    def __init__(self, blocks: AsyncGenerator[bytes], listener: Listener, held: ExitStack) -> None:
        super().__init__(headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"})
        del self.headers["content-length"]
        self._blocks, self._listener, self._held = blocks, listener, held

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        leaving = asyncio.create_task(self._end_with(receive))
        try:
            await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
            async with aclosing(self._blocks) as blocks:
                async for block in blocks:
                    await send({"type": "http.response.body", "body": block, "more_body": True})
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        finally:
            leaving.cancel()
            self._held.close()

    async def _end_with(self, receive: Receive) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        self._listener.end()


def opening(place: str) -> bytes:
    """What a stream begins with: where it stands, and after how many milliseconds, not all at once, to come again."""
    return b"retry: %d\nid: %b\n\n" % (random.randint(1000, 3000), place.encode())


def event(place: str, kind: str, data: Any) -> bytes:
    """One event; JSON has no line breaks, so it is one line."""
    return b"id: %b\nevent: %b\ndata: %b\n\n" % (place.encode(), kind.encode(), _JSON.encode(data))
