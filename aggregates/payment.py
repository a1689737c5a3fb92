"""Payment rules: the money of one order is authorized, captured, voided and refunded, each at most once.

A request to the provider is recorded before it is made, and its answer after. Where less is owed, less is captured or,
once the capture is asked for, the difference is refunded. Once the order is off, no money is to be kept: what is
authorized is voided, what is captured is refunded, and what is unknown is first found out.
"""

from datetime import datetime, timedelta
from enum import Enum
from typing import assert_never

from msgspec import Struct
from msgspec.structs import replace

from aggregates.decider import Decider, StateOf, Todo
from aggregates.errors import NothingToRefund, PaymentUnknown, RefundTooLarge
from events.event import Event
from events.ids import derive
from events.payment import (
    CaptureRequested,
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
    VoidRequested,
)
from schemas.payment import (
    CancelPayment,
    CapturePayment,
    LapsePayment,
    PaymentCommand,
    RecordAuthorization,
    RecordCapture,
    RecordDecline,
    RecordRefund,
    RecordRefusal,
    RecordVoid,
    ReducePayment,
    RefundPayment,
    RequestPayment,
)


class Status(Enum):
    """Where the money is."""

    UNKNOWN = "unknown"
    REQUESTED = "requested"
    AUTHORIZED = "authorized"
    CAPTURING = "capturing"
    CAPTURED = "captured"
    VOIDING = "voiding"
    VOIDED = "voided"
    DECLINED = "declined"
    REFUSED = "refused"


class Payment(Struct, frozen=True):
    """What the rules need to know of a payment; `off` once no money is to be kept. Amounts are minor units."""

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
    customer_id: str = ""

    @property
    def due(self) -> int:
        """What is to be captured, or was."""
        return self.amount - self.reduced

    @property
    def kept(self) -> int:
        """What is left of it once all refunds are given."""
        return self.due - self.refunded - sum(self.refunds.values())

    @property
    def refundable(self) -> int:
        """Captured money that is neither refunded nor about to be."""
        return self.kept if self.status is Status.CAPTURED else 0


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
            )
        case PaymentAuthorized():
            return replace(payment, status=Status.AUTHORIZED, reference=event.reference)
        case PaymentDeclined():
            return replace(payment, status=Status.DECLINED)
        case PaymentLapsed() | PaymentCancelled():
            return replace(payment, off=True)
        case PaymentReduced():
            known = (*payment.known_refunds, event.refund_id)
            return replace(payment, reduced=payment.reduced + event.amount, known_refunds=known)
        case CaptureRequested():
            return replace(payment, status=Status.CAPTURING)
        case PaymentCaptured():
            return replace(payment, status=Status.CAPTURED, reference=event.reference)
        case VoidRequested():
            return replace(payment, status=Status.VOIDING)
        case PaymentVoided():
            return replace(payment, status=Status.VOIDED)
        case RefundRequested():
            refunds = {**payment.refunds, event.refund_id: event.amount}
            return replace(payment, refunds=refunds, known_refunds=(*payment.known_refunds, event.refund_id))
        case PaymentRefunded():
            return _without(payment, event.refund_id, event.amount)
        case PaymentRefused():
            _, _, refund_id = event.step.partition(":")
            return _without(payment, refund_id, 0) if refund_id else replace(payment, status=Status.REFUSED, refunds={})
        case _:
            assert_never(event)


def _without(payment: Payment, refund_id: str, given: int) -> Payment:
    left = {key: amount for key, amount in payment.refunds.items() if key != refund_id}
    return replace(payment, refunds=left, refunded=payment.refunded + given)


def request(command: RequestPayment, payment: Payment, due_at: datetime) -> list[Event]:
    if payment.status is not Status.UNKNOWN or payment.off:
        return []
    return [PaymentRequested(**dict(command), due_at=due_at)]


def record_authorization(command: RecordAuthorization, payment: Payment) -> list[Event]:
    if payment.status is not Status.REQUESTED:
        return []
    authorized = PaymentAuthorized(
        order_id=command.order_id,
        reference=command.reference,
        amount=payment.amount,
        currency=payment.currency,
    )
    return [authorized, VoidRequested(order_id=command.order_id)] if payment.off else [authorized]


def record_decline(command: RecordDecline, payment: Payment) -> list[Event]:
    if payment.status is not Status.REQUESTED:
        return []
    return [PaymentDeclined(order_id=command.order_id, reason=command.reason)]


def lapse(command: LapsePayment, payment: Payment) -> list[Event]:
    if payment.status is not Status.REQUESTED or payment.off:
        return []
    return [PaymentLapsed(order_id=command.order_id)]


def capture(command: CapturePayment, payment: Payment) -> list[Event]:
    if payment.status is not Status.AUTHORIZED or payment.off:
        return []
    return [CaptureRequested(order_id=command.order_id)]


