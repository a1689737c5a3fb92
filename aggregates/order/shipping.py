"""Shipping rules: an order leaves the house once it is paid for and none of its stock may lapse, and then arrives."""

from aggregates.errors import OrderNotReady, OrderNotShipped
from aggregates.order.state import GONE, Order, Status, refuse_unless_known_and_open
from events.event import Event
from events.order import OrderDelivered, OrderShipped
from schemas.order import DeliverOrder, ShipOrder


def ship(command: ShipOrder, order: Order) -> list[Event]:
    if order.status in GONE:
        return []
    refuse_unless_known_and_open(order)
    if order.status is not Status.CONFIRMED or order.uncommitted:
        raise OrderNotReady
    return [OrderShipped(order_id=command.order_id, email=order.email, tracking=command.tracking, skus=order.skus)]


def deliver(command: DeliverOrder, order: Order) -> list[Event]:
    if order.status is Status.DELIVERED:
        return []
    refuse_unless_known_and_open(order)
    if order.status is not Status.SHIPPED:
        raise OrderNotShipped
    return [OrderDelivered(order_id=command.order_id, email=order.email)]
