"""Which orders count, for whom, on which day."""

from datetime import timedelta

from projections.revenue import REVENUE
from projections.spending import SPENDING
from schemas.order import OrderLine
from tests.builders.order import (
    amended,
    cancelled,
    confirmed,
    delivered,
    line_cancelled,
    placed,
    rejected,
    return_received,
    returned,
    secured,
    shipped,
)
from tests.builders.values import BREAD, FIGS, MILK, NOON
from tests.projections.view import shown


def test_an_order_counts_once_it_is_confirmed_and_no_more_once_it_is_cancelled() -> None:
    assert shown(SPENDING, placed(), secured()).counted is False
    assert shown(SPENDING, placed(), secured(), confirmed(), shipped(), delivered()).counted is True
    assert shown(SPENDING, placed(), secured(), confirmed(), cancelled()).counted is False
    assert shown(SPENDING, placed(), rejected()).counted is False


def test_revenue_is_of_the_day_of_the_confirmation_in_utc() -> None:
    placed_view = REVENUE.project(None, placed(), NOON)
    late = NOON + timedelta(hours=11, minutes=59)
    assert REVENUE.project(placed_view, confirmed(), late).day.isoformat() == "2026-03-02"
    assert REVENUE.project(placed_view, confirmed(), late + timedelta(minutes=1)).day.isoformat() == "2026-03-03"
    assert shown(REVENUE, placed(), confirmed(), cancelled()).day is None


def test_lines_of_the_same_product_are_one() -> None:
    twice = (OrderLine(sku=FIGS, quantity=2, unit_price=150), OrderLine(sku=FIGS, quantity=1, unit_price=100))
    assert shown(REVENUE, placed(lines=twice)).lines == {FIGS: (3, 400)}
    assert shown(REVENUE, placed()).lines == {FIGS: (2, 300), MILK: (1, 300), BREAD: (1, 250)}


def test_what_is_off_of_an_order_is_neither_spent_nor_sold_and_tax_is_no_revenue() -> None:
    less = line_cancelled(FIGS, 1, 1, 160).model_copy(update={"tax_cents": 10})
    assert shown(SPENDING, placed(), less).amount == 690
    assert shown(REVENUE, placed(), confirmed(), less).lines[FIGS] == (1, 150)


def test_what_came_back_is_neither_spent_nor_sold_unless_it_was_refused() -> None:
    back = return_received(returned(FIGS, 1, "damaged", 160, 10), returned(MILK, 1, "refuse", 0))
    assert shown(SPENDING, placed(), back).amount == 690
    assert shown(REVENUE, placed(), confirmed(), back).lines == {FIGS: (1, 150), MILK: (1, 300), BREAD: (1, 250)}


def test_an_amended_order_counts_as_it_is_now() -> None:
    more = amended(OrderLine(sku=FIGS, quantity=5, unit_price=150, tax_cents=30), shipping=40)
    assert shown(SPENDING, placed(), more, confirmed()).amount == 750 + 30 + 40
    assert shown(REVENUE, placed(), more, confirmed()).lines == {FIGS: (5, 750)}
