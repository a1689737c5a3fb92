"""Authorizing rules: money is asked for when it is due, of another card where one was declined, and held once."""

from datetime import datetime

from aggregates.errors import AttemptNotAwaited, PaymentUnknown
from aggregates.payment.evolving import evolve
from aggregates.payment.settling import card_awaited, give_back, spare
from aggregates.payment.state import Payment, Status
from events.event import Event
from events.payment import (
    AttemptDeclined,
    AuthorizationExpired,
    CaptureRequested,
    PaymentAttempted,
    PaymentAuthorized,
    PaymentDeclined,
    PaymentGivenUp,
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
from schemas.values import Forgone


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
            amount=payment.outstanding,
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
        void = VoidRequested(order_id=command.order_id)
        return [authorized, void, *give_back(command.order_id, payment)]
    return [authorized, CaptureRequested(order_id=command.order_id)] if payment.wanted else [authorized]


def record_decline(command: RecordDecline, payment: Payment, until: datetime) -> list[Event]:
    """Where another card may be named, it is awaited until the payment is due, or longer once goods are gone."""
    if payment.status is not Status.REQUESTED or command.attempt != payment.attempt:
        return []
    order_id, said = command.order_id, dict(command)
    if payment.off:
        return [PaymentDeclined(order_id=order_id, reason=command.reason), *give_back(order_id, payment)]
    if payment.renewed and payment.sent:
        return [AttemptDeclined(**said), *_awaited_or_given_up(order_id, payment, command.reason, until)]
    if payment.renewed:
        return [RenewalDeclined(**said)]
    left = payment.attempts - payment.attempt
    if left and payment.due_at:
        return [AttemptDeclined(**said), card_awaited(order_id, payment, payment.due_at, left)]
    return [PaymentDeclined(order_id=order_id, reason=command.reason)]


def lapse(command: LapsePayment, payment: Payment) -> list[Event]:
    if payment.status is Status.AWAITING and payment.renewed and not payment.off:
        return [_given_up(command.order_id, payment, "no other card was named in time")]
    if payment.status not in (Status.REQUESTED, Status.AWAITING) or payment.off or payment.renewed:
        return []
    return [PaymentLapsed(order_id=command.order_id)]


def record_expiry(command: RecordExpiry, payment: Payment, until: datetime) -> list[Event]:
    """Nothing is held any longer: the same card is asked anew, once, and after that the customer, if goods are gone."""
    if payment.status not in (Status.AUTHORIZED, Status.CAPTURING) or command.reference != payment.reference:
        return []
    if not command.step and (payment.parts or payment.status is Status.CAPTURING):
        return []  # it may have been taken in the last moment: the capture's own answer says so
    order_id, final = command.order_id, payment.off or (payment.renewed and not payment.sent)
    expired = AuthorizationExpired(order_id=order_id, reference=command.reference, final=final)
    after = evolve(payment, expired)
    if final:
        return [expired, *give_back(order_id, after)] if payment.off else [expired]
    if payment.renewed:
        return [expired, *_awaited_or_given_up(order_id, after, "the authorization expired", until)]
    return [expired, RenewalRequested(order_id=order_id, attempt=payment.attempt + 1, amount=after.outstanding)]


def _awaited_or_given_up(order_id: str, payment: Payment, reason: str, until: datetime) -> list[Event]:
    left = spare(payment)
    return [card_awaited(order_id, payment, until, left) if left else _given_up(order_id, payment, reason)]


def _given_up(order_id: str, payment: Payment, reason: str) -> Event:
    """What waits to be given back of what will not be taken is not given, the latest first."""
    unpaid = left = sum(part.amount for part in payment.parts.values())
    forgone: list[Forgone] = []
    for refund_id in reversed(payment.waiting):
        if less := min(left, payment.refunds.get(refund_id, 0)):
            forgone.append(Forgone(refund_id=refund_id, amount=less))
            left -= less
    return PaymentGivenUp(order_id=order_id, reason=reason, unpaid=unpaid, forgone=tuple(forgone))


def _was_declined(attempt: int, payment: Payment) -> bool:
    return attempt < payment.attempt or (
        attempt == payment.attempt and (payment.given_up or payment.status in (Status.AWAITING, Status.DECLINED))
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
