"""Order events are what has happened to one order."""

from typing import TypeAlias

from events.event import Event
from schemas.values import Address, Line


class _OfOrder(Event):
    order_id: str

    @property
    def stream(self) -> str:
        return f"order-{self.order_id}"


class OrderPlaced(_OfOrder, tag="order.placed.v1"):
    customer_id: str
    email: str
    currency: str
    shipping_address: Address
    payment_token: str
    lines: tuple[Line, ...]
    total: int


class OrderLinesReserved(_OfOrder, tag="order.lines_reserved.v1"):
    """Stock of some lines is held; others are still awaited."""

    skus: tuple[str, ...]


class OrderStockSecured(_OfOrder, tag="order.stock_secured.v1"):
    """Stock of every line is held: the money may be asked for."""

    email: str
    amount: int
    currency: str
    payment_token: str


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


class OrderCancelled(_OfOrder, tag="order.cancelled.v1"):
    email: str
    reason: str
    skus: tuple[str, ...]
    customer_id: str = ""


class OrderShipped(_OfOrder, tag="order.shipped.v1"):
    email: str
    tracking: str
    skus: tuple[str, ...]
    customer_id: str = ""


class OrderDelivered(_OfOrder, tag="order.delivered.v1"):
    email: str
    customer_id: str = ""


OrderEvent: TypeAlias = (
    OrderPlaced
    | OrderLinesReserved
    | OrderStockSecured
    | OrderConfirmed
    | OrderLinesCommitted
    | OrderRejected
    | OrderCancelled
    | OrderShipped
    | OrderDelivered
)
