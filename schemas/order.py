"""Order commands are what may be asked of one order, by its customer or by the order's own reactions."""

import operator
from typing import Annotated, TypeAlias

from pydantic import ConfigDict, Field, StringConstraints

from schemas.values import (
    PERSONAL,
    Address,
    Attempts,
    Audience,
    Capture,
    CardToken,
    Cents,
    Command,
    Country,
    Currency,
    CustomerId,
    Id,
    Inspected,
    Item,
    Line,
    OrderId,
    Ours,
    PersonalEmail,
    PersonalText,
    Quantity,
    Sku,
    Uuid,
    Verdict,
    is_at_confirmation,
    is_one,
)

MAX_LINES = 500


class OrderLine(Line):
    """A line as asked for."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    sku: Sku
    quantity: Quantity
    unit_price: Cents
    tax_cents: Cents = Field(0, exclude_if=operator.not_)


class OrderItem(Item):
    """So many of one SKU, as asked for."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    sku: Sku
    quantity: Quantity


class ShippingAddress(Address):
    """An address as given."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    name: PersonalText
    street: PersonalText
    city: PersonalText
    postal_code: PersonalText
    country: Country


class _ToOrder(Command):
    order_id: OrderId

    @property
    def stream(self) -> str:
        return f"order-{self.order_id}"


class Asked(_ToOrder):
    """What somebody asks for; `by` says who, as far as it is known."""

    by: Annotated[Id, StringConstraints(max_length=200)] = Field("", exclude_if=operator.not_)


class PlaceOrder(_ToOrder, tag="order.place"):
    """Order these lines, paid with this token, sent to this address; tax and shipping are part of the total.

    A declined payment rejects the order once `payment_attempts` are used up; until then, another card may be named.
    """

    customer_id: CustomerId
    email: PersonalEmail
    currency: Currency = "EUR"
    shipping_address: ShippingAddress
    payment_token: CardToken = "tok_visa"  # noqa: S105  a test card, not a secret
    lines: Annotated[tuple[OrderLine, ...], Field(min_length=1, max_length=MAX_LINES)]
    shipping_cents: Cents = Field(0, exclude_if=operator.not_)
    payment_attempts: Attempts = Field(1, exclude_if=is_one)
    capture: Capture = Field("at_confirmation", exclude_if=is_at_confirmation)

    @property
    def person(self) -> str:
        return self.customer_id


class CancelOrder(Asked, tag="order.cancel"):
    """Call the order off; possible until it is shipped."""

    reason: PersonalText = "customer's wish"


class CancelLine(Asked, tag="order.cancel_line"):
    """Call off so many of one SKU, or all that have not left the house; the cancellation id makes it happen once."""

    cancellation_id: Uuid
    sku: Sku
    quantity: Quantity | None = None
    reason: PersonalText = "customer's wish"


class ShipOrder(Asked, tag="order.ship"):
    """Hand these items to the carrier, or all that are left; the shipment id makes it happen once."""

    tracking: Annotated[str, StringConstraints(max_length=200), PERSONAL] = ""
    shipment_id: Uuid | None = Field(None, exclude_if=operator.not_)
    lines: Annotated[tuple[OrderItem, ...], Field(max_length=MAX_LINES)] = Field((), exclude_if=operator.not_)


class DeliverOrder(Asked, tag="order.deliver"):
    """Record that a shipment has arrived, or all that are under way."""

    shipment_id: Uuid | None = Field(None, exclude_if=operator.not_)


class InspectedItem(Inspected):
    """So many of one SKU that came back, and what is to become of them, as told."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    sku: Sku
    quantity: Quantity
    verdict: Verdict


class RequestReturn(Asked, tag="order.request_return"):
    """Announce that these items, which were delivered, come back; the return id makes it happen once."""

    return_id: Uuid
    items: Annotated[tuple[OrderItem, ...], Field(min_length=1, max_length=MAX_LINES)]
    reason: PersonalText


class ReceiveReturn(Asked, tag="order.receive_return"):
    """Say what came back of a return and what is to become of it; what is not named did not come."""

    return_id: Uuid
    items: Annotated[tuple[InspectedItem, ...], Field(max_length=MAX_LINES)]
    note: Annotated[str, StringConstraints(max_length=200), PERSONAL] = ""


class ChangeAddress(Asked, tag="order.change_address"):
    """Send the order elsewhere; possible until something has been shipped."""

    shipping_address: ShippingAddress


class AmendOrder(Asked, tag="order.amend"):
    """Let each of these SKUs have this line, and the rest stay; possible until the stock of all lines is held.

    What is ordered already keeps its price. The amendment id makes it happen once.
    """

    amendment_id: Uuid
    lines: Annotated[tuple[OrderLine, ...], Field(min_length=1, max_length=MAX_LINES)]
    shipping_cents: Cents | None = None


class AddNote(Asked, tag="order.add_note"):
    """Write something down about the order, for everyone who sees it or for staff; the note id makes it happen once."""

    note_id: Uuid
    text: Annotated[str, StringConstraints(min_length=1, max_length=2000), PERSONAL]
    audience: Audience = "staff"


class RecordReservation(_ToOrder, tag="order.record_reservation"):
    """Stock of these SKUs is held for the order, as it was placed or as an amendment added to it."""

    skus: tuple[Id, ...]
    amendment_id: Id = Field("", exclude_if=operator.not_)


class RecordCommitment(_ToOrder, tag="order.record_commitment"):
    """Stock of these SKUs will not lapse any more."""

    skus: tuple[Id, ...]


class RecordLapse(_ToOrder, tag="order.record_lapse"):
    """The hold on these SKUs ran out before the order was confirmed in stock's eyes."""

    skus: tuple[Id, ...]


class CancelRest(_ToOrder, tag="order.cancel_rest"):
    """The money cannot be had: call off the order, or of one that is partly shipped what has not left the house."""

    reason: Ours


class ConfirmOrder(_ToOrder, tag="order.confirm"):
    """The money is authorized."""


class RejectOrder(_ToOrder, tag="order.reject"):
    """The order cannot be fulfilled, for a reason that stock or payment gave."""

    reason: Ours
    skus: tuple[Id, ...] = ()


OrderCommand: TypeAlias = (
    PlaceOrder
    | CancelOrder
    | CancelLine
    | ShipOrder
    | DeliverOrder
    | RequestReturn
    | ReceiveReturn
    | ChangeAddress
    | AmendOrder
    | AddNote
    | RecordReservation
    | RecordCommitment
    | RecordLapse
    | ConfirmOrder
    | CancelRest
    | RejectOrder
)
