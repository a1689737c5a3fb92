"""Settling rules: what is held is captured or voided, and what is captured is given back where it is not owed."""

from datetime import datetime
from typing import Any

from aggregates.errors import NothingToRefund, PaymentUnknown, RefundTooLarge
from aggregates.payment.evolving import evolve
from aggregates.payment.state import Payment, Status
from events.event import Event
from events.ids import derive
from events.payment import (
    CaptureAwaited,
    CaptureRequested,
    CardAwaited,
    PaymentCancelled,
    PaymentCaptured,
    PaymentGivenUp,
    PaymentReduced,
    PaymentRefunded,
    PaymentVoided,
    RefundRequested,
    ShipmentCaptureRequested,
    StrayVoided,
    VoidRequested,
)
from schemas.payment import (
    CancelPayment,
    CapturePayment,
    CaptureShipment,
    RecordCapture,
    RecordRefund,
    RecordVoid,
    ReducePayment,
    RefundPayment,
)


def capture(command: CapturePayment, payment: Payment) -> list[Event]:
    if payment.off or payment.per_shipment:
        return []
    if payment.status is Status.REQUESTED and payment.renewed and not payment.wanted:
        return [CaptureAwaited(order_id=command.order_id)]
    if payment.status is not Status.AUTHORIZED:
        return []
    return [CaptureRequested(order_id=command.order_id)]


def capture_shipment(command: CaptureShipment, payment: Payment, until: datetime) -> list[Event]:
    """The last one takes what is still owed, and lets go of what is left, be it nothing.

    Where nothing was held any longer when the goods left, the customer is asked for another card.
    """
    lost = _is_lost(payment)
    if command.shipment_id in payment.known_parts or not (lost or _may_be_charged(payment)):
        return []
    amount = payment.uncharged if command.last else min(command.amount, payment.uncharged)
    if not amount and (lost or not command.last):
        return []
    part = _part(command.order_id, command.shipment_id, amount, command.last)
    return [part, card_awaited(command.order_id, payment, until, spare(payment))] if lost else [part]


def _is_lost(payment: Payment) -> bool:
    """Whether nothing is held any longer, and the order has gone on before it heard of that."""
    ended = payment.status is Status.EXPIRED or (payment.status is Status.DECLINED and payment.renewed)
    return payment.per_shipment and ended and not payment.off and not payment.given_up


def spare(payment: Payment) -> int:
    """How many cards may be named; one at least, for the first time since money was held."""
    return max(payment.attempts - payment.attempt, 0 if payment.card_asked else 1)


def card_awaited(order_id: str, payment: Payment, due_at: datetime, left: int) -> Event:
    """So many cards may be named for what is still to be held."""
    return CardAwaited(
        order_id=order_id,
        attempt=payment.attempt,
        amount=payment.outstanding,
        currency=payment.currency,
        due_at=due_at,
        attempts_left=left,
        email=payment.email,
        customer_id=payment.customer_id,
    )


def _may_be_charged(payment: Payment) -> bool:
    renewing = payment.status in (Status.REQUESTED, Status.AWAITING) and payment.renewed
    held = payment.status is Status.AUTHORIZED or renewing
    return payment.per_shipment and held and not payment.off and not payment.closed


def _part(order_id: str, shipment_id: str, amount: int, final: bool) -> Event:
    return ShipmentCaptureRequested(order_id=order_id, shipment_id=shipment_id, amount=amount, final=final)


def record_capture(command: RecordCapture, payment: Payment) -> list[Event]:
    if command.shipment_id:
        return _record_part(command, payment)
    if payment.status is not Status.CAPTURING:
        return []
    captured = PaymentCaptured(
        order_id=command.order_id,
        reference=command.reference,
        amount=payment.due,
        currency=payment.currency,
    )
    return [captured, *give_back(command.order_id, evolve(payment, captured))] if payment.off else [captured]


def _record_part(command: RecordCapture, payment: Payment) -> list[Event]:
    part = payment.parts.get(command.shipment_id)
    if part is None or payment.status is not Status.AUTHORIZED:
        return []
    captured = PaymentCaptured(
        order_id=command.order_id,
        reference=command.reference,
        amount=part.amount,
        currency=payment.currency,
        shipment_id=command.shipment_id,
    )
    after = evolve(payment, captured)
    return [captured, *_wind_up(command.order_id, after)] if after.off and not after.parts else [captured]


