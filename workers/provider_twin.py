"""InProcessProvider is the provider's twin that needs no network: the same answers to the same calls."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar
from uuid import NAMESPACE_URL, UUID, uuid5

from workers.provider import (
    DECLINED_AMOUNT,
    DECLINED_TOKEN,
    EXPIRED,
    Authorized,
    Captured,
    Declined,
    ProviderMisused,
    Refunded,
    Voided,
)

Answer = TypeVar("Answer")


def now_utc() -> datetime:
    """The time."""
    return datetime.now(UTC)


@dataclass(slots=True)
class _Held:
    """What an authorization of the twin still allows."""

    amount: int
    captured: int = 0
    refundable: int = 0
    closed: bool = False
    voided: bool = False
    expires_at: datetime | None = None


class InProcessProvider:
    """The twin: the same answers to the same calls, kept in memory; `captured` and `refunded` are sums.

    Authorizations last for ever, or as long as they are said to, by the `clock`.
    """

    def __init__(self, lasting: timedelta | None = None, clock: Callable[[], datetime] = now_utc) -> None:
        self._lasting, self._clock = lasting, clock
        self.captured = 0
        self.refunded = 0
        self._held: dict[str, _Held] = {}
        self._answers: dict[str, tuple[tuple[Any, ...], Any]] = {}

    async def authorize(
        self,
        key: str,
        payment_id: UUID | str,
        amount: int,
        currency: str,
        token: str,
        attempt: int = 1,
        in_parts: bool = False,
    ) -> Authorized | Declined:
        """Hold an amount, unless the token or the amount is one that is declined."""
        asked = ("authorize", str(payment_id), amount, currency, token, attempt)
        return self._once(key, asked, lambda: self._authorize(_named("auth", key), amount, token))

    async def capture(self, key: str, reference: str, amount: int, final: bool = True) -> Captured | Declined:
        """Take an authorized amount, once, or a part of it."""
        asked = ("capture", reference, amount, final)
        return self._once(key, asked, lambda: self._capture(key, reference, amount, final))

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
        until = self._clock() + self._lasting if self._lasting else None
        self._held[made] = _Held(amount, expires_at=until)
        return Authorized(made, until)

    def _capture(self, key: str, reference: str, amount: int, final: bool) -> Captured | Declined:
        held = self._find(reference)
        if held.voided or held.closed:
            return Declined("already_voided" if held.voided else "already_captured")
        if held.expires_at and held.expires_at <= self._clock():
            return Declined(EXPIRED)
        if amount > held.amount - held.captured:
            return Declined("exceeds_authorized")
        made = _named("cap", key)
        held.captured, held.refundable, held.closed = held.captured + amount, held.refundable + amount, final
        self._held[made] = held
        self.captured += amount
        return Captured(made)

    def _void(self, reference: str) -> Voided | Declined:
        held = self._find(reference)
        if held.voided or held.captured or held.closed:
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
