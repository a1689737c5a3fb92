"""Caller asks a provider over HTTP: time-outs, retries under the same key, and a breaker."""

import json
import re
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, TypedDict

from aiohttp import ClientError, ClientResponse, ClientSession, ClientTimeout, DummyCookieJar, TCPConnector
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception_type, stop_after_attempt
from tenacity.wait import wait_random_exponential

from events.circuit import CircuitState
from events.failpoints import reach
from events.tracing import span
from workers.breaker import Again, Breaker, NoAnswer
from workers.provider import Declined, ProviderUnavailable

LARGEST = 1 << 20
"""Bytes of an answer; nobody has so much to say of a payment."""
_REFERENCE = re.compile(r"(?<=s)/[^/]+")
"""What stands for one authorization or capture in a path."""


class Answer(NamedTuple):
    """What came back over HTTP."""

    status: int
    retry_after: str
    body: bytes

    @property
    def again_in(self) -> float:
        """Retry-After in seconds; its other form, a date, counts as not given."""
        return float(self.retry_after) if self.retry_after.isdecimal() else 0.0


def opened(answer: Answer) -> tuple[dict[str, Any], dict[str, Any]]:
    """The body, which is JSON, and the error in it: empty, if all is well.

    Raises:
        NoAnswer: a fault of the server's own, or nobody can read it.
    """
    if answer.status >= 500:
        raise NoAnswer(f"HTTP {answer.status}", answer.again_in)
    try:
        body: dict[str, Any] = json.loads(answer.body)
        error: dict[str, Any] = body.get("error", {})
        error.get("type")
    except (ValueError, AttributeError) as broken:
        raise NoAnswer(f"HTTP {answer.status} with an unreadable body", answer.again_in) from broken
    return body, error


Understood = Callable[[Answer], dict[str, Any] | Declined]
"""What an answer means; raises NoAnswer, Busy or ProviderMisused."""


class Manners(TypedDict, total=False):
    """How patient a caller is: seconds for an answer, attempts, seconds between them, seconds in all, connections."""

    timeout_seconds: float
    attempts: int
    backoff_seconds: float
    patience_seconds: float
    connections: int
    breaker: Breaker


class Caller:
    """A provider behind a base URL, for adapters to be made of; the key is the same for every attempt."""

    def __init__(
        self,
        base_url: str,
        headers: Mapping[str, str],
        understood: Understood,
        *,
        timeout_seconds: float = 5.0,
        attempts: int = 4,
        backoff_seconds: float = 0.1,
        patience_seconds: float = 5.0,
        connections: int = 20,
        breaker: Breaker | None = None,
    ) -> None:
        self.breaker = breaker or Breaker()
        self._base_url, self._headers, self._understood = base_url.rstrip("/"), headers, understood
        self._attempts, self._patience = attempts, patience_seconds
        self._backoff = wait_random_exponential(multiplier=backoff_seconds, max=patience_seconds)
        # Waiting for a connection of our own pool says nothing about the provider; requests' time-outs bound it.
        self._timeout = ClientTimeout(sock_connect=min(2.0, timeout_seconds), sock_read=timeout_seconds)
        self._connections = connections
        self._session: ClientSession | None = None

    @property
    def breaker_state(self) -> CircuitState:
        """Closed, open or half-open; `breaker.probe_in` says when an open one lets a probe through."""
        return self.breaker.state

    async def aclose(self) -> None:
        """Let connections go."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def post(self, path: str, key: str, body: bytes) -> dict[str, Any] | Declined:
        """What the provider says.

        Raises:
            ProviderUnavailable: no answer can be had now.
            ProviderMisused: it does not understand us.
        """
        retrying = AsyncRetrying(
            retry=retry_if_exception_type(Again), stop=self._give_up, wait=self._wait, reraise=True
        )
        try:
            return await retrying(self._attempt, path, key, body)
        except Again as fault:
            again = max(fault.retry_after, self.breaker.probe_in, 1.0)
            raise ProviderUnavailable(again, str(fault)) from fault

    async def _attempt(self, path: str, key: str, body: bytes) -> dict[str, Any] | Declined:
        with self.breaker.attempt():
            answer = await self._send(path, key, body)
            reach("provider.answered")
            return self._understood(answer)

    async def _send(self, path: str, key: str, body: bytes) -> Answer:
        headers = {**self._headers, "Idempotency-Key": key}
        template = _REFERENCE.sub("/{reference}", path, count=1)
        facts = {"http.request.method": "POST", "url.template": template, "orderlog.idempotency_key": key}
        with span("payment", f"POST {template}", "client", facts=facts) as asking:
            if asking.traceparent:
                headers["traceparent"] = asking.traceparent
            try:
                reach("provider.asking")
                async with self._opened().post(
                    f"{self._base_url}{path}", headers=headers, data=body, allow_redirects=False
                ) as response:
                    answer = Answer(response.status, response.headers.get("Retry-After", ""), await _read(response))
            except (ClientError, TimeoutError) as error:
                raise NoAnswer(f"{type(error).__name__} {error}".strip()) from error
            asking.state({"http.response.status_code": answer.status})
            if answer.status >= 400:
                asking.failed(str(answer.status))
            return answer

    def _opened(self) -> ClientSession:
        if self._session is None:  # it belongs to the loop in which it is first used
            self._session = ClientSession(
                connector=TCPConnector(limit=self._connections), timeout=self._timeout, cookie_jar=DummyCookieJar()
            )
        return self._session

    def _wait(self, call: RetryCallState) -> float:
        return max(self._backoff(call), _asked_to_wait(call))

    def _give_up(self, call: RetryCallState) -> bool:
        """After so many attempts, or when asked to wait for longer than a caller should be kept."""
        return stop_after_attempt(self._attempts)(call) or _asked_to_wait(call) > self._patience


async def _read(response: ClientResponse) -> bytes:
    """The body.

    Raises:
        NoAnswer: it is too large to be one.
    """
    body = bytearray()
    async for part in response.content.iter_any():
        body += part
        if len(body) > LARGEST:
            raise NoAnswer(f"HTTP {response.status} with more than {LARGEST} bytes")
    return bytes(body)


def _asked_to_wait(call: RetryCallState) -> float:
    fault = call.outcome.exception() if call.outcome else None
    return fault.retry_after if isinstance(fault, Again) else 0.0
