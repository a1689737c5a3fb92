"""Order state is what the rules need to know of one order, and how each event changes it."""

from collections.abc import Iterable
from enum import Enum
from typing import assert_never
from zlib import crc32

from msgspec import Struct
from msgspec.structs import replace

from aggregates.errors import OrderSettled, OrderUnknown
from events.order import (
    OrderCancelled,
    OrderConfirmed,
    OrderDelivered,
    OrderEvent,
    OrderLineCancelled,
    OrderLinesCommitted,
    OrderLinesReserved,
    OrderPlaced,
    OrderRejected,
    OrderShipped,
    OrderStockSecured,
)


class Status(Enum):
    """Where an order stands."""

    UNKNOWN = "unknown"
    PLACED = "placed"
    SECURED = "secured"
    CONFIRMED = "confirmed"
    SHIPPED = "shipped"
    DELIVERED = "delivered"
    REJECTED = "rejected"
    CANCELLED = "cancelled"


OVER = (Status.REJECTED, Status.CANCELLED)
GONE = (Status.SHIPPED, Status.DELIVERED)


class Line(Struct, frozen=True, array_like=True):
    """So many of one SKU at a unit price, with the tax on all of them, in minor units."""

    sku: str
    quantity: int
    unit_price: int
    tax: int = 0

    @property
    def cost(self) -> int:
        """What the line comes to, tax included."""
        return self.quantity * self.unit_price + self.tax

    def less(self, quantity: int) -> "Line":
        """The line with so many fewer; the tax shrinks with them, so that all parts together are the whole."""
        left = self.quantity - quantity
        return replace(self, quantity=left, tax=self.tax * left // self.quantity)


class Order(Struct, frozen=True):
    """What the rules need to know.

    `lines` are what is still ordered, none of a SKU once it is off; `awaited` are the SKUs not yet held,
    `uncommitted` those that may lapse, `known` the ids of what must happen once.
    """

    status: Status = Status.UNKNOWN
    customer_id: str = ""
    email: str = ""
    payment_token: str = ""
    amount: int = 0
    currency: str = ""
    contents: int = 0
    lines: tuple[Line, ...] = ()
    awaited: frozenset[str] = frozenset()
    uncommitted: frozenset[str] = frozenset()
    known: tuple[str, ...] = ()

    @property
    def skus(self) -> tuple[str, ...]:
        """What is still ordered, in the order of the lines."""
        return tuple(dict.fromkeys(line.sku for line in self.lines if line.quantity))


def evolve(order: Order, event: OrderEvent) -> Order:
    match event:
        case OrderPlaced():
            return _placed(event)
        case OrderLinesReserved():
            return replace(order, awaited=order.awaited - set(event.skus))
        case OrderStockSecured():
            return replace(order, status=Status.SECURED, awaited=frozenset())
        case OrderConfirmed():
            return replace(order, status=Status.CONFIRMED)
        case OrderLinesCommitted():
            return replace(order, uncommitted=order.uncommitted - set(event.skus))
        case OrderRejected():
            return replace(order, status=Status.REJECTED)
        case OrderCancelled():
            return replace(order, status=Status.CANCELLED)
        case OrderLineCancelled():
            return _reduced(order, event)
        case OrderShipped():
            return replace(order, status=Status.SHIPPED)
        case OrderDelivered():
            return replace(order, status=Status.DELIVERED)
        case _:
            assert_never(event)


def contents_of(placed: OrderPlaced) -> int:
    """A checksum of what was ordered, by whom, to where: enough to tell a repeat from another order."""
    return crc32(placed.model_dump_json(warnings=False).encode())


def quantity_of(lines: Iterable[Line], sku: str) -> int:
    """How many of one SKU."""
    return sum(line.quantity for line in lines if line.sku == sku)


def cost_of(lines: Iterable[Line]) -> int:
    """What the lines come to, tax included."""
    return sum(line.cost for line in lines)


def tax_of(lines: Iterable[Line]) -> int:
    """The tax in what the lines come to."""
    return sum(line.tax for line in lines)


def without(lines: tuple[Line, ...], sku: str, quantity: int) -> tuple[Line, ...]:
    """The lines with so many fewer of a SKU; of several lines with it, the last gives first."""
    kept: list[Line] = []
    for line in reversed(lines):
        taken = min(quantity, line.quantity) if line.sku == sku else 0
        quantity -= taken
        kept.append(line.less(taken) if taken else line)
    return tuple(reversed(kept))


def refuse_unless_known_and_open(order: Order) -> None:
    """Refuse whatever needs an order that is neither unknown nor rejected nor cancelled."""
    if order.status is Status.UNKNOWN:
        raise OrderUnknown
    if order.status in OVER:
        raise OrderSettled


def _placed(event: OrderPlaced) -> Order:
    lines = tuple(Line(line.sku, line.quantity, line.unit_price, line.tax_cents) for line in event.lines)
    skus = frozenset(line.sku for line in lines)
    return Order(
        status=Status.PLACED,
        customer_id=event.customer_id,
        email=event.email,
        payment_token=event.payment_token,
        amount=event.total,
        currency=event.currency,
        contents=contents_of(event),
        lines=lines,
        awaited=skus,
        uncommitted=skus,
    )


def _reduced(order: Order, event: OrderLineCancelled) -> Order:
    off = frozenset() if event.left else frozenset((event.sku,))
    return replace(
        order,
        lines=without(order.lines, event.sku, event.quantity),
        amount=order.amount - event.amount,
        awaited=order.awaited - off,
        uncommitted=order.uncommitted - off,
        known=(*order.known, event.cancellation_id),
    )
