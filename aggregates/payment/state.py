"""Payment state is what the rules need to know of the money of one order, and how each event changes it."""

from datetime import datetime
from enum import Enum
from typing import assert_never

from msgspec import Struct
from msgspec.structs import replace

from events.payment import (
    AttemptDeclined,
    AuthorizationExpired,
    CaptureAwaited,
    CaptureRequested,
    PaymentAttempted,
    PaymentAuthorized,
    PaymentCancelled,
    PaymentCaptured,
    PaymentDeclined,
    PaymentEvent,
    PaymentLapsed,
    PaymentReduced,
    PaymentRefunded,
    PaymentRefused,
    PaymentRequested,
    PaymentVoided,
    RefundRequested,
    RenewalDeclined,
    RenewalRequested,
    ShipmentCaptureRequested,
    StrayAuthorized,
    StrayVoided,
    VoidRequested,
)


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


class Payment(Struct, frozen=True):
    """What the rules need to know of a payment; `off` once no money is to be kept. Amounts are minor units.

    It is at its `attempt`, of so many `attempts`, which asks for `spared` less than the amount; `tried` are the ids of
    those that a client asked for. `held` are the authorizations it was told of, `strays` those that are to be let go.
    What is held until `expires_at` is `renewed` once, and `wanted` if it is to be captured as soon as it is held again.
    Where money is taken `per_shipment`, so much is `taken`, under the reference `captured_as` at last, and `parts` are
    to be, by shipment; it is `closed` once the final one is known.
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


def evolve(payment: Payment, event: PaymentEvent) -> Payment:
    match event:
        case PaymentRequested():
            return replace(
                payment,
                status=Status.REQUESTED,
                amount=event.amount,
                currency=event.currency,
                token=event.token,
                email=event.email,
                customer_id=event.customer_id,
                due_at=event.due_at,
                attempts=event.attempts,
                per_shipment=event.capture == "per_shipment",
            )
        case PaymentAuthorized(reference=reference):
            held = (*payment.held, reference)
            until = event.expires_at
            return replace(payment, status=Status.AUTHORIZED, reference=reference, held=held, expires_at=until)
        case AuthorizationExpired():
            return _expired(payment, event.final)
        case RenewalRequested(attempt=attempt):
            spared = payment.amount - event.amount
            attempts = payment.attempts + 1
            return replace(
                payment, status=Status.REQUESTED, attempt=attempt, attempts=attempts, spared=spared, renewed=True
            )
        case CaptureAwaited():
            return replace(payment, wanted=True)
        case PaymentDeclined() | RenewalDeclined():
            return replace(payment, status=Status.DECLINED, refunds={}, parts={})
        case AttemptDeclined():
            return replace(payment, status=Status.AWAITING)
        case PaymentAttempted():
            return replace(
                payment,
                status=Status.REQUESTED,
                token=event.token,
                attempt=event.attempt,
                spared=payment.amount - event.amount,
                tried=(*payment.tried, event.attempt_id),
            )
        case StrayAuthorized(reference=stray):
            return replace(payment, held=(*payment.held, stray), strays=(*payment.strays, stray))
        case StrayVoided():
            return _without_stray(payment, event.reference)
        case PaymentLapsed() | PaymentCancelled():
            status = Status.DECLINED if payment.status is Status.AWAITING else payment.status
            return replace(payment, status=status, off=True)
        case PaymentReduced():
            known = (*payment.known_refunds, event.refund_id)
            return replace(payment, reduced=payment.reduced + event.amount, known_refunds=known)
        case CaptureRequested():
            return replace(payment, status=Status.CAPTURING)
        case ShipmentCaptureRequested(shipment_id=shipment_id):
            parts = {**payment.parts, shipment_id: Part(event.amount, event.final)}
            known = (*payment.known_parts, shipment_id)
            return replace(payment, parts=parts, known_parts=known, closed=payment.closed or event.final)
        case PaymentCaptured():
            return _captured(payment, event)
        case VoidRequested():
            return replace(payment, status=Status.VOIDING, refunds={}, parts={})
        case PaymentVoided():
            return replace(payment, status=Status.VOIDED)
        case RefundRequested():
            refunds = {**payment.refunds, event.refund_id: event.amount}
            return replace(payment, refunds=refunds, known_refunds=(*payment.known_refunds, event.refund_id))
        case PaymentRefunded():
            return _without(payment, event.refund_id, event.amount)
        case PaymentRefused():
            return _refused(payment, event.step)
        case _:
            assert_never(event)


def _captured(payment: Payment, event: PaymentCaptured) -> Payment:
    if not event.shipment_id:
        return replace(payment, status=Status.CAPTURED, reference=event.reference)
    parts = {key: part for key, part in payment.parts.items() if key != event.shipment_id}
    status = Status.CAPTURED if payment.closed and not parts else payment.status
    taken = payment.taken + event.amount
    return replace(payment, status=status, taken=taken, captured_as=event.reference, parts=parts)


def _expired(payment: Payment, final: bool) -> Payment:
    """Nothing is held, so what was to be given back of it, once captured, is simply not asked for again."""
    if payment.per_shipment:
        parts = {} if final else payment.parts
        refunds = {} if final and not payment.taken else payment.refunds
        return replace(payment, status=Status.EXPIRED, expires_at=None, parts=parts, refunds=refunds)
    capturing = payment.status is Status.CAPTURING
    reduced = payment.reduced + sum(payment.refunds.values())
    return replace(
        payment, status=Status.EXPIRED, reduced=reduced, refunds={}, expires_at=None, wanted=payment.wanted or capturing
    )


def _refused(payment: Payment, step: str) -> Payment:
    match step.split(":"):
        case ["refund", refund_id]:
            return _without(payment, refund_id, 0)
        case ["void", stray]:
            return _without_stray(payment, stray)
        case _:
            refunds = payment.refunds if payment.taken else {}
            return replace(payment, status=Status.REFUSED, refunds=refunds, parts={})


def _without_stray(payment: Payment, stray: str) -> Payment:
    return replace(payment, strays=tuple(each for each in payment.strays if each != stray))


def _without(payment: Payment, refund_id: str, given: int) -> Payment:
    left = {key: amount for key, amount in payment.refunds.items() if key != refund_id}
    return replace(payment, refunds=left, refunded=payment.refunded + given)
