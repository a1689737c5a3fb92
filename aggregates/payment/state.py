"""Payment state is what the rules need to know of the money of one order."""

from datetime import datetime
from enum import Enum

from msgspec import Struct


class Status(Enum):
    """Where the money is."""

    UNKNOWN = "unknown"
    REQUESTED = "requested"
    AWAITING = "awaiting_method"
    AUTHORIZED = "authorized"
    CAPTURING = "capturing"
    CAPTURED = "captured"
    VOIDING = "voiding"
    VOIDED = "voided"
    DECLINED = "declined"
    EXPIRED = "expired"
    REFUSED = "refused"


class Part(Struct, frozen=True, array_like=True):
    """So much is to be taken for one shipment; nothing follows the `final` one."""

    amount: int
    final: bool


class Pot(Struct, frozen=True, array_like=True):
    """So much is left of what was taken of an authorization that has expired; refunds of it name this capture."""

    reference: str
    left: int


class Payment(Struct, frozen=True):
    """What the rules need to know of a payment; `off` once no money is to be kept. Amounts are minor units.

    It is at its `attempt`, of so many `attempts`, which asks for `spared` less than the amount; `tried` are the ids of
    those that a client asked for. `held` are the authorizations it was told of, `strays` those that are to be let go.
    What is held until `expires_at` is `renewed` once, and `wanted` if it is to be captured as soon as it is held again.
    Where money is taken `per_shipment`, so much is `taken`, and `parts` are to be, by shipment; it is `closed` once the
    final one is known. Refunds name the first capture of their authorization, `captured_as`, or that of an `earlier`
    one; some of a refund's `pieces` may be given. Those that are `waiting` were asked for while a part was to be taken.
    `card_asked` once the customer was asked for a card since something was held; without one, it is `given_up`.
    """

    status: Status = Status.UNKNOWN
    off: bool = False
    amount: int = 0
    currency: str = ""
    token: str = ""
    email: str = ""
    reference: str = ""
    due_at: datetime | None = None
    reduced: int = 0
    refunds: dict[str, int] = {}
    refunded: int = 0
    known_refunds: tuple[str, ...] = ()
    attempt: int = 1
    attempts: int = 1
    spared: int = 0
    tried: tuple[str, ...] = ()
    held: tuple[str, ...] = ()
    strays: tuple[str, ...] = ()
    expires_at: datetime | None = None
    renewed: bool = False
    wanted: bool = False
    per_shipment: bool = False
    taken: int = 0
    captured_as: str = ""
    parts: dict[str, Part] = {}
    known_parts: tuple[str, ...] = ()
    closed: bool = False
    earlier: tuple[Pot, ...] = ()
    pieces: dict[str, int] = {}
    waiting: tuple[str, ...] = ()
    card_asked: bool = False
    given_up: bool = False
    customer_id: str = ""

    @property
    def asking(self) -> int:
        """What the present attempt asks for."""
        return self.amount - self.spared

    @property
    def due(self) -> int:
        """What is to be captured, or was."""
        return self.amount - self.reduced

    @property
    def given(self) -> int:
        """What was given back, or is about to be."""
        return self.refunded + sum(self.refunds.values())

    @property
    def kept(self) -> int:
        """What is left of it once all refunds are given."""
        return self.due - self.given

    @property
    def captured(self) -> int:
        """What the provider has taken."""
        return self.taken if self.per_shipment else self.due if self.status is Status.CAPTURED else 0

    @property
    def refundable(self) -> int:
        """Captured money that is neither refunded nor about to be."""
        return max(0, self.captured - self.given)

    @property
    def charged(self) -> int:
        """What shipments were charged for, taken or about to be."""
        return self.taken + sum(part.amount for part in self.parts.values())

    @property
    def uncharged(self) -> int:
        """What is owed, and was not charged for yet."""
        return max(0, self.due - self.charged)

    @property
    def outstanding(self) -> int:
        """What is still to be taken, and so to be held."""
        return self.due - self.taken

    @property
    def sent(self) -> bool:
        """Whether goods have left the house whose money is taken, or is to be."""
        return self.per_shipment and self.charged > 0

    @property
    def pot(self) -> Pot:
        """What the next refund is of: the earliest authorization of which something is left."""
        here = Pot(self.captured_as or self.reference, self.captured - self.refunded)
        return next((pot for pot in self.earlier if pot.left), here)

    def piece(self, refund_id: str) -> tuple[int, int]:
        """The number and the amount of what is given next of a refund."""
        amount = self.refunds[refund_id]
        return self.pieces.get(refund_id, 0) + 1, min(amount, self.pot.left) if self.earlier else amount