def _wind_up(order_id: str, payment: Payment) -> list[Event]:
    """What is held is let go, and what was taken is given back, once all that was asked for has its answer."""
    release = [] if payment.closed else [_part(order_id, derive(order_id, "release when cancelled"), 0, True)]
    return [*release, *give_back(order_id, payment)]


def cancel(command: CancelPayment, payment: Payment) -> list[Event]:
    if payment.off or payment.status in (Status.DECLINED, Status.VOIDED, Status.EXPIRED, Status.REFUSED):
        return []
    cancelled = PaymentCancelled(order_id=command.order_id)
    match payment.status:
        case Status.AUTHORIZED if not payment.charged:
            return [cancelled, VoidRequested(order_id=command.order_id)]
        case Status.AUTHORIZED if not payment.parts:
            return [cancelled, *_wind_up(command.order_id, payment)]
        case Status.CAPTURED | Status.AWAITING:
            return [cancelled, *give_back(command.order_id, payment)]
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
    if payment.per_shipment:
        return _reduce_parts(command, payment)
    amount = min(command.amount, payment.kept)
    if command.refund_id in payment.known_refunds or payment.off or not amount:
        return []
    fields = _less(command, amount)
    match payment.status:
        case Status.REQUESTED | Status.AWAITING | Status.AUTHORIZED:
            return [PaymentReduced(**fields)]
        case Status.CAPTURING | Status.CAPTURED:
            return [RefundRequested(**fields)]
        case _:
            return []  # nothing is asked for yet, and less will be; or nothing is taken


def _reduce_parts(command: ReducePayment, payment: Payment) -> list[Event]:
    """What was not charged for yet is charged less; the money of goods that came back was, and is given back."""
    open_ = (Status.REQUESTED, Status.AWAITING, Status.AUTHORIZED, Status.CAPTURED)
    if command.refund_id in (*payment.known_refunds, *payment.known_parts) or payment.off:
        return []
    if payment.status not in open_ and not payment.taken and not payment.given_up:
        return []  # nothing was asked for yet, and less will be; or nothing is taken
    amount, chargeable = min(command.amount, payment.kept), payment.uncharged
    left = max(0, payment.charged - payment.given)
    paid = command.returned and not payment.given_up  # else what comes back may be what was never paid for
    back = min(amount, left) if paid else min(max(0, amount - chargeable), left)
    less = min(amount - back, chargeable)
    events: list[Event] = [PaymentReduced(**_less(command, less))] if less else []
    if back:
        events.append(RefundRequested(**_less(command, back)))
    if command.closes and _may_be_charged(payment):
        events.append(_closing(command, payment, chargeable - less))
    return events


def _closing(command: ReducePayment, payment: Payment, amount: int) -> Event:
    """Nobody is to name a card for nothing."""
    if payment.status is Status.AWAITING and not amount and not payment.parts:
        return PaymentGivenUp(order_id=command.order_id, reason=command.reason, unpaid=0)
    return _part(command.order_id, command.refund_id, amount, final=True)


def _less(command: ReducePayment, amount: int) -> dict[str, Any]:
    said = {"order_id": command.order_id, "refund_id": command.refund_id}
    return {**said, "amount": amount, "reason": command.reason}


def record_void(command: RecordVoid, payment: Payment) -> list[Event]:
    if command.stray:
        found = command.stray in payment.strays
        return [StrayVoided(order_id=command.order_id, reference=command.stray)] if found else []
    return [PaymentVoided(order_id=command.order_id)] if payment.status is Status.VOIDING else []


def record_refund(command: RecordRefund, payment: Payment) -> list[Event]:
    if command.refund_id not in payment.refunds:
        return []  # nobody was asked for it
    piece, amount = payment.piece(command.refund_id)
    if piece != command.piece or amount > payment.captured - payment.refunded:
        return []  # it is known already, or nobody was asked for it yet
    return [
        PaymentRefunded(
            order_id=command.order_id,
            refund_id=command.refund_id,
            reference=command.reference,
            amount=amount,
            currency=payment.currency,
            email=payment.email,
            customer_id=payment.customer_id,
            piece=piece,
        )
    ]


def give_back(order_id: str, payment: Payment) -> list[Event]:
    if not payment.refundable:
        return []
    refund_id = derive(order_id, "refund when cancelled")
    return [
        RefundRequested(order_id=order_id, refund_id=refund_id, amount=payment.refundable, reason="order cancelled")
    ]
