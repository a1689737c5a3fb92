"""Order events are what has happened to one order."""

import operator
from typing import TypeAlias

from pydantic import Field

from events.event import Event
from schemas.values import Address, Audience, Capture, Item, Line, Returned, is_at_confirmation, is_none, is_one


class _OfOrder(Event):
    order_id: str

    @property
    def stream(self) -> str:
        return f"order-{self.order_id}"


class _Asked(_OfOrder):
    """What somebody asked for; `by` says who, as far as it is known."""

    by: str = Field("", exclude_if=operator.not_)


class OrderPlaced(_OfOrder, tag="order.placed.v1"):
    customer_id: str
    email: str
    currency: str
    shipping_address: Address
    payment_token: str
    lines: tuple[Line, ...]
    total: int
    shipping_cents: int = Field(0, exclude_if=operator.not_)
    payment_attempts: int = Field(1, exclude_if=is_one)
    capture: Capture = Field("at_confirmation", exclude_if=is_at_confirmation)


class OrderLinesReserved(_OfOrder, tag="order.lines_reserved.v1"):
    """Stock of some lines is held; others are still awaited. Of an amendment, if it names one."""

    skus: tuple[str, ...]
    amendment_id: str = Field("", exclude_if=operator.not_)


class OrderStockSecured(_OfOrder, tag="order.stock_secured.v1"):
    """Stock of every line is held: the money may be asked for."""

    email: str
    amount: int
    currency: str
    payment_token: str
    customer_id: str = ""
    payment_attempts: int = Field(1, exclude_if=is_one)
    capture: Capture = Field("at_confirmation", exclude_if=is_at_confirmation)


class OrderConfirmed(_OfOrder, tag="order.confirmed.v1"):
    email: str
    skus: tuple[str, ...]
    amount: int
    currency: str
    customer_id: str = ""


class OrderLinesCommitted(_OfOrder, tag="order.lines_committed.v1"):
    """Stock of some lines will not lapse any more; with all of them the order may be shipped."""

    skus: tuple[str, ...]


class OrderRejected(_OfOrder, tag="order.rejected.v1"):
    email: str
    reason: str
    skus: tuple[str, ...]
    refused: tuple[str, ...]
    customer_id: str = ""


class OrderCancelled(_Asked, tag="order.cancelled.v1"):
    email: str
    reason: str
    skus: tuple[str, ...]
    customer_id: str = ""


class OrderLineCancelled(_Asked, tag="order.line_cancelled.v1"):
    """So many of one SKU are off, `left` are still ordered; the order comes to `amount` less, `tax_cents` of it tax.

    Where money is taken per shipment, it `closes` the order if nothing else is left to be shipped.
    """

    email: str
    cancellation_id: str
    sku: str
    quantity: int
    left: int
    amount: int
    tax_cents: int
    currency: str
    reason: str
    customer_id: str = ""
    closes: bool = Field(False, exclude_if=operator.not_)


class OrderPartlyShipped(_Asked, tag="order.partly_shipped.v1"):
    """These items have left the house; others are still to go. So much is to be taken for them, if not taken before."""

    email: str
    shipment_id: str
    tracking: str
    items: tuple[Item, ...]
    customer_id: str = ""
    charge: int | None = Field(None, exclude_if=is_none)


class OrderShipped(_Asked, tag="order.shipped.v1"):
    """All that was left has left the house; in the early days that was not told item by item."""

    email: str
    tracking: str
    skus: tuple[str, ...]
    shipment_id: str = Field("", exclude_if=operator.not_)
    items: tuple[Item, ...] = Field((), exclude_if=operator.not_)
    customer_id: str = ""
    charge: int | None = Field(None, exclude_if=is_none)


class OrderShipmentDelivered(_Asked, tag="order.shipment_delivered.v1"):
    """One of several shipments has arrived."""

    email: str
    shipment_id: str


class OrderDelivered(_Asked, tag="order.delivered.v1"):
    """All that was shipped has arrived."""

    email: str
    customer_id: str = ""


class OrderReturnRequested(_Asked, tag="order.return_requested.v1"):
    """These items, which were delivered, are to come back."""

    email: str
    return_id: str
    items: tuple[Item, ...]
    reason: str
    customer_id: str = ""


class OrderReturnReceived(_Asked, tag="order.return_received.v1"):
    """What came back was inspected: `amount`, tax included, is not owed any more for what was accepted of it."""

    email: str
    return_id: str
    items: tuple[Returned, ...]
    amount: int
    currency: str
    note: str
    customer_id: str = ""


class OrderAddressChanged(_Asked, tag="order.address_changed.v1"):
    """The order goes elsewhere."""

    email: str
    shipping_address: Address


class OrderAmended(_Asked, tag="order.amended.v1"):
    """These are its lines now, and what it comes to with its shipping: so many are to be held more, or fewer."""

    email: str
    amendment_id: str
    currency: str
    lines: tuple[Line, ...]
    shipping_cents: int
    total: int
    added: tuple[Item, ...]
    removed: tuple[Item, ...]
    customer_id: str = ""


class OrderNoted(_Asked, tag="order.noted.v1"):
    """Somebody wrote something down about the order."""

    note_id: str
    text: str
    audience: Audience


OrderEvent: TypeAlias = (
    OrderPlaced
    | OrderLinesReserved
    | OrderStockSecured
    | OrderConfirmed
    | OrderLinesCommitted
    | OrderRejected
    | OrderCancelled
    | OrderLineCancelled
    | OrderPartlyShipped
    | OrderShipped
    | OrderShipmentDelivered
    | OrderDelivered
    | OrderReturnRequested
    | OrderReturnReceived
    | OrderAddressChanged
    | OrderAmended
    | OrderNoted
)
