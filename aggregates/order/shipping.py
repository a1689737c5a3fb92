"""Shipping rules: once an order is paid for and none of its stock may lapse, it leaves the house, whole or in parts."""

from collections.abc import Iterable, Mapping

from aggregates.errors import LineTooSmall, OrderNotReady, OrderNotShipped, ShipmentUnknown
from aggregates.order.lines import cost_of, only
from aggregates.order.state import GONE, Order, Status, refuse_unless_known_and_open, refuse_unless_ordered
from events.event import Event
from events.ids import derive
from events.order import OrderDelivered, OrderPartlyShipped, OrderShipmentDelivered, OrderShipped
from schemas.order import DeliverOrder, ShipOrder
from schemas.values import Item, together


def ship(command: ShipOrder, order: Order) -> list[Event]:
    if command.shipment_id in order.known or (order.status in GONE and not command.lines):
        return []
    refuse_unless_known_and_open(order)
    if order.status in (Status.PLACED, Status.SECURED) or order.uncommitted:
        raise OrderNotReady
    left = order.unshipped
    wanted = _wanted(command.lines, order, left) if command.lines else left
    shipment = {
        "order_id": command.order_id,
        "by": command.by,
        "email": order.email,
        "customer_id": order.customer_id,
        "shipment_id": command.shipment_id or derive(command.order_id, f"shipment/{len(order.known)}"),
        "tracking": command.tracking,
        "items": tuple(Item(sku=sku, quantity=quantity) for sku, quantity in wanted.items()),
        "charge": _charge(order, wanted) if order.per_shipment else None,
    }
    if wanted == left:
        return [OrderShipped(**shipment, skus=tuple(wanted))]
    return [OrderPartlyShipped(**shipment)]


def _charge(order: Order, wanted: Mapping[str, int]) -> int:
    """What all that has left the house by then comes to, with all of the shipping, less what was charged before."""
    gone = {sku: quantity + order.shipped.get(sku, 0) for sku, quantity in wanted.items()}
    sent = only(order.lines, {**order.shipped, **gone})
    return max(0, order.amount - cost_of(order.lines) + cost_of(sent) - order.billed)


def deliver(command: DeliverOrder, order: Order) -> list[Event]:
    if order.status is Status.DELIVERED:
        return []
    refuse_unless_known_and_open(order)
    if order.status not in (Status.PARTIALLY_SHIPPED, Status.SHIPPED):
        raise OrderNotShipped
    arrived = _arrived(command, order)
    told = {"order_id": command.order_id, "email": order.email, "by": command.by}
    if order.status is Status.SHIPPED and len(arrived) == len(order.under_way):
        return [OrderDelivered(**told, customer_id=order.customer_id)]
    return [OrderShipmentDelivered(**told, shipment_id=which) for which in arrived]


def _wanted(items: Iterable[Item], order: Order, left: Mapping[str, int]) -> dict[str, int]:
    """How many of each SKU are to go, in the order of the lines."""
    asked = together(items)
    for sku, quantity in asked.items():
        refuse_unless_ordered(sku, order)
        if quantity > left.get(sku, 0):
            raise LineTooSmall(f"{left.get(sku, 0)} of {sku} are left to ship, not {quantity}")
    return {sku: asked[sku] for sku in left if sku in asked}


def _arrived(command: DeliverOrder, order: Order) -> tuple[str, ...]:
    """The shipments that are said to have arrived, of those under way."""
    if command.shipment_id is None:
        return tuple(order.under_way)
    if command.shipment_id in order.under_way:
        return (command.shipment_id,)
    if command.shipment_id in order.known:
        return ()
    raise ShipmentUnknown
