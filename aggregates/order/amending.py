"""Amending rules: lines change until all stock is held, where it goes until something has left; notes never end."""

from collections.abc import Mapping
from typing import assert_never

from aggregates.errors import (
    OrderAlreadySecured,
    OrderAlreadyShipped,
    OrderSettled,
    OrderUnknown,
    PriceStands,
    TooManyLines,
)
from aggregates.order.lines import Line, amended, cost_of, quantity_of, recorded
from aggregates.order.state import Order, Status, address_of
from events.event import Event
from events.order import OrderAddressChanged, OrderAmended, OrderNoted
from schemas.order import MAX_LINES, AddNote, AmendOrder, ChangeAddress
from schemas.values import Item
from schemas.values import Line as Told


def amend(command: AmendOrder, order: Order) -> list[Event]:
    if command.amendment_id in order.known:
        return []
    match order.status:
        case Status.PLACED:
            return _amended(command, order)
        case Status.SECURED | Status.CONFIRMED:
            raise OrderAlreadySecured
        case Status.PARTIALLY_SHIPPED | Status.SHIPPED | Status.DELIVERED:
            raise OrderAlreadyShipped("The order has been shipped; order anew what it lacks.")
        case Status.REJECTED | Status.CANCELLED:
            raise OrderSettled
        case Status.UNKNOWN:
            raise OrderUnknown
        case _:
            assert_never(order.status)


def _amended(command: AmendOrder, order: Order) -> list[Event]:
    """What it comes to follows from its lines, and from its shipping as it was, if no other is told."""
    kept = tuple(line for line in order.lines if line.quantity)
    news = recorded(command.lines)
    _refuse_other_prices(kept, news)
    lines = amended(kept, news)
    if len(lines) > MAX_LINES:
        raise TooManyLines
    shipping = order.amount - cost_of(kept) if command.shipping_cents is None else command.shipping_cents
    total = cost_of(lines) + shipping
    if (lines, total) == (kept, order.amount):
        return []
    were, are = _quantities(kept), _quantities(lines)
    return [
        OrderAmended(
            order_id=command.order_id,
            email=order.email,
            amendment_id=command.amendment_id,
            currency=order.currency,
            lines=tuple(
                Told(sku=line.sku, quantity=line.quantity, unit_price=line.unit_price, tax_cents=line.tax)
                for line in lines
            ),
            shipping_cents=shipping,
            total=total,
            added=_more(are, were),
            removed=_more(were, are),
            by=command.by,
            customer_id=order.customer_id,
        )
    ]


def _refuse_other_prices(kept: tuple[Line, ...], news: tuple[Line, ...]) -> None:
    for line in news:
        prices = {other.unit_price for other in kept if other.sku == line.sku}
        if prices and line.unit_price not in prices:
            raise PriceStands(f"{line.sku} was ordered at {min(prices)} in minor units, and keeps that price.")


def _quantities(lines: tuple[Line, ...]) -> dict[str, int]:
    return {line.sku: quantity_of(lines, line.sku) for line in lines}


def _more(some: Mapping[str, int], others: Mapping[str, int]) -> tuple[Item, ...]:
    """How many of each SKU the first have more than the others."""
    more = {sku: quantity - others.get(sku, 0) for sku, quantity in some.items()}
    return tuple(Item(sku=sku, quantity=quantity) for sku, quantity in more.items() if quantity > 0)


def change_address(command: ChangeAddress, order: Order) -> list[Event]:
    match order.status:
        case Status.PLACED | Status.SECURED | Status.CONFIRMED:
            if address_of(command.shipping_address) == order.address:
                return []
            return [OrderAddressChanged(**dict(command), email=order.email)]
        case Status.REJECTED | Status.CANCELLED:
            raise OrderSettled
        case Status.PARTIALLY_SHIPPED | Status.SHIPPED | Status.DELIVERED:
            raise OrderAlreadyShipped("A part of the order has been shipped; it goes where it was to go.")
        case Status.UNKNOWN:
            raise OrderUnknown
        case _:
            assert_never(order.status)


def add_note(command: AddNote, order: Order) -> list[Event]:
    if order.status is Status.UNKNOWN:
        raise OrderUnknown
    return [] if command.note_id in order.known else [OrderNoted(**dict(command))]
