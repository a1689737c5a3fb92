"""The provider is who moves the money: a port, its adapter over HTTP, and a twin that needs no network.

Every call carries an idempotency key; the same key again, after a restart or years later, brings the same answer and
moves no more money. Amounts are minor units.

ProviderError
├── ProviderUnavailable   no answer, now: come again after a while, with the same key
│   └── CircuitOpen       nobody is asked at present: so it is for every call, not for this one
└── ProviderMisused       the provider does not understand us: a bug or a wrong setting, no retry will heal it
"""

import json
import logging
import math
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal, Protocol, TypeAlias, TypeVar
from uuid import NAMESPACE_URL, UUID, uuid5

import httpx2
from purgatory.domain.model import Context, HalfOpenedState
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception_type, stop_after_attempt
from tenacity.wait import wait_random_exponential

from events.failpoints import reach

logger = logging.getLogger(__name__)

DECLINED_TOKEN = "tok_declined"  # noqa: S105
DECLINED_AMOUNT = 4_000_002
BreakerState: TypeAlias = Literal["closed", "open", "half-open"]
Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True)
class Authorized:
    """The money is held; capture and void name this reference."""

    reference: str


@dataclass(frozen=True, slots=True)
class Captured:
    """The money is ours; a refund names this reference."""

    reference: str


@dataclass(frozen=True, slots=True)
class Voided:
    """The money is held no longer."""


@dataclass(frozen=True, slots=True)
class Refunded:
    """The money is given back."""

    reference: str


@dataclass(frozen=True, slots=True)
class Declined:
    """The provider says no, for good: `card_declined`, `already_captured`, `already_voided`, `exceeds_…`."""

    reason: str


class ProviderError(Exception):
    """The base of the two below."""


class ProviderUnavailable(ProviderError):
    """No answer can be had now; whether the work was done is unknown, and the same key will tell."""

    def __init__(self, retry_after_seconds: float, why: str = "") -> None:
        super().__init__(f"payment provider unavailable, again in {retry_after_seconds:.1f} s: {why}")
        self.retry_after_seconds = retry_after_seconds


class CircuitOpen(ProviderUnavailable):
    """The provider is not asked at present, as it gave too many no answer."""


class ProviderMisused(ProviderError):
    """The provider takes the request for an invalid one."""


class Provider(Protocol):
    """Who moves the money; every method may raise a ProviderError."""

    async def authorize(
        self, key: str, payment_id: UUID | str, amount: int, currency: str, token: str
    ) -> Authorized | Declined:
        """Hold an amount on the card that the token stands for."""

    async def capture(self, key: str, reference: str, amount: int) -> Captured | Declined:
        """Take an authorized amount, once, or a part of it."""

    async def void(self, key: str, reference: str) -> Voided | Declined:
        """Let an authorization go that has not been captured."""

    async def refund(self, key: str, reference: str, amount: int) -> Refunded | Declined:
        """Give back a part or all of a capture."""

    async def aclose(self) -> None:
        """Let connections go."""


class Breaker:
    """A circuit breaker over purgatory's, with a clock of our own and one probe at a time when half open.

    It counts attempts, not calls: `threshold` requests in a row without an answer open it, and retries ask it before
    each attempt, so an outage is noticed early and a probe is exactly one request. A call makes fewer attempts than
    the threshold, so that no single payment can open it.
    """

    def __init__(self, threshold: int = 5, seconds: float = 30.0, clock: Callable[[], float] = time.monotonic) -> None:
        # Purgatory reads the wall clock, which can be set back: it never lapses by itself here.
        self._circuit = Context("payment-provider", threshold, math.inf)
        self._seconds, self._clock = seconds, clock
        self._opened_at = 0.0
        self._probing = False

    @property
    def state(self) -> BreakerState:
        """Closed, open, or half-open: then a probe is under way or due."""
        if self._circuit.state == "closed":
            return "closed"
        return "open" if self.probe_in > 0 else "half-open"

    @property
    def probe_in(self) -> float:
        """Seconds until a probe is let through; 0 unless open."""
        if self._circuit.state != "opened":
            return 0.0
        return max(0.0, self._opened_at + self._seconds - self._clock())

    @contextmanager
    def attempt(self) -> Iterator[None]:
        """Let one request through, and count how it ends.

        Raises:
            CircuitOpen: if it is open, or half open with a probe under way.
        """
        probe = self._admit()
        try:
            yield
        except _NoAnswer as fault:
            self._failed(fault)
            raise
        except (_Busy, ProviderMisused):
            self._circuit.handle_end_request()
            raise
        else:
            self._circuit.handle_end_request()
        finally:
            # A cancelled probe has told nothing: the next request is the probe.
            self._probing = self._probing and not probe
            self._circuit.messages.clear()

    def _admit(self) -> bool:
        state = self.state
        if state == "open" or (state == "half-open" and self._probing):
            raise CircuitOpen(self.probe_in or 1.0, "circuit open")
        if state == "half-open":
            self._circuit.set_state(HalfOpenedState())
            self._probing = True
        return state == "half-open"

    def _failed(self, fault: BaseException) -> None:
        was = self._circuit.state
        self._circuit.handle_exception(fault)
        if self._circuit.state == "opened" and was != "opened":
            self._opened_at = self._clock()
            logger.warning("the provider is asked no more for %.0f s: %s", self._seconds, fault)


