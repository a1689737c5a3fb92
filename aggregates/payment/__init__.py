"""Payment rules: the money of one order is authorized, captured, voided and refunded, each at most once.

A request to the provider is recorded before it is made, and its answer after. Where less is owed, less is captured or,
once the capture is asked for, the difference is refunded. Once the order is off, no money is to be kept: what is
authorized is voided, what is captured is refunded, and what is unknown is first found out. What the provider holds no
longer is asked for once more, and then another card is. The theme names the file: authorizing, settling.
"""

from datetime import datetime, timedelta

from aggregates.decider import Decider, StateOf, Todo
from aggregates.payment.authorizing import (
    attempt,
    lapse,
    record_authorization,
    record_decline,
    record_expiry,
    request,
)
from aggregates.payment.evolving import evolve
from aggregates.payment.settling import (
    cancel,
    capture,
    capture_shipment,
    record_capture,
    record_refund,
    record_void,
    reduce,
    refund,
)
from aggregates.payment.state import Payment, Status
from events.event import Event
from events.payment import PaymentRefused
from schemas.payment import (
    AttemptPayment,
    CancelPayment,
    CapturePayment,
    CaptureShipment,
    LapsePayment,
    PaymentCommand,
    RecordAuthorization,
    RecordCapture,
    RecordDecline,
    RecordExpiry,
    RecordRefund,
    RecordRefusal,
    RecordVoid,
    ReducePayment,
    RefundPayment,
    RequestPayment,
)

__all__ = ("Payment", "Status", "decider", "evolve", "todos")


def record_refusal(command: RecordRefusal, payment: Payment) -> list[Event]:
    if command.step not in {todo.key for todo in todos(payment)}:
        return []
    return [PaymentRefused(order_id=command.order_id, step=command.step, reason=command.reason)]


def todos(payment: Payment) -> list[Todo]:
    """What is to be asked of the provider; the key is the step's name, with the id of a refund or of a stray."""
    strays = [Todo("void_stray", key=f"void:{stray}") for stray in payment.strays]
    return [*_own(payment), *strays] if strays else _own(payment)


def _own(payment: Payment) -> list[Todo]:
    match payment.status:
        case Status.REQUESTED:
            step = "authorize" if payment.attempt == 1 else f"authorize:{payment.attempt}"
            overdue = [] if payment.off or payment.renewed else [Todo("lapse", payment.due_at, "lapse")]
            return [Todo("authorize", key=step), *overdue]
        case Status.AWAITING:
            # Each card that is asked for after goods have gone has a time of its own.
            key = f"lapse:{payment.attempt}" if payment.renewed else "lapse"
            return [Todo("lapse", payment.due_at, key), *([] if payment.parts else _refunds(payment))]
        case Status.AUTHORIZED if payment.parts:
            first = f"capture:{next(iter(payment.parts))}"
            return [Todo("capture_shipment", key=f"{first}:{payment.attempt}" if payment.renewed else first)]
        case Status.AUTHORIZED if payment.expires_at is not None:
            return [Todo("expire", payment.expires_at, "expire"), *_refunds(payment)]
        case Status.CAPTURING:
            return [Todo("capture", key=f"capture:{payment.attempt}" if payment.renewed else "capture")]
        case Status.VOIDING:
            return [Todo("void", key="void")]
        case _:
            return _refunds(payment)


def _refunds(payment: Payment) -> list[Todo]:
    """One after the other, where it takes what is left of one authorization to tell how much is of the next."""
    asked = list(payment.refunds)[:1] if payment.earlier else list(payment.refunds)
    return [Todo("refund", key=_step(payment, refund_id)) for refund_id in asked]


def _step(payment: Payment, refund_id: str) -> str:
    number, _ = payment.piece(refund_id)
    return f"refund:{refund_id}" if number == 1 else f"refund:{refund_id}:{number}"


RULES = {
    AttemptPayment: attempt,
    RecordAuthorization: record_authorization,
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
TIMED = {RecordDecline: record_decline, RecordExpiry: record_expiry, CaptureShipment: capture_shipment}
CARD_WITHIN = timedelta(days=3)


def decider(overdue: timedelta, card_within: timedelta = CARD_WITHIN) -> Decider:
    """The payment context's rules; the provider has `overdue` to authorize.

    A customer whose goods have gone in part has `card_within` to name another card for the rest.
    """

    def decide(command: PaymentCommand, state_of: StateOf, at: datetime) -> list[Event]:
        payment = state_of(command.stream)
        if isinstance(command, RequestPayment):
            return request(command, payment, at + overdue)
        if timed := TIMED.get(type(command)):
            return timed(command, payment, at + card_within)  # type: ignore[operator,no-any-return]
        return RULES[type(command)](command, payment)  # type: ignore[operator,no-any-return]

    return Decider(
        context="payment",
        initial={"payment": Payment()},
        evolve=evolve,  # type: ignore[arg-type]
        decide=decide,
        todos=todos,
    )
