"""Returning rules: what was delivered may come back; what is accepted of it is not owed any more, each once."""

from collections.abc import Iterable, Mapping

from aggregates.errors import ReturnTooLarge, ReturnUnknown
from aggregates.order.lines import Line, cost_of, tax_of, without
from aggregates.order.state import Order, refuse_unless_known_and_open, refuse_unless_ordered
from events.event import Event
from events.order import OrderReturnReceived, OrderReturnRequested
from schemas.order import ReceiveReturn, RequestReturn
from schemas.values import Inspected, Item, Returned, together


def request_return(command: RequestReturn, order: Order) -> list[Event]:
    if command.return_id in order.known:
        return []
    refuse_unless_known_and_open(order)
    items = together(command.items)
    for sku, quantity in items.items():
        refuse_unless_ordered(sku, order)
        if quantity > (there := order.returnable(sku)):
            raise ReturnTooLarge(f"{there} of {sku} can be returned, not {quantity}")
    return [
        OrderReturnRequested(
            order_id=command.order_id,
            email=order.email,
            return_id=command.return_id,
            items=tuple(Item(sku=sku, quantity=quantity) for sku, quantity in items.items()),
            reason=command.reason,
            by=command.by,
            customer_id=order.customer_id,
        )
    ]


def receive_return(command: ReceiveReturn, order: Order) -> list[Event]:
    refuse_unless_known_and_open(order)
    if command.return_id not in order.returning:
        if command.return_id in order.known:
            return []
        raise ReturnUnknown
    _refuse_more_than(order.returning[command.return_id], command.items)
    items = _priced(command.items, order.lines)
    return [
        OrderReturnReceived(
            order_id=command.order_id,
            email=order.email,
            return_id=command.return_id,
            items=items,
            amount=sum(item.amount for item in items),
            currency=order.currency,
            note=command.note,
            by=command.by,
            customer_id=order.customer_id,
        )
    ]


def _refuse_more_than(announced: Mapping[str, int], items: Iterable[Item]) -> None:
    for sku, quantity in together(items).items():
        if quantity > announced.get(sku, 0):
            raise ReturnTooLarge(f"{announced.get(sku, 0)} of {sku} were announced, not {quantity}")


def _priced(items: Iterable[Inspected], lines: tuple[Line, ...]) -> tuple[Returned, ...]:
    """The items with what is not owed for them any more; what is refused is owed as before."""
    priced: list[Returned] = []
    for item in items:
        left = without(lines, item.sku, item.quantity) if item.accepted else lines
        amount, tax = cost_of(lines) - cost_of(left), tax_of(lines) - tax_of(left)
        told = Returned(sku=item.sku, quantity=item.quantity, verdict=item.verdict, amount=amount, tax_cents=tax)
        priced.append(told)
        lines = left
    return tuple(priced)
