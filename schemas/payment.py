"""Payment commands are what may be asked of the one payment of an order."""

import operator
from datetime import datetime
from typing import Annotated, TypeAlias

from pydantic import Field

from schemas.values import (
    OUR_WORDS,
    SEALED_BEFORE,
    Amount,
    Attempts,
    Capture,
    CardToken,
    Command,
    Currency,
    Id,
    OrderId,
    Ours,
    PersonalText,
    Text,
    Uuid,
    is_at_confirmation,
    is_none,
    is_one,
)


class _ToPayment(Command):
    order_id: OrderId

    @property
    def stream(self) -> str:
        return f"payment-{self.order_id}"


class RequestPayment(_ToPayment, tag="payment.request"):
    """Ask the provider for this amount, in minor units, and up to so often."""

    amount: Amount
    currency: Currency
    token: Id
    email: Annotated[str, SEALED_BEFORE]
    customer_id: Id = ""
    attempts: Attempts = Field(1, exclude_if=is_one)
    capture: Capture = Field("at_confirmation", exclude_if=is_at_confirmation)


class AttemptPayment(_ToPayment, tag="payment.attempt"):
    """Ask another card for what is owed, as the last one was declined; the attempt id makes it happen once."""

    attempt_id: Uuid
    payment_token: CardToken


class CapturePayment(_ToPayment, tag="payment.capture"):
    """Take the authorized money."""


class CaptureShipment(_ToPayment, tag="payment.capture_shipment"):
    """Take so much of the authorized money, or all that is still owed for the `last`; once for each shipment."""

    shipment_id: Uuid
    amount: Amount
    last: bool


class CancelPayment(_ToPayment, tag="payment.cancel"):
    """The order is off: void or refund, whichever the money's state asks for."""


class RefundPayment(_ToPayment, tag="payment.refund"):
    """Give back an amount, or all that is left; the refund id makes it happen once."""

    refund_id: Uuid
    amount: Annotated[int, Field(ge=1, le=10**18)] | None = None
    reason: PersonalText = "goodwill"


class ReducePayment(_ToPayment, tag="payment.reduce"):
    """Less is owed: capture so much less, or give it back where that is too late; once for each refund id.

    Where money is taken per shipment, that of `returned` goods has been taken, and nothing more follows what `closes`.
    """

    refund_id: Uuid
    amount: Amount
    reason: Annotated[Text, OUR_WORDS]
    returned: bool = Field(False, exclude_if=operator.not_)
    closes: bool = Field(False, exclude_if=operator.not_)


class RecordAuthorization(_ToPayment, tag="payment.record_authorization"):
    """The provider holds the money for us, upon this attempt, and perhaps not for ever."""

    reference: Id
    attempt: int = Field(1, exclude_if=is_one)
    expires_at: datetime | None = Field(None, exclude_if=is_none)


class RecordDecline(_ToPayment, tag="payment.record_decline"):
    """The provider will not authorize, upon this attempt."""

    reason: Ours
    attempt: int = Field(1, exclude_if=is_one)


class RecordExpiry(_ToPayment, tag="payment.record_expiry"):
    """The provider does not hold the money any longer, as it was not captured in time; a capture's `step` found out."""

    reference: Id
    step: Ours = Field("", exclude_if=operator.not_)


class RecordCapture(_ToPayment, tag="payment.record_capture"):
    """The provider has taken the money, or that of one shipment."""

    reference: Id
    shipment_id: Id = Field("", exclude_if=operator.not_)


class RecordVoid(_ToPayment, tag="payment.record_void"):
    """The provider has let the authorization go; `stray` names one that is not the payment's own."""

    stray: Id = Field("", exclude_if=operator.not_)


class RecordRefund(_ToPayment, tag="payment.record_refund"):
    """The provider has given money back, or that piece of it."""

    refund_id: Uuid
    reference: Id
    piece: int = Field(1, exclude_if=is_one)


class RecordRefusal(_ToPayment, tag="payment.record_refusal"):
    """The provider will not capture, void or refund, for good; a person must look."""

    step: Ours
    reason: Ours


class LapsePayment(_ToPayment, tag="payment.lapse"):
    """It was not authorized in time."""


PaymentCommand: TypeAlias = (
    RequestPayment
    | AttemptPayment
    | CapturePayment
    | CaptureShipment
    | CancelPayment
    | RefundPayment
    | ReducePayment
    | RecordAuthorization
    | RecordDecline
    | RecordExpiry
    | RecordCapture
    | RecordVoid
    | RecordRefund
    | RecordRefusal
    | LapsePayment
)
