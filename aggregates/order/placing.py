"""Placing rules: an order is placed once, secured when all of its stock is held, and confirmed when it is paid for."""

from aggregates.errors import OrderExists
from aggregates.order.state import Order, Status, contents_of
from events.event import Event
from events.order import OrderConfirmed, OrderLinesCommitted, OrderLinesReserved, OrderPlaced, OrderStockSecured
from schemas.order import ConfirmOrder, PlaceOrder, RecordCommitment, RecordReservation
from schemas.values import total_of


def place(command: PlaceOrder, order: Order) -> list[Event]:
    placed = OrderPlaced(**dict(command), total=total_of(command.lines) + command.shipping_cents)
    if order.status is Status.UNKNOWN:
        return [placed]
    if order.contents == contents_of(placed):
        return []  # the same order, sent again under another command id
    raise OrderExists


def record_reservation(command: RecordReservation, order: Order) -> list[Event]:
    news = tuple(sku for sku in command.skus if sku in order.awaits(command.amendment_id))
    if order.status is not Status.PLACED or not news:
        return []
    if order.without_awaited(news, command.amendment_id).held:
        return [secured(command.order_id, order)]
    return [OrderLinesReserved(order_id=command.order_id, skus=news, amendment_id=command.amendment_id)]


def secured(order_id: str, order: Order) -> OrderStockSecured:
    """Nothing is awaited any more: ask for what the order comes to."""
    return OrderStockSecured(
        order_id=order_id,
        email=order.email,
        amount=order.amount,
        currency=order.currency,
        payment_token=order.payment_token,
        customer_id=order.customer_id,
        payment_attempts=order.payment_attempts,
        capture="per_shipment" if order.per_shipment else "at_confirmation",
    )


def confirm(command: ConfirmOrder, order: Order) -> list[Event]:
    if order.status is not Status.SECURED:
        return []  # settled already; payment voids or refunds a late authorization by itself
    return [
        OrderConfirmed(
            order_id=command.order_id,
            email=order.email,
            skus=order.skus,
            amount=order.amount,
            currency=order.currency,
            customer_id=order.customer_id,
        )
    ]


def record_commitment(command: RecordCommitment, order: Order) -> list[Event]:
    news = tuple(sku for sku in command.skus if sku in order.uncommitted)
    if order.status is not Status.CONFIRMED or not news:
        return []
    return [OrderLinesCommitted(order_id=command.order_id, skus=news)]
