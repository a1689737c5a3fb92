"""HttpProvider is the provider behind a URL: time-outs, retries under the same key, and a breaker."""

import json
from collections.abc import Mapping
from typing import Any, NamedTuple
from uuid import UUID

from aiohttp import ClientError, ClientSession, ClientTimeout, DummyCookieJar, TCPConnector
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception_type, stop_after_attempt
from tenacity.wait import wait_random_exponential

from events.failpoints import reach
from workers.breaker import Again, Breaker, BreakerState, Busy, NoAnswer
from workers.provider import Authorized, Captured, Declined, ProviderMisused, ProviderUnavailable, Refunded, Voided


class HttpProvider:
    """The provider behind a base URL, with time-outs, retries and a breaker; the key is the same for every attempt."""

    def __init__(
        self,
        base_url: str,
        *,
        api_key: str = "",
        timeout_seconds: float = 5.0,
        attempts: int = 4,
        backoff_seconds: float = 0.1,
        patience_seconds: float = 5.0,
        connections: int = 20,
        breaker: Breaker | None = None,
    ) -> None:
        self.breaker = breaker or Breaker()
        self._attempts, self._patience = attempts, patience_seconds
        self._backoff = wait_random_exponential(multiplier=backoff_seconds, max=patience_seconds)
        self._base_url = base_url.rstrip("/")
        self._headers = {"Content-Type": "application/json"}
        if api_key:
            self._headers["Authorization"] = f"Bearer {api_key}"
        # Waiting for a connection of our own pool says nothing about the provider; requests' time-outs bound it.
        self._timeout = ClientTimeout(sock_connect=min(2.0, timeout_seconds), sock_read=timeout_seconds)
        self._connections = connections
        self._session: ClientSession | None = None

    @property
    def breaker_state(self) -> BreakerState:
        """Closed, open or half-open; `breaker.probe_in` says when an open one lets a probe through."""
        return self.breaker.state

    async def authorize(
        self, key: str, payment_id: UUID | str, amount: int, currency: str, token: str
    ) -> Authorized | Declined:
        """Hold an amount on the card that the token stands for."""
        asked = {"amount": amount, "currency": currency, "token": token, "reference": str(payment_id)}
        answer = await self._post("/v1/authorizations", key, asked)
        return answer if isinstance(answer, Declined) else Authorized(answer["id"])

    async def capture(self, key: str, reference: str, amount: int) -> Captured | Declined:
        """Take an authorized amount, once, or a part of it."""
        answer = await self._post(f"/v1/authorizations/{reference}/capture", key, {"amount": amount})
        return answer if isinstance(answer, Declined) else Captured(answer["id"])

    async def void(self, key: str, reference: str) -> Voided | Declined:
        """Let an authorization go that has not been captured."""
        answer = await self._post(f"/v1/authorizations/{reference}/void", key, {})
        return answer if isinstance(answer, Declined) else Voided()

    async def refund(self, key: str, reference: str, amount: int) -> Refunded | Declined:
        """Give back a part or all of a capture; `reference` is the capture's."""
        answer = await self._post(f"/v1/captures/{reference}/refunds", key, {"amount": amount})
        return answer if isinstance(answer, Declined) else Refunded(answer["id"])

    async def aclose(self) -> None:
        """Let connections go."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def _post(self, path: str, key: str, body: Mapping[str, Any]) -> dict[str, Any] | Declined:
        retrying = AsyncRetrying(
            retry=retry_if_exception_type(Again), stop=self._give_up, wait=self._wait, reraise=True
        )
        try:
            return await retrying(self._attempt, path, key, json.dumps(body).encode())
        except Again as fault:
            again = max(fault.retry_after, self.breaker.probe_in, 1.0)
            raise ProviderUnavailable(again, str(fault)) from fault

    async def _attempt(self, path: str, key: str, body: bytes) -> dict[str, Any] | Declined:
        with self.breaker.attempt():
            answer = await self._send(path, key, body)
            reach("provider.answered")
            return _understood(answer)

    async def _send(self, path: str, key: str, body: bytes) -> "Answer":
        headers = {**self._headers, "Idempotency-Key": key}
        try:
            reach("provider.asking")
            async with self._opened().post(
                f"{self._base_url}{path}", headers=headers, data=body, allow_redirects=False
            ) as response:
                return Answer(response.status, response.headers.get("Retry-After", ""), await response.read())
        except (ClientError, TimeoutError) as error:
            raise NoAnswer(f"{type(error).__name__} {error}".strip()) from error

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


def _asked_to_wait(call: RetryCallState) -> float:
    fault = call.outcome.exception() if call.outcome else None
    return fault.retry_after if isinstance(fault, Again) else 0.0


class Answer(NamedTuple):
    """What came back over HTTP."""

    status: int
    retry_after: str
    body: bytes


def _understood(answer: Answer) -> dict[str, Any] | Declined:
    """What the answer means: its status decides first, then the error's type."""
    retry_after = _seconds(answer.retry_after)
    if answer.status >= 500:
        raise NoAnswer(f"HTTP {answer.status}", retry_after)
    try:
        body: dict[str, Any] = json.loads(answer.body)
        error = body.get("error", {})
        kind, code = error.get("type"), error.get("code", "")
    except (ValueError, AttributeError) as broken:
        raise NoAnswer(f"HTTP {answer.status} with an unreadable body", retry_after) from broken
    if answer.status < 300:
        return body
    if answer.status == 429 or kind == "in_progress":
        raise Busy(f"HTTP {answer.status} {code}", retry_after)
    if kind == "declined":
        return Declined(code)
    raise ProviderMisused(f"HTTP {answer.status} {code}")


def _seconds(retry_after: str) -> float:
    """Retry-After in seconds; its other form, a date, counts as not given."""
    return float(retry_after) if retry_after.isdecimal() else 0.0
