"""What stock asks of itself when an order has spoken: one message per shelf, however many lines."""

import pytest

from aggregates.decider import Todo
from events.event import Event
from events.ids import derive
from events.topics import PARTITIONS, shelf_of
from schemas.order import MAX_LINES, OrderLine
from schemas.product import (
    CommitReservation,
    ExtendReservation,
    LapseReservation,
    ReceiveStock,
    ReleaseItems,
    ReleaseReservation,
    ReserveStock,
    ShipItems,
    ShipReservation,
)
from schemas.values import Item
from tests.builders import order
from tests.builders.values import BREAD, FIGS, MILK, A
from tests.workers.hearing import asks
from workers.product import EFFECTS, REACTIONS


def test_a_placed_order_asks_each_shelf_for_what_lives_there() -> None:
    figs, milk, bread = (Item(sku=line.sku, quantity=line.quantity) for line in order.LINES)
    assert [shelf_of(sku) for sku in (FIGS, MILK, BREAD)] == [0, 0, 1]
    assert asks(REACTIONS, order.placed()) == [
        ReserveStock(order_id=A, partition=0, items=(figs, milk)),
        ReserveStock(order_id=A, partition=1, items=(bread,)),
    ]


def test_the_largest_order_asks_at_most_one_question_per_shelf() -> None:
    lines = tuple(OrderLine(sku=f"sku-{n}", quantity=1, unit_price=1) for n in range(MAX_LINES))
    asked = asks(REACTIONS, order.placed(lines=lines))
    assert len(asked) == PARTITIONS
    assert sum(len(one.items) for one in asked if isinstance(one, ReserveStock)) == MAX_LINES


def test_a_confirmed_order_commits_on_every_shelf() -> None:
    assert asks(REACTIONS, order.confirmed()) == [CommitReservation(order_id=A, partition=shelf) for shelf in (0, 1)]


@pytest.mark.parametrize("end", [order.rejected("out of stock", MILK), order.cancelled()])
def test_an_order_that_is_off_releases_on_every_shelf_even_where_it_was_refused(end: Event) -> None:
    assert asks(REACTIONS, end) == [ReleaseReservation(order_id=A, partition=shelf) for shelf in (0, 1)]


def test_a_shipped_order_ships_from_every_shelf() -> None:
    assert asks(REACTIONS, order.shipped()) == [ShipReservation(order_id=A, partition=shelf) for shelf in (0, 1)]


def test_every_question_goes_to_the_shelf_it_names() -> None:
    for asked in asks(REACTIONS, order.placed()):
        assert isinstance(asked, ReserveStock)
        assert asked.shelf == asked.partition == shelf_of(asked.items[0].sku)
        assert asked.stream == f"reservation-{asked.partition}-{A}"


@pytest.mark.anyio
async def test_a_hold_whose_time_is_over_asks_to_lapse() -> None:
    asked = await EFFECTS["lapse"](f"reservation-1-{A}", None, Todo("lapse"))
    assert asked == LapseReservation(order_id=A, partition=1)


def test_a_cancelled_line_gives_back_its_items_on_its_shelf() -> None:
    asked = ReleaseItems(order_id=A, partition=1, part_id=order.K1, items=(Item(sku=BREAD, quantity=1),))
    assert asks(REACTIONS, order.line_cancelled(BREAD, 1, 0, 250)) == [asked]


def test_a_partly_shipped_order_ships_its_items_from_their_shelves() -> None:
    gone = order.partly_shipped((BREAD, 1), (FIGS, 2))
    assert asks(REACTIONS, gone) == [
        ShipItems(order_id=A, partition=0, part_id=order.K1, items=(Item(sku=FIGS, quantity=2),)),
        ShipItems(order_id=A, partition=1, part_id=order.K1, items=(Item(sku=BREAD, quantity=1),)),
    ]


def test_of_what_came_back_the_good_is_put_on_its_shelf() -> None:
    back = order.return_received(
        order.returned(FIGS, 1, "restock", 150),
        order.returned(BREAD, 1, "damaged", 250),
        order.returned(FIGS, 2, "restock", 300),
        order.returned(MILK, 1, "refuse", 0),
    )
    assert asks(REACTIONS, back) == [ReceiveStock(sku=FIGS, quantity=3)]


def test_an_amended_order_asks_each_shelf_for_more_and_gives_back_what_is_fewer() -> None:
    more, fewer = order.items_of((FIGS, 3), (BREAD, 1)), order.items_of((MILK, 1))
    event = order.amended(*order.LINES, added=more, removed=fewer)
    assert asks(REACTIONS, event) == [
        ExtendReservation(order_id=A, partition=0, part_id=order.K1, items=more[:1]),
        ExtendReservation(order_id=A, partition=1, part_id=order.K1, items=more[1:]),
        ReleaseItems(order_id=A, partition=0, part_id=derive(order.K1, "fewer"), items=fewer),
    ]
