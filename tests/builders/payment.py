"""Payment builders: 850 cents of order A, under the provider's references auth-1 and capture-1."""

from events.ids import derive
from events.payment import (
    CaptureRequested,
    PaymentAuthorized,
    PaymentCancelled,
    PaymentCaptured,
    PaymentDeclined,
    PaymentLapsed,
    PaymentReduced,
    PaymentRefunded,
    PaymentRefused,
    PaymentRequested,
    PaymentVoided,
    RefundRequested,
    VoidRequested,
)
from schemas.payment import RequestPayment
from tests.builders.order import CUSTOMER, TOTAL
from tests.builders.values import EMAIL, EUR, NOON, OVERDUE, A

R1 = "1a000000-0000-4000-8000-00000000000a"
R2 = "2a000000-0000-4000-8000-00000000000a"
R3 = "3a000000-0000-4000-8000-00000000000a"
WHOLE = derive(A, "refund when cancelled")
"""The id of the refund that a cancellation asks for."""


def request(amount: int = TOTAL) -> RequestPayment:
    return RequestPayment(order_id=A, amount=amount, currency=EUR, token="tok_visa", email=EMAIL, customer_id=CUSTOMER)


def requested(amount: int = TOTAL) -> PaymentRequested:
    return PaymentRequested(**dict(request(amount)), due_at=NOON + OVERDUE)


def authorized(amount: int = TOTAL) -> PaymentAuthorized:
    return PaymentAuthorized(order_id=A, reference="auth-1", amount=amount, currency=EUR)


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


def void_requested() -> VoidRequested:
    return VoidRequested(order_id=A)


def voided() -> PaymentVoided:
    return PaymentVoided(order_id=A)


def refund_requested(refund_id: str = R1, amount: int = TOTAL, reason: str = "goodwill") -> RefundRequested:
    return RefundRequested(order_id=A, refund_id=refund_id, amount=amount, reason=reason)


def refunded(refund_id: str = R1, amount: int = TOTAL) -> PaymentRefunded:
    return PaymentRefunded(
        order_id=A,
        refund_id=refund_id,
        reference="refund-1",
        amount=amount,
        currency=EUR,
        email=EMAIL,
        customer_id=CUSTOMER,
    )


def refused(step: str, reason: str = "expired") -> PaymentRefused:
    return PaymentRefused(order_id=A, step=step, reason=reason)
