"""The book holds what each authorization still allows: it decides what may be done and applies what was done."""

from collections import Counter
from typing import Any, Literal
from uuid import NAMESPACE_URL, uuid5

import msgspec

Operation = Literal["authorize", "capture", "void", "refund"]
DECLINED_TOKEN = "tok_declined"  # noqa: S105
BRIEF_TOKEN = "tok_brief"  # noqa: S105
"""A card on which money is held for some seconds only."""
PREFIX = {"authorize": "auth", "capture": "cap", "void": "void", "refund": "ref"}
STATUS = {"already_captured": 409, "already_voided": 409, "exceeds_authorized": 422, "exceeds_captured": 422}
DONE = {"authorize": "authorized", "capture": "captured", "void": "voided", "refund": "refunded"}


class NotFoundHere(LookupError):
    """The provider has nothing by this id."""


class Ask(msgspec.Struct, frozen=True):
    """What a client asks for: an operation on an authorization or a capture, the `target`."""

    operation: Operation
    fingerprint: str
    target: str = ""
    amount: int = 0
    currency: str = ""
    token: str = ""
    reference: str = ""
    attempt: int = 1
    final: bool = True


class Entry(msgspec.Struct, frozen=True, omit_defaults=True):
    """One line of the ledger: what was asked with a key, and what came of it. The answer follows from it."""

    seq: int
    at: str
    key: str
    fingerprint: str
    operation: Operation
    reference: str
    amount: int
    currency: str
    id: str = ""
    authorization: str = ""
    capture: str = ""
    declined: str = ""
    attempt: int = 1
    expires_at: str = ""
    final: bool = True

    @property
    def status(self) -> int:
        """The HTTP status of the answer."""
        return STATUS.get(self.declined, 402) if self.declined else 200


class Money(msgspec.Struct):
    """An authorization and what became of it; amounts are minor units."""

    id: str
    reference: str
    amount: int
    currency: str
    capture: str = ""
    captured: int = 0
    refunded: int = 0
    voided: bool = False
    closed: bool = False
    expires_at: str = ""

    def refuses(self, ask: Ask, at: str) -> str:
        """Why the operation cannot be done, or nothing."""
        if ask.operation == "refund":
            return "exceeds_captured" if ask.amount > self.captured - self.refunded else ""
        if self.voided or self.closed or (self.capture and ask.operation == "void"):
            return "already_voided" if self.voided else "already_captured"
        if ask.operation == "capture" and self.expires_at and self.expires_at <= at:
            return "authorization_expired"
        return "exceeds_authorized" if ask.amount > self.amount - self.captured else ""


class Book:
    """All authorizations, found by their own id or by that of their capture."""

    def __init__(self) -> None:
        self._money: dict[str, Money] = {}
        self._sums: dict[str, Counter[str]] = {}
        self._captures: Counter[str] = Counter()
        self.seq = 0

    def decide(self, ask: Ask, key: str, at: str, declined: str = "", until: str = "") -> Entry:
        """What the operation comes to; `declined` says that the card is no good, `until` how long money is held.

        Raises:
            NotFoundHere: if there is no such authorization or capture.
        """
        made = f"{PREFIX[ask.operation]}_{uuid5(NAMESPACE_URL, key).hex}"
        if ask.operation == "authorize":
            money = Money(made, ask.reference, ask.amount, ask.currency)
            declined = declined or ("card_declined" if ask.token == DECLINED_TOKEN else "")
        else:
            money = self._find(ask.target)
            declined = declined or money.refuses(ask, at)
        amount = money.amount if ask.operation == "void" else ask.amount
        common = (self.seq + 1, at, key, ask.fingerprint, ask.operation, money.reference, amount, money.currency)
        if declined:
            return Entry(*common, declined=declined, attempt=ask.attempt)
        capture = made if ask.operation == "capture" else money.capture
        until = until if ask.operation == "authorize" else ""
        return Entry(
            *common,
            id=made,
            authorization=money.id,
            capture=capture,
            attempt=ask.attempt,
            expires_at=until,
            final=ask.final,
        )

    def apply(self, entry: Entry) -> None:
        """Take in what was decided, now or before a restart."""
        self.seq = entry.seq
        outcome = "declined" if entry.declined else DONE[entry.operation]
        sums = self._sums.setdefault(entry.currency, Counter())
        sums[f"{outcome}_count"] += 1
        sums[outcome] += entry.amount
        if not entry.declined:
            self._change(entry)

    def totals(self) -> dict[str, Any]:
        """Sums per currency, and the payments that were captured more than once: there should be none."""
        twice = sorted(reference for reference, count in self._captures.items() if count > 1)
        return {"entries": self.seq, "currencies": self._sums, "captured_twice": twice}

    def _find(self, target: str) -> Money:
        if (money := self._money.get(target)) is None:
            raise NotFoundHere(target)
        return money

    def _change(self, entry: Entry) -> None:
        if entry.operation == "authorize":
            held = Money(entry.id, entry.reference, entry.amount, entry.currency, expires_at=entry.expires_at)
            self._money[entry.id] = held
            return
        money = self._money[entry.authorization]
        match entry.operation:
            case "capture":
                money.capture, money.closed = entry.id, entry.final
                money.captured += entry.amount
                self._money[entry.id] = money
                self._captures[entry.reference] += entry.final
            case "void":
                money.voided = True
            case "refund":
                money.refunded += entry.amount
