"""Order state is what the rules need to know of one order, and how each event changes it."""

from collections.abc import Iterable
from enum import Enum
from typing import assert_never
from zlib import crc32

from msgspec import Struct
from msgspec.structs import replace

from aggregates.errors import LineUnknown, OrderSettled, OrderUnknown
from aggregates.order.lines import Line, quantity_of, recorded, without
from events.order import (
    OrderAddressChanged,
    OrderAmended,
    OrderCancelled,
    OrderConfirmed,
    OrderDelivered,
    OrderEvent,
    OrderLineCancelled,
    OrderLinesCommitted,
    OrderLinesReserved,
    OrderNoted,
    OrderPartlyShipped,
    OrderPlaced,
    OrderRejected,
    OrderReturnReceived,
    OrderReturnRequested,
    OrderShipmentDelivered,
    OrderShipped,
    OrderStockSecured,
)
from schemas.values import Address, Item


class Status(Enum):
    """Where an order stands."""

    UNKNOWN = "unknown"
    PLACED = "placed"
    SECURED = "secured"
    CONFIRMED = "confirmed"
    PARTIALLY_SHIPPED = "partially_shipped"
    SHIPPED = "shipped"
    DELIVERED = "delivered"
    REJECTED = "rejected"
    CANCELLED = "cancelled"


OVER = (Status.REJECTED, Status.CANCELLED)
GONE = (Status.SHIPPED, Status.DELIVERED)


class Order(Struct, frozen=True):
    """What the rules need to know.

    `lines` are what is still ordered and not back, none of a SKU once it is off; `awaited` are the SKUs not yet
    held, `amendments` those of each amendment that are not, `uncommitted` those that may lapse, `known` the ids of
    what must happen once. Of the quantities ordered, so many are `shipped`, so many of these `delivered`, and the
    rest of these `under_way`, by shipment; of what is delivered, so many are `returning`, by return. Where money is
    taken `per_shipment`, so much is `billed`, less what came back.
    """

    status: Status = Status.UNKNOWN
    customer_id: str = ""
    email: str = ""
    payment_token: str = ""
    amount: int = 0
    currency: str = ""
    contents: int = 0
    address: int = 0
    lines: tuple[Line, ...] = ()
    awaited: frozenset[str] = frozenset()
    amendments: dict[str, frozenset[str]] = {}
    uncommitted: frozenset[str] = frozenset()
    known: tuple[str, ...] = ()
    shipped: dict[str, int] = {}
    delivered: dict[str, int] = {}
    under_way: dict[str, dict[str, int]] = {}
    returning: dict[str, dict[str, int]] = {}
    payment_attempts: int = 1
    per_shipment: bool = False
    billed: int = 0

    @property
    def held(self) -> bool:
        """Whether stock of all that is ordered is held."""
        return not self.awaited and not self.amendments

    @property
    def unshipped(self) -> dict[str, int]:
        """How many of each SKU are still to leave the house, in the order of the lines."""
        left = {sku: quantity_of(self.lines, sku) - self.shipped.get(sku, 0) for sku in self.skus}
        return {sku: quantity for sku, quantity in left.items() if quantity}

    def awaits(self, amendment_id: str) -> frozenset[str]:
        """Which SKUs are not yet held as it was placed, or as an amendment added them."""
        return self.amendments.get(amendment_id, frozenset()) if amendment_id else self.awaited

    def without_awaited(self, skus: Iterable[str], amendment_id: str) -> "Order":
        """The order once these are held."""
        left = self.awaits(amendment_id) - set(skus)
        if not amendment_id:
            return replace(self, awaited=left)
        others = {key: names for key, names in self.amendments.items() if key != amendment_id}
        return replace(self, amendments={**others, amendment_id: left} if left else others)

    def returnable(self, sku: str) -> int:
        """How many of a SKU were delivered and are not coming back already."""
        coming = sum(items.get(sku, 0) for items in self.returning.values())
        return self.delivered.get(sku, 0) - coming

    @property
    def skus(self) -> tuple[str, ...]:
        """What is still ordered, in the order of the lines."""
        return tuple(dict.fromkeys(line.sku for line in self.lines if line.quantity))


