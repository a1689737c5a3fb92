"""Payment builders: 850 cents of order A, under the provider's references auth-1 and capture-1."""

from datetime import datetime

from events.ids import derive
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
from schemas.payment import AttemptPayment, RequestPayment
from schemas.values import Capture, Forgone
from tests.builders.order import CUSTOMER, TOTAL
from tests.builders.values import CARD_WITHIN, EMAIL, EUR, NOON, OVERDUE, A

R1 = "1a000000-0000-4000-8000-00000000000a"
R2 = "2a000000-0000-4000-8000-00000000000a"
R3 = "3a000000-0000-4000-8000-00000000000a"
WHOLE = derive(A, "refund when cancelled")
"""The id of the refund that a cancellation asks for."""


T1 = "1b000000-0000-4000-8000-00000000000a"
T2 = "2b000000-0000-4000-8000-00000000000a"


S1 = "1c000000-0000-4000-8000-00000000000a"
S2 = "2c000000-0000-4000-8000-00000000000a"


def request(amount: int = TOTAL, attempts: int = 1, capture: Capture = "at_confirmation") -> RequestPayment:
    return RequestPayment(
        order_id=A, amount=amount, currency=EUR, token="tok_visa", email=EMAIL, customer_id=CUSTOMER, attempts=attempts,
        capture=capture,
    )  # fmt: skip


def requested(amount: int = TOTAL, attempts: int = 1, capture: Capture = "at_confirmation") -> PaymentRequested:
    return PaymentRequested(**dict(request(amount, attempts, capture)), due_at=NOON + OVERDUE)


def attempt(attempt_id: str = T1, token: str = "tok_other") -> AttemptPayment:
    return AttemptPayment(order_id=A, attempt_id=attempt_id, payment_token=token)


def attempt_declined(number: int = 1, reason: str = "card_declined") -> AttemptDeclined:
    return AttemptDeclined(order_id=A, attempt=number, reason=reason)


def card_awaited(number: int = 1, left: int = 2, amount: int = TOTAL, due_at: datetime = NOON + OVERDUE) -> CardAwaited:
    return CardAwaited(
        order_id=A, attempt=number, amount=amount, currency=EUR, due_at=due_at, attempts_left=left, email=EMAIL,
        customer_id=CUSTOMER,
    )  # fmt: skip


def card_awaited_for_the_rest(amount: int, number: int = 2, left: int = 1) -> CardAwaited:
    """Another card for what is left of an order of which a part has gone."""
    return card_awaited(number, left, amount, NOON + CARD_WITHIN)


def given_up(reason: str = "card_declined", unpaid: int = 0, **forgone: int) -> PaymentGivenUp:
    less = tuple(Forgone(refund_id=refund_id, amount=amount) for refund_id, amount in forgone.items())
    return PaymentGivenUp(order_id=A, reason=reason, unpaid=unpaid, forgone=less)


def attempted(attempt_id: str = T1, number: int = 2, amount: int = TOTAL) -> PaymentAttempted:
    return PaymentAttempted(order_id=A, attempt_id=attempt_id, attempt=number, token="tok_other", amount=amount)


def stray_authorized(number: int = 1, reference: str = "auth-stray") -> StrayAuthorized:
    return StrayAuthorized(order_id=A, attempt=number, reference=reference)


def stray_voided(reference: str = "auth-stray") -> StrayVoided:
    return StrayVoided(order_id=A, reference=reference)


def authorized(amount: int = TOTAL, reference: str = "auth-1", expires_at: datetime | None = None) -> PaymentAuthorized:
    return PaymentAuthorized(order_id=A, reference=reference, amount=amount, currency=EUR, expires_at=expires_at)


def expired(reference: str = "auth-1", final: bool = False) -> AuthorizationExpired:
    return AuthorizationExpired(order_id=A, reference=reference, final=final)


def renewal(number: int = 2, amount: int = TOTAL) -> RenewalRequested:
    return RenewalRequested(order_id=A, attempt=number, amount=amount)


def renewal_declined(number: int = 2, reason: str = "card_declined") -> RenewalDeclined:
    return RenewalDeclined(order_id=A, attempt=number, reason=reason)


def capture_awaited() -> CaptureAwaited:
    return CaptureAwaited(order_id=A)


def declined(reason: str = "card_declined") -> PaymentDeclined:
    return PaymentDeclined(order_id=A, reason=reason)


def lapsed() -> PaymentLapsed:
    return PaymentLapsed(order_id=A)


def cancelled() -> PaymentCancelled:
    return PaymentCancelled(order_id=A)


def reduced(refund_id: str = R1, amount: int = 150) -> PaymentReduced:
    return PaymentReduced(order_id=A, refund_id=refund_id, amount=amount, reason="line cancelled")


def capture_requested() -> CaptureRequested:
    return CaptureRequested(order_id=A)


def captured(amount: int = TOTAL) -> PaymentCaptured:
    return PaymentCaptured(order_id=A, reference="capture-1", amount=amount, currency=EUR)


def part_requested(shipment_id: str = S1, amount: int = 300, final: bool = False) -> ShipmentCaptureRequested:
    return ShipmentCaptureRequested(order_id=A, shipment_id=shipment_id, amount=amount, final=final)


def part_captured(shipment_id: str = S1, amount: int = 300) -> PaymentCaptured:
    return PaymentCaptured(
        order_id=A, reference=f"capture-{shipment_id[0]}", amount=amount, currency=EUR, shipment_id=shipment_id
    )


def void_requested() -> VoidRequested:
    return VoidRequested(order_id=A)


def voided() -> PaymentVoided:
    return PaymentVoided(order_id=A)


def refund_requested(refund_id: str = R1, amount: int = TOTAL, reason: str = "goodwill") -> RefundRequested:
    return RefundRequested(order_id=A, refund_id=refund_id, amount=amount, reason=reason)


def refunded(refund_id: str = R1, amount: int = TOTAL, piece: int = 1) -> PaymentRefunded:
    return PaymentRefunded(
        order_id=A,
        refund_id=refund_id,
        reference="refund-1",
        amount=amount,
        currency=EUR,
        email=EMAIL,
        customer_id=CUSTOMER,
        piece=piece,
    )


def refused(step: str, reason: str = "expired") -> PaymentRefused:
    return PaymentRefused(order_id=A, step=step, reason=reason)