class _Again(Exception):
    """An attempt that is worth another."""

    def __init__(self, why: str, retry_after: float = 0.0) -> None:
        super().__init__(why)
        self.retry_after = retry_after


class _NoAnswer(_Again):
    """No answer, or a server's own fault: counts against the provider."""


class _Busy(_Again):
    """Not now: the first request with this key is under way, or there are too many. The provider is well."""


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
        timeout = httpx2.Timeout(timeout_seconds, connect=min(2.0, timeout_seconds), pool=None)
        self._extensions = {"timeout": timeout.as_dict()}
        # The transport, without the client on top: cookies, redirects and authentication flows cost a third of a call.
        self._transport = httpx2.AsyncHTTPTransport(
            limits=httpx2.Limits(max_connections=connections, max_keepalive_connections=connections), trust_env=False
        )

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
        await self._transport.aclose()

    async def _post(self, path: str, key: str, body: Mapping[str, Any]) -> dict[str, Any] | Declined:
        retrying = AsyncRetrying(
            retry=retry_if_exception_type(_Again), stop=self._give_up, wait=self._wait, reraise=True
        )
        try:
            return await retrying(self._attempt, path, key, json.dumps(body).encode())
        except _Again as fault:
            again = max(fault.retry_after, self.breaker.probe_in, 1.0)
            raise ProviderUnavailable(again, str(fault)) from fault

    async def _attempt(self, path: str, key: str, body: bytes) -> dict[str, Any] | Declined:
        with self.breaker.attempt():
            answer = await self._send(path, key, body)
            reach("provider.answered")
            return _understood(answer)

    async def _send(self, path: str, key: str, body: bytes) -> httpx2.Response:
        request = httpx2.Request(
            "POST",
            f"{self._base_url}{path}",
            headers={**self._headers, "Idempotency-Key": key},
            content=body,
            extensions=self._extensions,
        )
        try:
            reach("provider.asking")
            response = await self._transport.handle_async_request(request)
            try:
                await response.aread()
            finally:
                await response.aclose()
        except (httpx2.TransportError, httpx2.DecodingError) as error:
            raise _NoAnswer(f"{type(error).__name__} {error}".strip()) from error
        return response

    def _wait(self, call: RetryCallState) -> float:
        return max(self._backoff(call), _asked_to_wait(call))

    def _give_up(self, call: RetryCallState) -> bool:
        """After so many attempts, or when asked to wait for longer than a caller should be kept."""
        return stop_after_attempt(self._attempts)(call) or _asked_to_wait(call) > self._patience


def _asked_to_wait(call: RetryCallState) -> float:
    fault = call.outcome.exception() if call.outcome else None
    return fault.retry_after if isinstance(fault, _Again) else 0.0


