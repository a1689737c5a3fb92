"""What clients see of an order."""

from projections.order import ORDERS
from tests.builders.order import (
    K2,
    cancelled,
    committed,
    confirmed,
    delivered,
    line_cancelled,
    placed,
    rejected,
    reserved,
    secured,
    shipped,
)
from tests.builders.values import BREAD, FIGS, MILK, A, B
from tests.projections.view import at, rows, shown

CONFIRMED = (placed(), reserved(FIGS, MILK), secured(), confirmed())


def test_a_placed_order_shows_its_lines_its_total_and_where_it_goes() -> None:
    view = shown(ORDERS, placed())
    assert (view.order_id, view.customer_id, view.status, view.total, view.line_count) == (A, "ada", "placed", 850, 3)
    assert view.lines[0] == {"sku": FIGS, "quantity": 2, "unit_price": 150, "tax_cents": 0}
    assert view.shipping_address["street"] == "1 Mill Lane"
    assert (view.placed_at, view.updated_at, view.confirmed_at) == (at(0), at(0), None)


def test_a_confirmed_order_shows_since_when() -> None:
    view = shown(ORDERS, *CONFIRMED)
    assert (view.status, view.confirmed_at, view.updated_at) == ("confirmed", at(3), at(3))


def test_an_order_is_ready_to_ship_once_every_line_is_committed() -> None:
    half = shown(ORDERS, *CONFIRMED, committed(FIGS, MILK))
    assert (half.uncommitted, half.ready_to_ship) == ([BREAD], False)
    whole = shown(ORDERS, *CONFIRMED, committed(FIGS, MILK), committed(BREAD))
    assert (whole.uncommitted, whole.ready_to_ship) == ([], True)


def test_a_shipped_order_shows_its_tracking_and_is_not_to_be_shipped_again() -> None:
    view = shown(ORDERS, *CONFIRMED, committed(), shipped("1Z"))
    assert (view.status, view.tracking, view.ready_to_ship) == ("shipped", "1Z", False)
    assert shown(ORDERS, *CONFIRMED, committed(), shipped("1Z"), delivered()).status == "delivered"


def test_a_rejected_order_says_why_and_what_was_short() -> None:
    view = shown(ORDERS, placed(), reserved(FIGS, MILK), rejected("out of stock", BREAD))
    assert (view.status, view.reason) == ("rejected", "out of stock: bread")
    assert shown(ORDERS, placed(), rejected("payment overdue")).reason == "payment overdue"


def test_a_cancelled_order_says_why_and_is_not_to_be_shipped() -> None:
    view = shown(ORDERS, *CONFIRMED, committed(), cancelled("too slow"))
    assert (view.status, view.reason, view.ready_to_ship) == ("cancelled", "too slow", False)


def test_each_order_has_a_row_of_its_own() -> None:
    views = rows(ORDERS, [placed(A), placed(B), cancelled(order_id=B)])
    assert {key: view.status for key, view in views.items()} == {A: "placed", B: "cancelled"}  # type: ignore[attr-defined]


def test_what_happened_to_an_order_that_was_never_placed_shows_nothing() -> None:
    assert rows(ORDERS, [secured(), confirmed(), cancelled()]) == {}


def test_a_cancelled_line_stays_visible_and_is_not_in_the_total() -> None:
    view = shown(ORDERS, placed(), line_cancelled(), line_cancelled(FIGS, 1, 0, 150, K2))
    assert (view.total, view.cancelled, len(view.lines)) == (550, {FIGS: 2}, 3)


def test_an_order_is_ready_once_the_line_that_was_not_committed_is_off() -> None:
    past = (placed(), secured(), confirmed(), committed(FIGS, MILK))
    assert not shown(ORDERS, *past).ready_to_ship
    assert shown(ORDERS, *past, line_cancelled(BREAD, 1, 0, 250)).ready_to_ship
    assert not shown(ORDERS, placed(), line_cancelled(BREAD, 1, 0, 250)).ready_to_ship
