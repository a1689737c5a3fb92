"""Payment events are what has happened to the one payment of an order; amounts are minor units."""

import operator
from datetime import datetime
from typing import TypeAlias

from pydantic import Field

from events.event import Event
from schemas.values import Capture, Forgone, is_at_confirmation, is_none, is_one


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
    attempts: int = Field(1, exclude_if=is_one)
    capture: Capture = Field("at_confirmation", exclude_if=is_at_confirmation)


class PaymentAuthorized(_OfPayment, tag="payment.authorized.v1"):
    """The money is held, until `expires_at` where the provider said so."""

    reference: str
    amount: int
    currency: str
    expires_at: datetime | None = Field(None, exclude_if=is_none)


class AuthorizationExpired(_OfPayment, tag="payment.authorization_expired.v1"):
    """The money is held no longer; `final` if it is not asked for anew."""

    reference: str
    final: bool


class RenewalRequested(_OfPayment, tag="payment.renewal_requested.v1"):
    """The same card is asked once more for what is owed by now."""

    attempt: int
    amount: int


class RenewalDeclined(_OfPayment, tag="payment.renewal_declined.v1"):
    """The card that had authorized will not do so again."""

    attempt: int
    reason: str


class CaptureAwaited(_OfPayment, tag="payment.capture_awaited.v1"):
    """The money is wanted while it is asked for anew: it is captured once it is held."""


class PaymentDeclined(_OfPayment, tag="payment.declined.v1"):
    reason: str


class AttemptDeclined(_OfPayment, tag="payment.attempt_declined.v1"):
    """The provider will not authorize this time; until the payment is due, another card may be named."""

    attempt: int
    reason: str


class CardAwaited(_OfPayment, tag="payment.card_awaited.v1"):
    """After this attempt another card may be named, in time, for what is still to be held; so many may follow."""

    attempt: int
    amount: int
    currency: str
    due_at: datetime
    attempts_left: int
    email: str
    customer_id: str = ""


class PaymentGivenUp(_OfPayment, tag="payment.given_up.v1"):
    """No card is asked for what is left of an order of which a part has left the house: what was taken stays.

    So much of what was asked for shipments is `unpaid`; so much less of the refunds in `forgone` is given, as what
    they are of was never taken.
    """

    reason: str
    unpaid: int
    forgone: tuple[Forgone, ...] = Field((), exclude_if=operator.not_)


class PaymentAttempted(_OfPayment, tag="payment.attempted.v1"):
    """Another card was named: it is asked for what is owed by now."""

    attempt_id: str
    attempt: int
    token: str
    amount: int


class StrayAuthorized(_OfPayment, tag="payment.stray_authorized.v1"):
    """Money is held after all for an attempt that had been declined: it is let go, whatever became of the payment."""

    attempt: int
    reference: str


class StrayVoided(_OfPayment, tag="payment.stray_voided.v1"):
    reference: str


class PaymentLapsed(_OfPayment, tag="payment.lapsed.v1"):
    """It was not authorized in time; an answer that is under way is still asked for, and then undone."""


class PaymentCancelled(_OfPayment, tag="payment.cancelled.v1"):
    """The order is off: no money is to be kept, whatever is under way."""


class PaymentReduced(_OfPayment, tag="payment.reduced.v1"):
    """So much less will be captured."""

    refund_id: str
    amount: int
    reason: str


class CaptureRequested(_OfPayment, tag="payment.capture_requested.v1"):
    pass


class ShipmentCaptureRequested(_OfPayment, tag="payment.shipment_capture_requested.v1"):
    """So much is to be taken for a shipment; after the `final` one, what is left is let go."""

    shipment_id: str
    amount: int
    final: bool


class PaymentCaptured(_OfPayment, tag="payment.captured.v1"):
    """The money is ours, or that of one shipment."""

    reference: str
    amount: int
    currency: str
    shipment_id: str = Field("", exclude_if=operator.not_)


class VoidRequested(_OfPayment, tag="payment.void_requested.v1"):
    pass


class PaymentVoided(_OfPayment, tag="payment.voided.v1"):
    pass


class RefundRequested(_OfPayment, tag="payment.refund_requested.v1"):
    refund_id: str
    amount: int
    reason: str


class PaymentRefunded(_OfPayment, tag="payment.refunded.v1"):
    """A refund is given, or a `piece` of it: one is of one authorization, and more may have been captured."""

    refund_id: str
    reference: str
    amount: int
    currency: str
    email: str
    customer_id: str = ""
    piece: int = Field(1, exclude_if=is_one)


class PaymentRefused(_OfPayment, tag="payment.refused.v1"):
    """The provider will not do a step that it had promised; a person must look."""

    step: str
    reason: str


PaymentEvent: TypeAlias = (
    PaymentRequested
    | PaymentAuthorized
    | PaymentDeclined
    | AttemptDeclined
    | CardAwaited
    | PaymentGivenUp
    | PaymentAttempted
    | StrayAuthorized
    | StrayVoided
    | AuthorizationExpired
    | RenewalRequested
    | RenewalDeclined
    | CaptureAwaited
    | PaymentLapsed
    | PaymentCancelled
    | PaymentReduced
    | CaptureRequested
    | ShipmentCaptureRequested
    | PaymentCaptured
    | VoidRequested
    | PaymentVoided
    | RefundRequested
    | PaymentRefunded
    | PaymentRefused
)
