"""The provider is who moves the money, as a port; adapters: provider_http.py, and a twin in memory, provider_twin.py.

Every call carries an idempotency key; the same key again, after a restart or years later, brings the same answer and
moves no more money. Amounts are minor units.

ProviderError
├── ProviderUnavailable   no answer, now: come again after a while, with the same key
│   └── CircuitOpen       nobody is asked at present: so it is for every call, not for this one
└── ProviderMisused       the provider does not understand us: a bug or a wrong setting, no retry will heal it
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from events.circuit import Answered

DECLINED_TOKEN = "tok_declined"  # noqa: S105
DECLINED_AMOUNT = 4_000_002
EXPIRED = "authorization_expired"
"""Why a capture is declined whose money is held no longer."""


@dataclass(frozen=True, slots=True)
class Authorized:
    """The money is held, until a moment that the provider may name; capture and void name this reference."""

    reference: str
    expires_at: datetime | None = None


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
    """The provider says no, for good: `card_declined`, `authorization_expired`, `already_…`, `exceeds_…`."""

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


class ProviderMisused(ProviderError, Answered):
    """The provider takes the request for an invalid one."""


class Provider(Protocol):
    """Who moves the money; every method may raise a ProviderError."""

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
        """Hold an amount on the card that the token stands for; each attempt of a payment has a key of its own.

        It will be captured `in_parts`, if that is said.
        """

    async def capture(self, key: str, reference: str, amount: int, final: bool = True) -> Captured | Declined:
        """Take an authorized amount or a part of it, which may be nothing; after the `final` one the rest is let go."""

    async def void(self, key: str, reference: str) -> Voided | Declined:
        """Let an authorization go that has not been captured; one that has expired is let go already."""

    async def refund(self, key: str, reference: str, amount: int) -> Refunded | Declined:
        """Give back a part or all of a capture."""

    async def aclose(self) -> None:
        """Let connections go."""
