"""Settling rules: what is held is captured or voided, and what is captured is given back where it is not owed."""

from aggregates.errors import NothingToRefund, PaymentUnknown, RefundTooLarge
from aggregates.payment.state import Payment, Status, evolve
from events.event import Event
from events.ids import derive
from events.payment import (
    CaptureAwaited,
    CaptureRequested,
    PaymentCancelled,
    PaymentCaptured,
    PaymentReduced,
    PaymentRefunded,
    PaymentVoided,
    RefundRequested,
    StrayVoided,
    VoidRequested,
)
from schemas.payment import (
    CancelPayment,
    CapturePayment,
    RecordCapture,
    RecordRefund,
    RecordVoid,
    ReducePayment,
    RefundPayment,
)


def capture(command: CapturePayment, payment: Payment) -> list[Event]:
    if payment.off:
        return []
    if payment.status is Status.REQUESTED and payment.renewed and not payment.wanted:
        return [CaptureAwaited(order_id=command.order_id)]
    if payment.status is not Status.AUTHORIZED:
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
    if payment.off or payment.status in (Status.DECLINED, Status.VOIDED, Status.EXPIRED, Status.REFUSED):
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
        case Status.REQUESTED | Status.AWAITING | Status.AUTHORIZED:
            return [PaymentReduced(**fields)]
        case Status.CAPTURING | Status.CAPTURED:
            return [RefundRequested(**fields)]
        case _:
            return []  # nothing is asked for yet, and less will be; or nothing is taken


def record_void(command: RecordVoid, payment: Payment) -> list[Event]:
    if command.stray:
        found = command.stray in payment.strays
        return [StrayVoided(order_id=command.order_id, reference=command.stray)] if found else []
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
        )
    ]


def _give_back(order_id: str, payment: Payment) -> list[Event]:
    if not payment.refundable:
        return []
    refund_id = derive(order_id, "refund when cancelled")
    return [
        RefundRequested(order_id=order_id, refund_id=refund_id, amount=payment.refundable, reason="order cancelled")
    ]
