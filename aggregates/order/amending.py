"""Amending rules: where an order goes may change until something has left the house; notes may be added at any time."""

from typing import assert_never

from aggregates.errors import OrderAlreadyShipped, OrderSettled, OrderUnknown
from aggregates.order.state import Order, Status, address_of
from events.event import Event
from events.order import OrderAddressChanged, OrderNoted
from schemas.order import AddNote, ChangeAddress


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