def record_capture(command: RecordCapture, payment: Payment) -> list[Event]:
    if payment.status is not Status.CAPTURING:
        return []
    captured = PaymentCaptured(
        order_id=command.order_id,
        reference=command.reference,
        amount=payment.due,
        currency=payment.currency,
    )
    return [captured, *_give_back(command.order_id, evolve(payment, captured))] if payment.off else [captured]


def cancel(command: CancelPayment, payment: Payment) -> list[Event]:
    if payment.off or payment.status in (Status.DECLINED, Status.VOIDED, Status.REFUSED):
        return []
    cancelled = PaymentCancelled(order_id=command.order_id)
    match payment.status:
        case Status.AUTHORIZED:
            return [cancelled, VoidRequested(order_id=command.order_id)]
        case Status.CAPTURED:
            return [cancelled, *_give_back(command.order_id, payment)]
        case _:
            return [cancelled]  # nothing is known yet, or an answer is under way: it decides


def refund(command: RefundPayment, payment: Payment) -> list[Event]:
    if command.refund_id in payment.known_refunds:
        return []
    if payment.status is Status.UNKNOWN:
        raise PaymentUnknown
    if not payment.refundable:
        raise NothingToRefund
    amount = payment.refundable if command.amount is None else command.amount
    if amount > payment.refundable:
        raise RefundTooLarge(f"{payment.refundable} {payment.currency} in minor units can be refunded, not {amount}")
    return [
        RefundRequested(order_id=command.order_id, refund_id=command.refund_id, amount=amount, reason=command.reason)
    ]


def reduce(command: ReducePayment, payment: Payment) -> list[Event]:
    """Before the capture is asked for it takes less; after that, as much of the difference as is left is given back."""
    amount = min(command.amount, payment.kept)
    if command.refund_id in payment.known_refunds or payment.off or not amount:
        return []
    fields = {**dict(command), "amount": amount}
    match payment.status:
        case Status.REQUESTED | Status.AUTHORIZED:
            return [PaymentReduced(**fields)]
        case Status.CAPTURING | Status.CAPTURED:
            return [RefundRequested(**fields)]
        case _:
            return []  # nothing is asked for yet, and less will be; or nothing is taken


def record_void(command: RecordVoid, payment: Payment) -> list[Event]:
    return [PaymentVoided(order_id=command.order_id)] if payment.status is Status.VOIDING else []


def record_refund(command: RecordRefund, payment: Payment) -> list[Event]:
    if command.refund_id not in payment.refunds:
        return []
    return [
        PaymentRefunded(
            order_id=command.order_id,
            refund_id=command.refund_id,
            reference=command.reference,
            amount=payment.refunds[command.refund_id],
            currency=payment.currency,
            email=payment.email,
            customer_id=payment.customer_id,
        )
    ]


def record_refusal(command: RecordRefusal, payment: Payment) -> list[Event]:
    if command.step not in {todo.key for todo in todos(payment)}:
        return []
    return [PaymentRefused(order_id=command.order_id, step=command.step, reason=command.reason)]


def _give_back(order_id: str, payment: Payment) -> list[Event]:
    if not payment.refundable:
        return []
    refund_id = derive(order_id, "refund when cancelled")
    return [
        RefundRequested(order_id=order_id, refund_id=refund_id, amount=payment.refundable, reason="order cancelled")
    ]


def todos(payment: Payment) -> list[Todo]:
    """What is to be asked of the provider; the key is the step's name, for a refund with its id."""
    match payment.status:
        case Status.REQUESTED:
            overdue = [] if payment.off else [Todo("lapse", payment.due_at, "lapse")]
            return [Todo("authorize", key="authorize"), *overdue]
        case Status.CAPTURING:
            return [Todo("capture", key="capture")]
        case Status.VOIDING:
            return [Todo("void", key="void")]
        case _:
            return [Todo("refund", key=f"refund:{refund_id}") for refund_id in payment.refunds]


RULES = {
    RecordAuthorization: record_authorization,
    RecordDecline: record_decline,
    LapsePayment: lapse,
    CapturePayment: capture,
    RecordCapture: record_capture,
    CancelPayment: cancel,
    RefundPayment: refund,
    ReducePayment: reduce,
    RecordVoid: record_void,
    RecordRefund: record_refund,
    RecordRefusal: record_refusal,
}


def decider(overdue: timedelta) -> Decider:
    """The payment context's rules; the provider has `overdue` to authorize."""

    def decide(command: PaymentCommand, state_of: StateOf, at: datetime) -> list[Event]:
        payment = state_of(command.stream)
        if isinstance(command, RequestPayment):
            return request(command, payment, at + overdue)
        return RULES[type(command)](command, payment)  # type: ignore[operator,no-any-return]

    return Decider(
        context="payment",
        initial={"payment": Payment()},
        evolve=evolve,  # type: ignore[arg-type]
        decide=decide,
        todos=todos,
    )
