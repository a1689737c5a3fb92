"""Connection speaks HTTP for the client: keys for commands, patience with a busy API, problems as exceptions."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote, urlsplit
from uuid import uuid4

import httpx2

from schemas.client.stream import KIND, SILENCE, Happening, Resumed

AT_ONCE = 24
"""Requests under way at the same time; streams have connections of their own."""

BUSY = (429, 503)


class Problem(Exception):
    """The API said no (RFC 9457). `code` is stable; `fields` says what is wrong with which field of the body."""

    def __init__(self, request: str, status: int, said: Mapping[str, Any]) -> None:
        self.status, self.said = status, said
        self.code: str = said.get("code", "")
        self.detail: str = said.get("detail", "")
        self.fields: dict[str, str] = {each["field"]: each["detail"] for each in said.get("errors", ())}
        super().__init__(f"{request}: {status} {self.code}: {self.detail}")


class Connection:
    """The API at `url`, such as http://localhost:8080; `token` is what login gave.

    What the API cannot answer now (429, 503, or 409 while it answers the same request) is asked again for `patience`
    seconds, and so is what a broken connection left unanswered, if it changes nothing or has an Idempotency-Key: it
    takes effect once.
    """

    def __init__(
        self, url: str, token: str = "", patience: float = 30.0, transport: httpx2.AsyncBaseTransport | None = None
    ) -> None:
        self.url, self.token, self.patience = url, token, patience
        limits = httpx2.Limits(max_connections=AT_ONCE)
        self._http = httpx2.AsyncClient(base_url=url, timeout=35.0, limits=limits, transport=transport)
        free = httpx2.Limits(max_connections=None)
        self._streams = httpx2.AsyncClient(base_url=url, timeout=SILENCE, limits=free, transport=transport)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, no: BaseException | None, _: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Let connections go."""
        await self._http.aclose()
        await self._streams.aclose()

    async def ask(
        self,
        method: str,
        path: str,
        query: Mapping[str, Any] | None = None,
        headers: Mapping[str, Any] | None = None,
        body: Any = None,
        keyed: bool = False,
        patience: float | None = None,
    ) -> Any:
        """What the API answers. What is None is not sent; `keyed` makes a key for a command that has none.

        Raises:
            Problem: the API said no, or for too long that it cannot answer now.
            httpx2.TransportError: nobody knows what became of it.
        """
        said = self._headers(headers or {}, keyed)
        asked = {name: value for name, value in (query or {}).items() if value is not None}
        clock = asyncio.get_running_loop().time
        deadline = clock() + (self.patience if patience is None else patience)
        again = method == "GET" or "Idempotency-Key" in said
        while True:
            try:
                answer = await self._http.request(method, path, params=asked or None, headers=said, json=body)
            except httpx2.TransportError:
                if not again or clock() > deadline:
                    raise
                await asyncio.sleep(0.2)
                continue
            if not _comes_later(answer) or clock() > deadline:
                return _understood(answer)
            await asyncio.sleep(_pause(answer))

    async def log_in(self, email: str, password: str) -> None:
        """Ask as this user from now on, for as long as the token is good: an hour.

        Raises:
            Problem: address and password do not belong together.
        """
        body = {"email": email, "password": password}
        self.token = (await self.ask("POST", "/api/auth/login", body=body))["access_token"]

    async def pages(self, path: str, **query: Any) -> AsyncIterator[Any]:
        """Every row of a paged list."""
        page = await self.ask("GET", path, {"limit": 200, **query})
        while True:
            for row in page["items"]:
                yield row
            if not page["next"]:
                return
            page = await self.ask("GET", f"{path}?{urlsplit(page['next']).query}")

    async def follow_order(self, order_id: str, after: str = "") -> AsyncGenerator[Happening]:
        """What happens to an order until it is over, each event once: from the first, or behind the id of one.

        Raises:
            Problem: the API said no, or for too long that it cannot answer now.
            httpx2.TransportError: it cannot be reached for too long.
        """
        async for happening in self._follow(f"/api/orders/{part(order_id)}/live", after):
            yield happening

    async def follow_customer(self, customer_id: str, after: str = "") -> AsyncGenerator[Happening]:
        """What happens to all orders of a customer, for ever: from now on, or behind the id of an event.

        Raises:
            Problem: the API said no, or for too long that it cannot answer now.
            httpx2.TransportError: it cannot be reached for too long.
        """
        async for happening in self._follow(f"/api/customers/{part(customer_id)}/live", after):
            yield happening

    async def _follow(self, path: str, after: str) -> AsyncGenerator[Happening]:
        """A stream that is resumed wherever it is cut, until it says that it is over."""
        stream, clock = Resumed(after), asyncio.get_running_loop().time
        deadline = clock() + self.patience
        while not stream.over:
            try:
                async with self._streams.stream("GET", path, headers=self._headers(stream.headers(), False)) as answer:
                    if answer.headers.get("Content-Type", "").startswith(KIND):
                        async for happening in stream.read(answer.aiter_lines()):
                            yield happening
                        deadline = clock() + self.patience
                    else:
                        await answer.aread()
                        stream.pause = _pause(answer)
                        if answer.status_code not in BUSY or clock() > deadline:
                            _understood(answer)
                            return
            except httpx2.TransportError:
                if stream.heard:
                    deadline = clock() + self.patience
                elif clock() > deadline:
                    raise
            await asyncio.sleep(0 if stream.over else stream.pause)

    def _headers(self, given: Mapping[str, Any], keyed: bool) -> dict[str, str]:
        said = {name: str(value) for name, value in given.items() if value is not None}
        if keyed:
            said.setdefault("Idempotency-Key", str(uuid4()))
        if self.token:
            said["Authorization"] = f"Bearer {self.token}"
        return said


def part(name: str) -> str:
    """A name as one part of a path, whatever it holds."""
    return quote(name, safe="")


def _comes_later(answer: httpx2.Response) -> bool:
    """Whether the same request is answered later: the API is busy, perhaps with this very request."""
    if answer.status_code == httpx2.codes.CONFLICT:
        return b'"KeyRunning"' in answer.content
    return answer.status_code in BUSY


def _pause(answer: httpx2.Response) -> float:
    """Seconds to wait, as the API asks for."""
    asked = answer.headers.get("Retry-After", "1")
    return float(asked) if asked.isdigit() else 1.0


def _understood(answer: httpx2.Response) -> Any:
    if not answer.is_error:
        return answer.json() if answer.content else None
    try:
        said = answer.json()
    except ValueError:
        said = {}
    request = f"{answer.request.method} {answer.request.url.path}"
    raise Problem(request, answer.status_code, said if isinstance(said, dict) else {})
