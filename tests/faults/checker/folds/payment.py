"""One payment as the log tells of it: what was asked for, and what has become of it."""

from collections.abc import Container
from typing import Any

COMPENSATION = "order cancelled"
"""The reason of a refund that nobody asked for."""

SETTLED = ("", "authorized", "captured", "voided", "declined", "expired", "refused")
"""States in which nothing is asked of the provider."""


TAKEN = ("captured", "refunding", "refunded")
"""What a read model shows of a payment of which no more is to be captured."""


class Payment:
    """The payment of one order. `status` is the rules', `shown` the read model's; moments are milliseconds.

    `attempts` are as the read model shows them, `held` the authorizations that are its own, `strays` those that are
    not, and whether they were let go; `gone` are those that expired.
    `captures` are as shown too, and `parts` those of them that are asked for, with whether they end it; so much is
    `taken_here`, of what is held now. What was `given` back are pieces of refunds: the provider's name, and how much.
    """

    __slots__ = (
        "allowed", "amount", "attempts", "authorized", "captured", "captured_amount", "captured_references",
        "captures", "cards_asked", "closed", "currency", "declined", "due_at", "expires_at", "forgone", "given",
        "given_up", "gone", "held", "last", "off", "off_while", "order_id", "partition", "parts", "pending",
        "per_shipment", "position", "reason", "reduced", "reference", "refunded", "refunds", "refused",
        "refused_refunds", "renewed", "requested", "requested_at", "shown", "status", "strays", "taken_here",
        "updated_at", "version", "voided", "wanted", "wanted_capture",
    )  # fmt: skip

    def __init__(self, order_id: str) -> None:
        self.order_id = order_id
        self.status, self.shown, self.off, self.off_while = "", "", False, ""
        self.amount, self.captured_amount, self.refunded, self.reduced, self.currency = 0, 0, 0, 0, ""
        self.reason = self.reference = ""
        self.captured_references: list[str] = []
        self.per_shipment, self.closed = False, False
        self.parts: dict[str, tuple[int, bool]] = {}
        self.captures: list[dict[str, Any]] = []
        self.allowed, self.due_at = 0, ""
        self.attempts: list[dict[str, Any]] = []
        self.held: list[str] = []
        self.gone: list[str] = []
        self.renewed, self.wanted, self.expires_at = False, False, None
        self.strays: dict[str, bool] = {}
        self.requested_at = self.updated_at = ""
        self.requested = self.authorized = self.declined = self.wanted_capture = self.captured = self.voided = 0
        self.pending: dict[str, int] = {}
        self.refunds: dict[str, tuple[int, str]] = {}
        self.given: list[tuple[str, int]] = []
        self.cards_asked, self.given_up, self.forgone, self.taken_here = 0, False, 0, 0
        self.refused: list[str] = []
        self.refused_refunds = 0
        self.last = self.partition = self.version = self.position = 0

    @property
    def known(self) -> bool:
        """Whether it was ever requested; a payment that was cancelled before is shown to nobody."""
        return bool(self.requested)

    @property
    def under_way(self) -> bool:
        """Whether the provider is being asked for something."""
        return self.status not in SETTLED or bool(self.pending or self.parts) or not all(self.strays.values())

    @property
    def asking(self) -> int:
        """What the last attempt asks for."""
        return int(self.attempts[-1]["amount"])

    @property
    def asked(self) -> set[int]:
        """What the provider may have been asked to hold, over all attempts."""
        return {attempt["amount"] for attempt in self.attempts}

    @property
    def due(self) -> int:
        """What is to be captured, or was."""
        return self.amount - self.reduced

    @property
    def charged(self) -> int:
        """What was taken for shipments, or is about to be."""
        return self.captured_amount + sum(amount for amount, _ in self.parts.values())

    @property
    def promised_back(self) -> int:
        """All that was refunded or is to be, less what the provider refused to give back."""
        return self.given_beside(()) - self.refused_refunds - self.forgone

    @property
    def sent(self) -> bool:
        """Whether goods have left the house whose money is taken, or is to be."""
        return self.per_shipment and self.charged > 0

    @property
    def outstanding(self) -> int:
        """What is still to be taken; of a payment that was given up, what never will be."""
        return self.due - self.captured_amount if self.per_shipment else self.due

    def given_beside(self, parts: Container[str]) -> int:
        """All that was refunded or is to be for other reasons than that less is owed."""
        return sum(amount for refund_id, (amount, _) in self.refunds.items() if refund_id not in parts)

    def row(self) -> dict[str, Any]:
        """As the read model must show it."""
        return {
            "order_id": self.order_id,
            "status": self.shown,
            "reason": self.reason,
            "currency": self.currency,
            "amount": self.amount,
            "captured": self.captured_amount,
            "refunded": self.refunded,
            "refunds": self.pending,
            "reduced": self.reduced,
            "due_at": self.due_at,
            "expires_at": self.expires_at,
            "attempts_left": self.allowed - len(self.attempts),
            "attempts": self.attempts,
            "capture": "per_shipment" if self.per_shipment else "at_confirmation",
            "captures": self.captures,
            "closed": self.closed,
            "reference": self.reference,
            "requested_at": self.requested_at,
            "updated_at": self.updated_at,
            "version": self.version,
            "partition": self.partition,
            "position": self.position,
        }
