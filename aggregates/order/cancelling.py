"""Cancelling rules: an order may be called off until it is shipped, whole or line by line, or be rejected before."""

from typing import assert_never

from aggregates.errors import LineTooSmall, LineUnknown, OrderAlreadyShipped, OrderSettled, OrderUnknown
from aggregates.order.lines import cost_of, quantity_of, tax_of, without
from aggregates.order.placing import secured
from aggregates.order.state import Order, Status, evolve
from events.event import Event
from events.ids import derive
from events.order import OrderCancelled, OrderDelivered, OrderLineCancelled, OrderRejected
from schemas.order import CancelLine, CancelOrder, CancelRest, RecordLapse, RejectOrder


def cancel(command: CancelOrder, order: Order) -> list[Event]:
    match order.status:
        case Status.PLACED | Status.SECURED | Status.CONFIRMED:
            return [_cancelled(command.order_id, order, command.reason, command.by)]
        case Status.CANCELLED:
            return []
        case Status.REJECTED:
            raise OrderSettled
        case Status.PARTIALLY_SHIPPED:
            raise OrderAlreadyShipped("A part of the order has been shipped; what is left can be cancelled by line.")
        case Status.SHIPPED | Status.DELIVERED:
            raise OrderAlreadyShipped
        case Status.UNKNOWN:
            raise OrderUnknown
        case _:
            assert_never(order.status)


def cancel_line(command: CancelLine, order: Order) -> list[Event]:
    if command.cancellation_id in order.known:
        return []
    match order.status:
        case Status.PLACED | Status.SECURED | Status.CONFIRMED | Status.PARTIALLY_SHIPPED:
            return _line_cancelled(command, order)
        case Status.CANCELLED:
            return []
        case Status.REJECTED:
            raise OrderSettled
        case Status.SHIPPED | Status.DELIVERED:
            raise OrderAlreadyShipped
        case Status.UNKNOWN:
            raise OrderUnknown
        case _:
            assert_never(order.status)


def cancel_rest(command: CancelRest, order: Order) -> list[Event]:
    match order.status:
        case Status.PLACED | Status.SECURED | Status.CONFIRMED:
            return [_cancelled(command.order_id, order, command.reason)]
        case Status.PARTIALLY_SHIPPED:
            return _rest_cancelled(command, order)
        case _:
            return []


def reject(command: RejectOrder, order: Order) -> list[Event]:
    if order.status not in (Status.PLACED, Status.SECURED):
        return []
    if order.status is Status.SECURED and command.skus and not _ordered(command.skus, order):
        return []  # all that is still ordered is held: what was refused has been called off meanwhile
    return [_rejected(command.order_id, order, command.reason, command.skus)]


def record_lapse(command: RecordLapse, order: Order) -> list[Event]:
    if not _ordered(command.skus, order):
        return []  # called off before its time was over
    match order.status:
        case Status.PLACED | Status.SECURED:
            return [_rejected(command.order_id, order, "reservation lapsed", command.skus)]
        case Status.CONFIRMED:
            # Confirmed a moment too late: the goods may be sold to others already, so the money goes back.
            return [_cancelled(command.order_id, order, "reservation lapsed")]
        case _:
            return []


def _line_cancelled(command: CancelLine, order: Order) -> list[Event]:
    """The items and their money are off.

    The last of an order takes it along, the last awaited secures it, and the last to be shipped leaves it shipped.
    """
    there = _cancellable(command, order)
    quantity = there if command.quantity is None else command.quantity
    if not quantity:
        return []
    if quantity > there:
        raise LineTooSmall(f"{there} of {command.sku} can be cancelled, not {quantity}")
    lines = without(order.lines, command.sku, quantity)
    if not any(line.quantity for line in lines) and order.status is not Status.PARTIALLY_SHIPPED:
        return [_cancelled(command.order_id, order, command.reason, command.by)]
    cancelled = OrderLineCancelled(
        order_id=command.order_id,
        email=order.email,
        cancellation_id=command.cancellation_id,
        sku=command.sku,
        quantity=quantity,
        left=quantity_of(lines, command.sku),
        amount=cost_of(order.lines) - cost_of(lines),
        tax_cents=tax_of(order.lines) - tax_of(lines),
        currency=order.currency,
        reason=command.reason,
        by=command.by,
        customer_id=order.customer_id,
        closes=order.per_shipment
        and order.status is Status.PARTIALLY_SHIPPED
        and order.unshipped == {command.sku: quantity},
    )
    after = evolve(order, cancelled)
    if order.status is Status.PLACED and after.held:
        return [cancelled, secured(command.order_id, after)]
    if after.status is Status.SHIPPED and not after.under_way:
        told = {"order_id": command.order_id, "email": order.email, "customer_id": order.customer_id}
        return [cancelled, OrderDelivered(**told, by=command.by)]
    return [cancelled]


def _rest_cancelled(command: CancelRest, order: Order) -> list[Event]:
    """What has not left the house is off, line by line."""
    events: list[Event] = []
    for sku in order.unshipped:
        which = derive(command.order_id, f"rest/{sku}")
        line = CancelLine(order_id=command.order_id, cancellation_id=which, sku=sku, reason=command.reason)
        for event in _line_cancelled(line, order):
            events.append(event)
            order = evolve(order, event)  # type: ignore[arg-type]
    return events


def _cancellable(command: CancelLine, order: Order) -> int:
    if all(line.sku != command.sku for line in order.lines):
        raise LineUnknown
    left = quantity_of(order.lines, command.sku) - order.shipped.get(command.sku, 0)
    if not left and command.sku in order.shipped:
        raise OrderAlreadyShipped(f"All of {command.sku} has been shipped; it cannot be cancelled any more.")
    return left


def _ordered(skus: tuple[str, ...], order: Order) -> bool:
    return not set(skus).isdisjoint(order.skus)


def _rejected(order_id: str, order: Order, reason: str, refused: tuple[str, ...]) -> OrderRejected:
    told = {"order_id": order_id, "email": order.email, "customer_id": order.customer_id}
    return OrderRejected(**told, reason=reason, skus=order.skus, refused=refused)


def _cancelled(order_id: str, order: Order, reason: str, by: str = "") -> OrderCancelled:
    told = {"order_id": order_id, "email": order.email, "customer_id": order.customer_id}
    return OrderCancelled(**told, reason=reason, skus=order.skus, by=by)
