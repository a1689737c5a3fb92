"""Bugs in the rules: money and goods come out wrong, and the log records it faithfully."""

from collections.abc import Sequence
from typing import Any

from aggregates import reservation
from aggregates.order import placing
from aggregates.payment import settling
from aggregates.reservation import Reservation, Status
from events.event import Event
from events.order import OrderPlaced, OrderRejected
from events.product import ReservationReleased
from events.registry import event_codec
from schemas.values import Command, Line
from tests.faults.bugs.put import Put
from workers import product
from workers.policy import Reaction


def oversell(put: Put) -> None:
    """A reservation looks at no shelf: everything is always there.

    Breaks stock.no_oversell. Seen when more is ordered than there is.
    """
    put(reservation, "_enough", lambda *_: True)


def release_twice(put: Put) -> None:
    """A reservation is asked to be released twice, and does not know that it has been.

    Breaks stock.released_once and stock.legal_steps. Seen when an order that holds stock is rejected or cancelled.
    """
    evolve = reservation.evolve

    def forgetful(state: Reservation, event: Any) -> Reservation:
        if isinstance(event, ReservationReleased) and state.status is not Status.UNKNOWN:
            return state
        return evolve(state, event)

    def twice(row: Reaction) -> Reaction:
        def release_twice_when_off(event: Any) -> Sequence[Command]:
            return [*row.react(event), *row.react(event)]

        return Reaction(row.event, release_twice_when_off) if row.react is product.release_when_off else row

    put(reservation, "evolve", forgetful)
    put(product, "REACTIONS", tuple(twice(row) for row in product.REACTIONS))


def stock_never_released(put: Put) -> None:
    """Nobody gives back what a rejected order holds.

    Breaks stock.settled and log.reactions_once. Seen when a card is declined, or one of several shelves is empty.
    """
    put(product, "REACTIONS", tuple(row for row in product.REACTIONS if row.event is not OrderRejected))


def no_refund(put: Put) -> None:
    """A payment that is cancelled after its capture keeps the money.

    Breaks money.kept_is_owed, money.totals and money.compensated_once. Seen when a paid order is cancelled.
    """
    put(settling, "give_back", lambda *_: [])


def price_as_float(put: Put) -> None:
    """Money is computed in floats, and an order's total is recorded as one.

    Breaks log.no_float everywhere, and clients.as_asked and money.amounts where a cent gets lost on the way.
    """
    encode = event_codec.encode

    def total_of(lines: tuple[Line, ...]) -> int:
        return int(sum(line.quantity * (line.unit_price / 100) for line in lines) * 100)

    def floating(event: Event) -> bytes:
        body = encode(event)
        if isinstance(event, OrderPlaced):
            body = body.replace(b'"total":%d' % event.total, b'"total":%d.0' % event.total)
        return body

    put(placing, "total_of", total_of)
    put(event_codec, "encode", floating)


BUGS = (oversell, release_twice, stock_never_released, no_refund, price_as_float)
