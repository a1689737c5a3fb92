"""Heads of requests are waited for so long and no longer; uvicorn waits for ever, so a few slow clients could hold it.

Bodies have a time of their own (api/gateway.py).
"""

import asyncio
from http import HTTPStatus
from typing import Any

import msgspec
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from api.problems import PROBLEMS

SECONDS = 10.0
"""From the connection, or from the first byte of a later request, to the end of its head."""


class Impatient(HttpToolsProtocol):
    """uvicorn's protocol with this time. Whoever has begun and does not come to the end is told so: 408."""

    def __init__(self, *args: Any, seconds: float = SECONDS, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._seconds, self._began = seconds, False
        self._timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        self._came()
        super().connection_lost(exc)

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._began = True
        self._wait()

    def on_headers_complete(self) -> None:
        self._came()
        super().on_headers_complete()

    def _wait(self) -> None:
        self._came()
        self._timer = self.loop.call_later(self._seconds, self._end)

    def _came(self) -> None:
        if self._timer is not None:
            self._timer.cancel()

    def _end(self) -> None:
        if self.cycle is not None and not self.cycle.response_complete:
            self.cycle.keep_alive = False  # what is being answered comes first
            return
        if self._began and not self.transport.is_closing():
            self.transport.write(_late())
        self.transport.close()


def _late() -> bytes:
    """The answer, which no application can give: it knows of no request yet."""
    code = "RequestTimeout"
    status, title = PROBLEMS[code]
    said = {"type": f"/problems#{code}", "title": title, "status": status, "code": code, "detail": title}
    body = msgspec.json.encode(said)
    head = (
        f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\nContent-Type: application/problem+json\r\n"
        f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    )
    return head.encode() + body
