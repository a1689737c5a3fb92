"""Authorizing rules: money is asked for when it is due, of another card where one was declined, and held once."""

from datetime import datetime

from aggregates.errors import AttemptNotAwaited, PaymentUnknown
from aggregates.payment.settling import give_back
from aggregates.payment.state import Payment, Status, evolve
from events.event import Event
from events.payment import (
    AttemptDeclined,
    AuthorizationExpired,
    CaptureRequested,
    PaymentAttempted,
    PaymentAuthorized,
    PaymentDeclined,
    PaymentLapsed,
    PaymentRequested,
    RenewalDeclined,
    RenewalRequested,
    StrayAuthorized,
    VoidRequested,
)
from schemas.payment import (
    AttemptPayment,
    LapsePayment,
    RecordAuthorization,
    RecordDecline,
    RecordExpiry,
    RequestPayment,
)


def request(command: RequestPayment, payment: Payment, due_at: datetime) -> list[Event]:
    if payment.status is not Status.UNKNOWN or payment.off:
        return []
    return [PaymentRequested(**dict(command), due_at=due_at)]


def attempt(command: AttemptPayment, payment: Payment) -> list[Event]:
    if command.attempt_id in payment.tried:
        return []
    if payment.status is not Status.AWAITING:
        raise _not_awaited(payment)
    return [
        PaymentAttempted(
            order_id=command.order_id,
            attempt_id=command.attempt_id,
            attempt=payment.attempt + 1,
            token=command.payment_token,
            amount=payment.due,
        )
    ]


def record_authorization(command: RecordAuthorization, payment: Payment) -> list[Event]:
    if _was_declined(command.attempt, payment):
        return _stray(command, payment)
    if payment.status is not Status.REQUESTED or command.attempt != payment.attempt:
        return []
    authorized = PaymentAuthorized(
        order_id=command.order_id,
        reference=command.reference,
        amount=payment.asking,
        currency=payment.currency,
        expires_at=command.expires_at,
    )
    if payment.off:
        return [authorized, VoidRequested(order_id=command.order_id)]
    return [authorized, CaptureRequested(order_id=command.order_id)] if payment.wanted else [authorized]


def record_decline(command: RecordDecline, payment: Payment) -> list[Event]:
    if payment.status is not Status.REQUESTED or command.attempt != payment.attempt:
        return []
    if payment.renewed and not payment.off:
        return [RenewalDeclined(order_id=command.order_id, attempt=command.attempt, reason=command.reason)]
    if payment.attempt < payment.attempts and not payment.off:
        return [AttemptDeclined(order_id=command.order_id, attempt=command.attempt, reason=command.reason)]
    return [PaymentDeclined(order_id=command.order_id, reason=command.reason)]


def lapse(command: LapsePayment, payment: Payment) -> list[Event]:
    if payment.status not in (Status.REQUESTED, Status.AWAITING) or payment.off or payment.renewed:
        return []
    return [PaymentLapsed(order_id=command.order_id)]


def record_expiry(command: RecordExpiry, payment: Payment) -> list[Event]:
    """Nothing is held any longer: it is asked for anew, once, unless the order is off meanwhile, or a part is taken."""
    if payment.status not in (Status.AUTHORIZED, Status.CAPTURING) or command.reference != payment.reference:
        return []
    final = payment.renewed or payment.off or payment.taken > 0
    expired = AuthorizationExpired(order_id=command.order_id, reference=command.reference, final=final)
    after = evolve(payment, expired)
    if final:
        return [expired, *give_back(command.order_id, after)] if payment.off else [expired]
    amount = after.due
    return [expired, RenewalRequested(order_id=command.order_id, attempt=payment.attempt + 1, amount=amount)]


def _was_declined(attempt: int, payment: Payment) -> bool:
    return attempt < payment.attempt or (
        attempt == payment.attempt and payment.status in (Status.AWAITING, Status.DECLINED)
    )


def _stray(command: RecordAuthorization, payment: Payment) -> list[Event]:
    """A second authorization must not be kept, nor one for an order that is off."""
    if command.reference in payment.held:
        return []
    return [StrayAuthorized(order_id=command.order_id, attempt=command.attempt, reference=command.reference)]


def _not_awaited(payment: Payment) -> Exception:
    match payment.status:
        case Status.UNKNOWN:
            return PaymentUnknown()
        case Status.REQUESTED if not payment.off:
            return AttemptNotAwaited("The provider is still being asked: wait for its answer.")
        case Status.AUTHORIZED | Status.CAPTURING | Status.CAPTURED if not payment.off:
            return AttemptNotAwaited("The payment is made; it needs no other card.")
        case _:
            return AttemptNotAwaited(
                "The payment is over: declined for good, overdue, or its order is off. Order anew."
            )