def evolve(order: Order, event: OrderEvent) -> Order:
    match event:
        case OrderPlaced():
            return _placed(event)
        case OrderLinesReserved():
            return order.without_awaited(event.skus, event.amendment_id)
        case OrderStockSecured():
            return replace(order, status=Status.SECURED, awaited=frozenset(), amendments={})
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
        case OrderPartlyShipped():
            sent = _sent(order, event.shipment_id, event.items, event.charge)
            return replace(sent, status=Status.PARTIALLY_SHIPPED)
        case OrderShipped():
            return replace(_sent(order, event.shipment_id, event.items, event.charge), status=Status.SHIPPED)
        case OrderShipmentDelivered():
            return _arrived(order, (event.shipment_id,))
        case OrderDelivered():
            return replace(_arrived(order, order.under_way), status=Status.DELIVERED)
        case OrderReturnRequested():
            coming = {item.sku: item.quantity for item in event.items}
            returning = {**order.returning, event.return_id: coming}
            return replace(order, returning=returning, known=(*order.known, event.return_id))
        case OrderReturnReceived():
            return _returned(order, event)
        case OrderAddressChanged():
            return replace(order, address=address_of(event.shipping_address))
        case OrderAmended():
            return _amended(order, event)
        case OrderNoted():
            return replace(order, known=(*order.known, event.note_id))
        case _:
            assert_never(event)


def contents_of(placed: OrderPlaced) -> int:
    """A checksum of what was ordered, by whom, to where: enough to tell a repeat from another order."""
    return crc32(placed.model_dump_json(warnings=False).encode())


def address_of(address: Address) -> int:
    """A checksum of where an order goes."""
    return crc32(str(address).encode())


def refuse_unless_known_and_open(order: Order) -> None:
    """Refuse whatever needs an order that is neither unknown nor rejected nor cancelled."""
    if order.status is Status.UNKNOWN:
        raise OrderUnknown
    if order.status in OVER:
        raise OrderSettled


def refuse_unless_ordered(sku: str, order: Order) -> None:
    """Refuse a SKU that the order never had."""
    if all(line.sku != sku for line in order.lines):
        raise LineUnknown(f"The order has no line of {sku}.")


def _placed(event: OrderPlaced) -> Order:
    lines = recorded(event.lines)
    skus = frozenset(line.sku for line in lines)
    return Order(
        status=Status.PLACED,
        customer_id=event.customer_id,
        email=event.email,
        payment_token=event.payment_token,
        amount=event.total,
        currency=event.currency,
        contents=contents_of(event),
        address=address_of(event.shipping_address),
        lines=lines,
        awaited=skus,
        uncommitted=skus,
        payment_attempts=event.payment_attempts,
        per_shipment=event.capture == "per_shipment",
    )


def _amended(order: Order, event: OrderAmended) -> Order:
    added = frozenset(item.sku for item in event.added)
    return replace(
        order,
        lines=recorded(event.lines),
        amount=event.total,
        amendments={**order.amendments, event.amendment_id: added} if added else order.amendments,
        uncommitted=order.uncommitted | added,
        known=(*order.known, event.amendment_id),
    )


def _reduced(order: Order, event: OrderLineCancelled) -> Order:
    off = frozenset() if event.left else frozenset((event.sku,))
    reduced = replace(
        order,
        lines=without(order.lines, event.sku, event.quantity),
        amount=order.amount - event.amount,
        awaited=order.awaited - off,
        amendments={key: left for key, skus in order.amendments.items() if (left := skus - off)},
        uncommitted=order.uncommitted - off,
        known=(*order.known, event.cancellation_id),
    )
    all_gone = order.status is Status.PARTIALLY_SHIPPED and not reduced.unshipped
    return replace(reduced, status=Status.SHIPPED) if all_gone else reduced


def _sent(order: Order, shipment_id: str, items: Iterable[Item], charge: int | None) -> Order:
    """The order with a shipment under way; one that is not told item by item has all that was left."""
    gone = {item.sku: item.quantity for item in items} or order.unshipped
    return replace(
        order,
        shipped=_sum(order.shipped, gone),
        under_way={**order.under_way, shipment_id: gone},
        known=(*order.known, shipment_id),
        billed=order.billed + (charge or 0),
    )


def _arrived(order: Order, shipments: Iterable[str]) -> Order:
    under_way, delivered = dict(order.under_way), order.delivered
    for shipment_id in list(shipments):
        delivered = _sum(delivered, under_way.pop(shipment_id, {}))
    return replace(order, under_way=under_way, delivered=delivered)


def _returned(order: Order, event: OrderReturnReceived) -> Order:
    """What was accepted is as if it had never been ordered; what was refused, or did not come, may come back again."""
    back: dict[str, int] = {}
    lines = order.lines
    for item in event.items:
        if item.accepted:
            back = _sum(back, {item.sku: -item.quantity})
            lines = without(lines, item.sku, item.quantity)
    return replace(
        order,
        lines=lines,
        amount=order.amount - event.amount,
        shipped=_sum(order.shipped, back),
        delivered=_sum(order.delivered, back),
        returning={key: items for key, items in order.returning.items() if key != event.return_id},
        billed=order.billed - event.amount if order.per_shipment else 0,
    )


def _sum(some: dict[str, int], more: dict[str, int]) -> dict[str, int]:
    return {**some, **{sku: some.get(sku, 0) + quantity for sku, quantity in more.items()}}
