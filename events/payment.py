"""Payment events are what has happened to the one payment of an order; amounts are minor units."""

from datetime import datetime
from typing import TypeAlias

from events.event import Event


class _OfPayment(Event):
    order_id: str

    @property
    def stream(self) -> str:
        return f"payment-{self.order_id}"


class PaymentRequested(_OfPayment, tag="payment.requested.v1"):
    amount: int
    currency: str
    token: str
    email: str
    due_at: datetime
    customer_id: str = ""


class PaymentAuthorized(_OfPayment, tag="payment.authorized.v1"):
    reference: str
    amount: int
    currency: str


class PaymentDeclined(_OfPayment, tag="payment.declined.v1"):
    reason: str


class PaymentLapsed(_OfPayment, tag="payment.lapsed.v1"):
    """The provider did not answer in time; its answer is still asked for, and then undone."""


class PaymentCancelled(_OfPayment, tag="payment.cancelled.v1"):
    """The order is off: no money is to be kept, whatever is under way."""


class PaymentReduced(_OfPayment, tag="payment.reduced.v1"):
    """So much less will be captured."""

    refund_id: str
    amount: int
    reason: str


class CaptureRequested(_OfPayment, tag="payment.capture_requested.v1"):
    pass


class PaymentCaptured(_OfPayment, tag="payment.captured.v1"):
    reference: str
    amount: int
    currency: str


class VoidRequested(_OfPayment, tag="payment.void_requested.v1"):
    pass


class PaymentVoided(_OfPayment, tag="payment.voided.v1"):
    pass


class RefundRequested(_OfPayment, tag="payment.refund_requested.v1"):
    refund_id: str
    amount: int
    reason: str


class PaymentRefunded(_OfPayment, tag="payment.refunded.v1"):
    refund_id: str
    reference: str
    amount: int
    currency: str
    email: str
    customer_id: str = ""


class PaymentRefused(_OfPayment, tag="payment.refused.v1"):
    """The provider will not do a step that it had promised; a person must look."""

    step: str
    reason: str


PaymentEvent: TypeAlias = (
    PaymentRequested
    | PaymentAuthorized
    | PaymentDeclined
    | PaymentLapsed
    | PaymentCancelled
    | PaymentReduced
    | CaptureRequested
    | PaymentCaptured
    | VoidRequested
    | PaymentVoided
    | RefundRequested
    | PaymentRefunded
    | PaymentRefused
)
