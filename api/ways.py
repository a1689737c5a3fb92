"""Ways lead to contexts: a context that runs apart is asked over HTTP, patiently where to ask twice does no harm."""

import asyncio
from collections.abc import AsyncIterator, Coroutine, Mapping
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import quote

import httpx2
from starlette.requests import Request
from starlette.types import Receive, Scope, Send
from tenacity import AsyncRetrying, retry_if_exception_type, stop_after_attempt
from tenacity.wait import wait_random_exponential

from api.asking import wait_of
from api.freshness import PATIENCE as POSITIONS
from api.positions import HEADER
from api.problems import Problem
from events.circuit import Circuit, NoAnswer, Open
from schemas.settings import Settings

Headers = list[tuple[bytes, bytes]]

ATTEMPTS = 3
CONNECTING = 1.0
PATIENCE = 2.5
"""Seconds that a context has for an answer, beside those that the client wants to wait."""

OWN = frozenset({b"x-request-id", b"date", b"server"})
"""Headers of answers that whoever answers the client sets."""

STREAMS = ("/live", "/progress")
SILENCE = 60.0
"""Seconds that a stream of events may say nothing."""
CONNECTIONS = 200
OPEN = 2000
"""Streams that are open at a time; other requests have connections of their own, so that these never take them all."""

HOP = frozenset(
    b"connection keep-alive proxy-authenticate proxy-authorization proxy-connection te trailer transfer-encoding"
    b" upgrade host content-length accept-encoding expect".split()
)
"""Headers of one connection."""

_BETWEEN = frozenset({502, 504})
_SAFE = "/:@!$&'()*+,;=~-._"


class Apart:
    """A context behind a URL, as an ASGI app."""

    def __init__(self, context: str, url: str, circuit: Circuit | None = None, backoff: float = 0.05) -> None:
        self.context, self.circuit = context, circuit or Circuit(context)
        self._url, self._backoff = url, backoff
        self._clients: dict[int, httpx2.AsyncClient] = {}
        self._ended = asyncio.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        body = await request.body()
        headers = [(k, v.strip()) for k, v in scope["headers"] if k not in HOP and k != b"x-request-id"]
        headers.append((b"x-request-id", scope["request_id"].encode()))
        path = quote(scope["path"], safe=_SAFE)
        target = f"{path}?{scope['query_string'].decode('latin-1')}" if scope["query_string"] else path
        async with self.asked(scope["method"], target, headers, body, _patience(request)) as answer:
            kept = [(k.lower(), v) for k, v in answer.headers.raw if k.lower() not in HOP]
            kept = [(k, v) for k, v in kept if k not in OWN]
            await send({"type": "http.response.start", "status": answer.status_code, "headers": kept})
            if _is_stream(target):
                await self._as_long_as_both_are_there(_handed_on(answer, send), receive)
            else:
                await _handed_on(answer, send)
            await send({"type": "http.response.body", "body": b"", "more_body": False})

    @asynccontextmanager
    async def asked(
        self,
        method: str,
        target: str,
        headers: list[tuple[bytes, bytes]],
        body: bytes = b"",
        patience: float = PATIENCE,
    ) -> AsyncIterator[httpx2.Response]:
        """The answer, its body still to be read.

        Raises:
            Problem: 503, when the context gives none.
        """
        keyed = any(name == b"idempotency-key" for name, _ in headers)
        attempts = ATTEMPTS if keyed or method in ("GET", "HEAD") else 1
        retrying = AsyncRetrying(
            retry=retry_if_exception_type(NoAnswer),
            stop=stop_after_attempt(attempts),
            wait=wait_random_exponential(multiplier=self._backoff, max=0.5),
            reraise=True,
        )
        client = self._opened(OPEN if _is_stream(target) else CONNECTIONS)
        request = client.build_request(
            method,
            self._url + target,
            headers=headers,
            content=body,
            timeout=httpx2.Timeout(patience, connect=CONNECTING),
        )
        try:
            answer: httpx2.Response = await retrying(self._attempt, client, request)
        except NoAnswer:
            raise self._away(1) from None
        except Open as still:
            raise self._away(still.seconds) from None
        try:
            yield answer
        except httpx2.TransportError:
            raise self._away(1) from None
        finally:
            await answer.aclose()

    async def close(self) -> None:
        """Let connections go."""
        while self._clients:
            await self._clients.popitem()[1].aclose()

    def end_streams(self) -> None:
        """Let those go who follow a stream; others get none."""
        self._ended.set()

    async def _as_long_as_both_are_there(self, handing_on: Coroutine[Any, Any, None], receive: Receive) -> None:
        """Hand a stream on until it ends, is cut, or its client leaves; a client that was cut resumes."""
        tasks = [asyncio.create_task(each) for each in (handing_on, _left(receive), self._ended.wait())]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            said = await asyncio.gather(*tasks, return_exceptions=True)
        if isinstance(said[0], Exception) and not isinstance(said[0], httpx2.TransportError):
            raise said[0]

    async def _attempt(self, client: httpx2.AsyncClient, request: httpx2.Request) -> httpx2.Response:
        with self.circuit.attempt():
            try:
                answer = await client.send(request, stream=True)
            except httpx2.LocalProtocolError as wrong:  # with the request, which says nothing of the context
                raise Problem("BadRequest", f"The request cannot be passed on: {wrong}") from None
            except httpx2.PoolTimeout:
                raise Problem("Busy") from None
            except httpx2.TransportError as error:
                raise NoAnswer(f"{type(error).__name__} {error}".strip()) from error
            if answer.status_code in _BETWEEN:
                await answer.aclose()
                raise NoAnswer(f"HTTP {answer.status_code}")
            return answer

    def _away(self, seconds: float) -> Problem:
        again = {"Retry-After": str(max(1, round(seconds)))}
        return Problem("ContextUnavailable", f"{self.context} gives no answer.", headers=again, context=self.context)

    def _opened(self, connections: int) -> httpx2.AsyncClient:
        if connections not in self._clients:  # it belongs to the loop in which it is first used
            limits = httpx2.Limits(max_connections=connections, max_keepalive_connections=50)
            agent = {"accept-encoding": "identity"}
            client = httpx2.AsyncClient(limits=limits, headers=agent, follow_redirects=False, trust_env=False)
            self._clients[connections] = client
        return self._clients[connections]


def ways_of(settings: Settings) -> dict[str, Apart]:
    """The contexts that are asked over HTTP; those that share a URL share a way, and its breaker."""
    by_url: dict[str, Apart] = {}
    return {context: by_url.setdefault(url, Apart(context, url)) for context, url in settings.urls().items()}


async def _handed_on(answer: httpx2.Response, send: Send) -> None:
    async for part in answer.aiter_raw():
        await send({"type": "http.response.body", "body": part, "more_body": True})


async def _left(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _is_stream(target: str) -> bool:
    return target.partition("?")[0].endswith(STREAMS)


def _patience(request: Request) -> float:
    """Seconds; a client that wants to wait for an outcome is waited for, and a stream may be silent between events."""
    if _is_stream(request.url.path):
        return SILENCE
    asked: Mapping[str, Any] = request.query_params
    said = str(asked.get("timeout", "10" if "wait_for" in asked else "0"))
    wanted = float(said) if said.replace(".", "", 1).isdecimal() else 0.0
    seen = POSITIONS if "after" in asked or HEADER in request.headers else 0.0
    return PATIENCE + max(wait_of(request), min(wanted, 30.0), seen)