def _understood(response: httpx2.Response) -> dict[str, Any] | Declined:
    """What the answer means: its status decides first, then the error's type."""
    retry_after = _seconds(response.headers.get("Retry-After", ""))
    if response.status_code >= 500:
        raise _NoAnswer(f"HTTP {response.status_code}", retry_after)
    try:
        body: dict[str, Any] = response.json()
        error = body.get("error", {})
        kind, code = error.get("type"), error.get("code", "")
    except (ValueError, AttributeError) as broken:
        raise _NoAnswer(f"HTTP {response.status_code} with an unreadable body", retry_after) from broken
    if response.is_success:
        return body
    if response.status_code == 429 or kind == "in_progress":
        raise _Busy(f"HTTP {response.status_code} {code}", retry_after)
    if kind == "declined":
        return Declined(code)
    raise ProviderMisused(f"HTTP {response.status_code} {code}")


def _seconds(retry_after: str) -> float:
    """Retry-After in seconds; its other form, a date, counts as not given."""
    return float(retry_after) if retry_after.isdecimal() else 0.0


@dataclass(slots=True)
class _Held:
    """What an authorization of the twin still allows."""

    id: str
    amount: int
    capture: str = ""
    refundable: int = 0
    voided: bool = False


class InProcessProvider:
    """The twin: the same answers to the same calls, kept in memory; `captured` and `refunded` are sums."""

    def __init__(self) -> None:
        self.captured = 0
        self.refunded = 0
        self._held: dict[str, _Held] = {}
        self._answers: dict[str, tuple[tuple[Any, ...], Any]] = {}

    async def authorize(
        self, key: str, payment_id: UUID | str, amount: int, currency: str, token: str
    ) -> Authorized | Declined:
        """Hold an amount, unless the token or the amount is one that is declined."""
        asked = ("authorize", str(payment_id), amount, currency, token)
        return self._once(key, asked, lambda: self._authorize(_named("auth", key), amount, token))

    async def capture(self, key: str, reference: str, amount: int) -> Captured | Declined:
        """Take an authorized amount, once, or a part of it."""
        return self._once(key, ("capture", reference, amount), lambda: self._capture(key, reference, amount))

    async def void(self, key: str, reference: str) -> Voided | Declined:
        """Let an authorization go that has not been captured."""
        return self._once(key, ("void", reference), lambda: self._void(reference))

    async def refund(self, key: str, reference: str, amount: int) -> Refunded | Declined:
        """Give back a part or all of a capture; `reference` is the capture's."""
        return self._once(key, ("refund", reference, amount), lambda: self._refund(key, reference, amount))

    async def aclose(self) -> None:
        """Nothing to let go."""

    def _once(self, key: str, asked: tuple[Any, ...], do: Callable[[], Answer]) -> Answer:
        known = self._answers.get(key)
        if known is not None and known[0] != asked:
            raise ProviderMisused("idempotency_key_reused")
        if known is None:
            known = self._answers[key] = (asked, do())
        answer: Answer = known[1]
        return answer

    def _authorize(self, made: str, amount: int, token: str) -> Authorized | Declined:
        if token == DECLINED_TOKEN or amount == DECLINED_AMOUNT:
            return Declined("card_declined")
        self._held[made] = _Held(made, amount)
        return Authorized(made)

    def _capture(self, key: str, reference: str, amount: int) -> Captured | Declined:
        held = self._find(reference)
        if held.voided or held.capture:
            return Declined("already_voided" if held.voided else "already_captured")
        if amount > held.amount:
            return Declined("exceeds_authorized")
        held.capture, held.refundable = _named("cap", key), amount
        self._held[held.capture] = held
        self.captured += amount
        return Captured(held.capture)

    def _void(self, reference: str) -> Voided | Declined:
        held = self._find(reference)
        if held.voided or held.capture:
            return Declined("already_voided" if held.voided else "already_captured")
        held.voided = True
        return Voided()

    def _refund(self, key: str, reference: str, amount: int) -> Refunded | Declined:
        held = self._find(reference)
        if amount > held.refundable:
            return Declined("exceeds_captured")
        held.refundable -= amount
        self.refunded += amount
        return Refunded(_named("ref", key))

    def _find(self, reference: str) -> _Held:
        if (held := self._held.get(reference)) is None:
            raise ProviderMisused("not_found")
        return held


def _named(prefix: str, key: str) -> str:
    return f"{prefix}_{uuid5(NAMESPACE_URL, key).hex}"
