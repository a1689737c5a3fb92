"""What clients see of an order."""

from projections.order import ORDERS
from tests.builders.order import (
    K1,
    K2,
    LINES,
    address_changed,
    amended,
    cancelled,
    committed,
    confirmed,
    delivered,
    items_of,
    line_cancelled,
    noted,
    partly_shipped,
    placed,
    rejected,
    reserved,
    return_received,
    return_requested,
    returned,
    secured,
    shipment_delivered,
    shipped,
    shipped_in_the_early_days,
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


def test_each_shipment_shows_its_items_and_when_it_left_and_arrived() -> None:
    past = (placed(), secured(), confirmed(), committed(), partly_shipped((FIGS, 1)))
    part = shown(ORDERS, *past)
    assert (part.status, part.ready_to_ship, part.tracking) == ("partially_shipped", True, "1Z")
    assert part.shipments == [
        {"shipment_id": K1, "tracking": "1Z", "items": {FIGS: 1}, "shipped_at": at(4).isoformat(), "delivered_at": None}
    ]
    whole = shown(ORDERS, *past, shipped("2Z", (FIGS, 1), (MILK, 1), (BREAD, 1), which=K2), shipment_delivered(K1))
    assert (whole.status, whole.ready_to_ship) == ("shipped", False)
    assert [each["delivered_at"] for each in whole.shipments] == [at(6).isoformat(), None]


def test_an_order_of_which_all_that_was_not_shipped_is_cancelled_is_shipped() -> None:
    past = (placed(), secured(), confirmed(), committed(), partly_shipped((FIGS, 2), (MILK, 1)))
    view = shown(ORDERS, *past, line_cancelled(BREAD, 1, 0, 250, K2))
    assert (view.status, view.ready_to_ship) == ("shipped", False)


def test_a_shipment_of_the_early_days_has_all_that_was_left() -> None:
    view = shown(ORDERS, placed(), secured(), confirmed(), committed(), shipped_in_the_early_days("1Z"), delivered())
    assert [each["items"] for each in view.shipments] == [{FIGS: 2, MILK: 1, BREAD: 1}]
    assert view.shipments[0]["delivered_at"] == at(5).isoformat()


def test_a_return_shows_what_was_announced_what_came_and_what_is_paid_back() -> None:
    past = (placed(), confirmed(), shipped(), delivered(), return_requested((FIGS, 2)))
    view = shown(ORDERS, *past)
    assert (view.returns[0]["items"], view.returns[0]["received_at"], view.total) == ({FIGS: 2}, None, 850)
    view = shown(ORDERS, *past, return_received(returned(FIGS, 1, "restock", 150), returned(FIGS, 1, "refuse", 0)))
    assert (view.status, view.total, view.returns[0]["amount"]) == ("delivered", 700, 150)
    assert [item["verdict"] for item in view.returns[0]["received"]] == ["restock", "refuse"]


def test_notes_for_staff_are_apart_from_those_for_everyone() -> None:
    view = shown(ORDERS, placed(), noted("fragile"), noted("ring twice", "everyone", by="ada"))
    assert [note["text"] for note in view.staff_notes] == ["fragile"]
    assert view.notes == [{"note_id": K1, "text": "ring twice", "by": "ada", "at": at(2).isoformat()}]


def test_an_order_shows_where_it_goes_now() -> None:
    assert shown(ORDERS, placed(), address_changed("Shelbyville")).shipping_address["city"] == "Shelbyville"


def test_an_amended_order_shows_what_is_ordered_now_and_what_it_comes_to() -> None:
    figs = LINES[0].model_copy(update={"quantity": 5, "tax_cents": 30})
    more = amended(figs, LINES[1], added=items_of((FIGS, 3)), removed=items_of((BREAD, 1)), shipping=40)
    view = shown(ORDERS, placed(), line_cancelled(), more)
    assert (view.status, view.total, view.line_count, view.shipping_cents) == ("placed", 750 + 30 + 300 + 40, 2, 40)
    assert (view.lines[0]["quantity"], view.lines[0]["tax_cents"], view.cancelled) == (5, 30, {})
