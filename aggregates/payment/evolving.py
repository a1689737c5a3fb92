"""Evolving is how each event changes what the rules know of a payment."""

from typing import assert_never

from msgspec.structs import replace

from aggregates.payment.state import Part, Payment, Pot, Status
from events.payment import (
    AttemptDeclined,
    AuthorizationExpired,
    CaptureAwaited,
    CaptureRequested,
    CardAwaited,
    PaymentAttempted,
    PaymentAuthorized,
    PaymentCancelled,
    PaymentCaptured,
    PaymentDeclined,
    PaymentEvent,
    PaymentGivenUp,
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
            return replace(
                payment,
                status=Status.AUTHORIZED,
                reference=reference,
                held=(*payment.held, reference),
                expires_at=event.expires_at,
                card_asked=False,
            )
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
            return _without_parts(payment, Status.DECLINED)
        case AttemptDeclined():
            return replace(payment, status=Status.AWAITING)
        case CardAwaited():
            attempts = payment.attempt + event.attempts_left
            return replace(payment, status=Status.AWAITING, due_at=event.due_at, attempts=attempts, card_asked=True)
        case PaymentGivenUp():
            return _given_up(payment, event)
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
            return _without_parts(payment, Status.VOIDING)
        case PaymentVoided():
            return replace(payment, status=Status.VOIDED)
        case RefundRequested():
            refunds = {**payment.refunds, event.refund_id: event.amount}
            waiting = (*payment.waiting, event.refund_id) if payment.parts else payment.waiting
            known = (*payment.known_refunds, event.refund_id)
            return replace(payment, refunds=refunds, known_refunds=known, waiting=waiting)
        case PaymentRefunded():
            return _given(payment, event.refund_id, event.amount)
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
    first = payment.captured_as or event.reference
    waiting = payment.waiting if parts else ()
    return replace(payment, status=status, taken=taken, captured_as=first, parts=parts, waiting=waiting)


def _expired(payment: Payment, final: bool) -> Payment:
    """Nothing is held, so what was to be given back of it, once captured, is simply not asked for again."""
    if payment.per_shipment:
        parts = {} if final else payment.parts
        refunds = {} if final and not payment.taken else payment.refunds
        earlier = (*payment.earlier, *_pot_of(payment))
        gone = replace(payment, status=Status.EXPIRED, expires_at=None, parts=parts, refunds=refunds)
        return replace(gone, earlier=earlier, captured_as="")
    capturing = payment.status is Status.CAPTURING
    reduced = payment.reduced + sum(payment.refunds.values())
    return replace(
        payment, status=Status.EXPIRED, reduced=reduced, refunds={}, expires_at=None, wanted=payment.wanted or capturing
    )


def _refused(payment: Payment, step: str) -> Payment:
    match step.split(":"):
        case ["refund", refund_id, *_]:
            return _without(payment, refund_id)
        case ["void", stray]:
            return _without_stray(payment, stray)
        case _:
            return _without_parts(payment, Status.REFUSED)


def _without_parts(payment: Payment, status: Status) -> Payment:
    """No more is to be taken; where nothing was, nothing is to be given back."""
    refunds = payment.refunds if payment.taken else {}
    return replace(payment, status=status, refunds=refunds, parts={}, waiting=())


def _pot_of(payment: Payment) -> tuple[Pot, ...]:
    """What is left of what was taken of the authorization that has expired."""
    left = payment.taken - payment.refunded - sum(pot.left for pot in payment.earlier)
    return (Pot(payment.captured_as, left),) if left else ()


def _given_up(payment: Payment, event: PaymentGivenUp) -> Payment:
    forgone = {less.refund_id: less.amount for less in event.forgone}
    left = {key: amount - forgone.get(key, 0) for key, amount in payment.refunds.items()}
    refunds = {key: amount for key, amount in left.items() if amount}
    reduced = payment.reduced + sum(forgone.values())
    status = Status.DECLINED if event.unpaid else Status.CAPTURED
    over = replace(payment, status=status, parts={}, waiting=(), closed=True, given_up=True)
    return replace(over, refunds=refunds, reduced=reduced)


def _without_stray(payment: Payment, stray: str) -> Payment:
    return replace(payment, strays=tuple(each for each in payment.strays if each != stray))


def _without(payment: Payment, refund_id: str) -> Payment:
    refunds = {key: amount for key, amount in payment.refunds.items() if key != refund_id}
    pieces = {key: given for key, given in payment.pieces.items() if key != refund_id}
    return replace(payment, refunds=refunds, pieces=pieces)


def _given(payment: Payment, refund_id: str, amount: int) -> Payment:
    """The payment with a refund given, or a piece of it, of the earliest authorization that has something left."""
    left = payment.refunds.get(refund_id, 0) - amount
    pot = payment.pot
    after = tuple(replace(each, left=each.left - amount) if each is pot else each for each in payment.earlier)
    given = replace(payment, refunded=payment.refunded + amount, earlier=after)
    if left <= 0:
        return _without(given, refund_id)
    pieces = {**given.pieces, refund_id: given.pieces.get(refund_id, 0) + 1}
    return replace(given, refunds={**given.refunds, refund_id: left}, pieces=pieces)
