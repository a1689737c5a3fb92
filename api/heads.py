"""Heads of requests have a time and a size; uvicorn has neither, so a few clients could hold it.

Bodies have a time and a size of their own (api/gateway.py, api/bodies.py).
"""

import asyncio
from http import HTTPStatus
from typing import Any

import msgspec
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from api.problems import PROBLEMS

SECONDS = 10.0
"""From the connection, or from the first byte of a later request, to the end of its head."""
BYTES, HEADERS = 1 << 16, 200
"""What a head may have."""


class Heads(HttpToolsProtocol):
    """uvicorn's protocol with these limits. Who passes one is told so: 408, 431; and 400 what is no HTTP."""

    def __init__(self, *args: Any, seconds: float = SECONDS, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._seconds, self._size = seconds, 0
        self._begun = self._completed = False
        self._timer: asyncio.TimerHandle | None = None
        self._code = "BadRequest"

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        self._came()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        self._completed = False
        super().data_received(data)
        self._size = self._size + len(data) if self._begun and not self._completed else 0
        if self._size > BYTES and not self.transport.is_closing():
            self._refuse("HeadTooLarge")

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._begun = True
        self._wait()

    def on_headers_complete(self) -> None:
        self._begun = False
        self._came()
        if len(self.headers) > HEADERS:
            self._code = "HeadTooLarge"
            raise ValueError  # the parser stops, and send_400_response is called
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        self._completed = True
        super().on_message_complete()

    def send_400_response(self, msg: str) -> None:
        self._refuse(self._code)

    def _wait(self) -> None:
        self._came()
        self._timer = self.loop.call_later(self._seconds, self._end)

    def _came(self) -> None:
        if self._timer is not None:
            self._timer.cancel()

    def _end(self) -> None:
        if self.transport.is_closing():
            return
        if self._begun or self._is_answering():
            self._refuse("RequestTimeout")
        else:
            self.transport.close()

    def _refuse(self, code: str) -> None:
        """Say so, and let go; what is being answered on this connection comes first."""
        if self._is_answering():
            self.cycle.keep_alive = False
            self.flow.pause_reading()
            return
        self.transport.write(refusal(code))
        self.transport.close()

    def _is_answering(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete


def refusal(code: str) -> bytes:
    """The whole answer, which no application can give: it knows of no request."""
    status, title = PROBLEMS[code]
    said = {"type": f"/problems#{code}", "title": title, "status": status, "code": code, "detail": title}
    body = msgspec.json.encode(said)
    head = (
        f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\nContent-Type: application/problem+json\r\n"
        f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    )
    return head.encode() + body
