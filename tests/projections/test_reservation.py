"""What clients see of stock that orders hold."""

from projections.reservation import RESERVATIONS
from tests.builders.product import (
    SHELF,
    committed,
    extended,
    lapsed,
    made,
    reduced,
    refused,
    released,
    shipped,
    stock_reserved,
)
from tests.builders.values import FIGS, HOLD, MILK, NOON, A, B
from tests.projections.view import at, rows, shown


def test_a_reservation_shows_what_is_held_and_until_when() -> None:
    view = shown(RESERVATIONS, made())
    assert (view.reservation_id, view.order_id, view.status) == (f"{SHELF}-{A}", A, "held")
    assert (view.items, view.expires_at) == ({FIGS: 2, MILK: 1}, NOON + HOLD)


def test_what_is_committed_lapses_no_more() -> None:
    view = shown(RESERVATIONS, made(), committed())
    assert (view.status, view.expires_at, view.updated_at) == ("committed", None, at(1))


def test_a_reservation_ends_released_lapsed_or_shipped() -> None:
    ends = (released(), lapsed(), shipped())
    assert [shown(RESERVATIONS, made(), end).status for end in ends] == ["released", "lapsed", "shipped"]


def test_what_was_refused_or_released_before_it_was_asked_for_holds_nothing() -> None:
    assert shown(RESERVATIONS, refused(FIGS)).items == {}
    assert shown(RESERVATIONS, released()).items == {}


def test_each_order_has_a_reservation_of_its_own_and_a_product_none() -> None:
    assert len(rows(RESERVATIONS, [made(), made(order_id=B), stock_reserved(2)])) == 2


def test_a_part_that_is_given_back_is_held_no_more() -> None:
    assert shown(RESERVATIONS, made(), reduced((FIGS, 1))).items == {FIGS: 1, MILK: 1}
    assert shown(RESERVATIONS, made(), reduced((FIGS, 2))).items == {MILK: 1}


def test_what_an_amendment_adds_is_held_beside_the_rest_or_alone_where_all_was_called_off() -> None:
    assert shown(RESERVATIONS, made(), extended((FIGS, 3))).items == {FIGS: 5, MILK: 1}
    again = shown(RESERVATIONS, made(), released(part_id=B), extended((MILK, 2)))
    assert (again.status, again.items, again.expires_at) == ("held", {MILK: 2}, NOON + HOLD)
