"""Views of every context: each event fits, and the view agrees with what the rules know."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from events.event import Event
from events.registry import EVENTS
from projections.order import ORDERS
from projections.payment import PAYMENTS
from projections.product import PRODUCTS
from projections.registry import PROJECTIONS
from projections.reservation import RESERVATIONS
from projections.revenue import REVENUE
from projections.search import SEARCH
from projections.spending import SPENDING
from projections.view import Projection
from schemas.order import OrderLine
from schemas.settings import CONTEXTS
from tests.aggregates import test_order_laws, test_payment_laws, test_stock_laws
from tests.aggregates.laws import moderately
from tests.builders.order import SKUS, placed
from tests.builders.values import A
from tests.golden.examples import EVENTS as EXAMPLES
from tests.projections.view import at, rows, shown
from tests.spec import Life


def _heard(projection: Projection) -> list[Event]:
    """An example of each event that a projection hears, that which opens its rows before all others."""
    examples = [EXAMPLES[cls.tag] for cls in EVENTS[projection.context]]
    return [event for event in examples if projection.key_of(event)]


@pytest.mark.parametrize("context", CONTEXTS)
def test_every_event_fits_the_views_of_its_context(context: str) -> None:
    for projection in PROJECTIONS[context]:
        opening, *others = _heard(projection)
        for event in (opening, *others):
            assert rows(projection, [opening, event])


@pytest.mark.parametrize("context", CONTEXTS)
def test_a_row_begins_with_its_key(context: str) -> None:
    for projection in PROJECTIONS[context]:
        opening = _heard(projection)[0]
        view = projection.project(None, opening, at(0))
        assert getattr(view, projection.key) == projection.key_of(opening)


@moderately
@given(test_order_laws.pasts)
def test_an_orders_view_says_what_the_rules_know(life: Life) -> None:
    state = life.state(f"order-{A}")
    view = shown(ORDERS, *life.history)
    assert (view.status, view.total) == (state.status.value, state.amount)
    assert set(view.uncommitted) == state.uncommitted


@moderately
@given(test_stock_laws.pasts)
def test_a_products_view_says_what_the_rules_know(life: Life) -> None:
    for sku, view in rows(PRODUCTS, life.history).items():
        state = life.state(f"product-{sku}")
        for name in ("on_hand", "held", "available", "withdrawn", "price", "locations", "threshold", "brand"):
            assert getattr(view, name) == getattr(state, name), name


@moderately
@given(test_stock_laws.pasts)
def test_what_a_product_holds_is_what_its_open_reservations_hold(life: Life) -> None:
    held: Counter[str] = Counter()
    for view in rows(RESERVATIONS, life.history).values():
        if view.status in ("held", "committed"):  # type: ignore[attr-defined]
            held.update(view.items)  # type: ignore[attr-defined]
    for sku, product in rows(PRODUCTS, life.history).items():
        assert product.held == held[sku]  # type: ignore[attr-defined]


@moderately
@given(test_stock_laws.pasts)
def test_search_says_of_a_product_what_the_catalogue_says(life: Life) -> None:
    products = rows(PRODUCTS, life.history)
    found = rows(SEARCH, life.history)
    assert found.keys() == products.keys()
    for sku, view in found.items():
        assert all(getattr(products[sku], name) == getattr(view, name) for name in SEARCH.fields)


@moderately
@given(test_order_laws.pasts)
def test_an_order_counts_from_its_confirmation_until_it_is_cancelled(life: Life) -> None:
    order, counts = shown(ORDERS, *life.history), shown(SPENDING, *life.history)
    sold = shown(REVENUE, *life.history)
    counted = order.confirmed_at is not None and order.status != "cancelled"
    assert (counts.counted, counts.amount, counts.customer_id) == (counted, order.total, order.customer_id)
    assert sold.day == (order.confirmed_at.date() if counted else None)


few = st.integers(1, 1000)


@moderately
@given(st.lists(st.builds(OrderLine, sku=st.sampled_from(SKUS), quantity=few, unit_price=few), min_size=1))
def test_the_lines_of_an_order_come_to_its_total(lines: list[OrderLine]) -> None:
    order = placed(lines=tuple(lines))
    sold = shown(REVENUE, order).lines
    assert sum(revenue for _, revenue in sold.values()) == order.total
    assert sum(quantity for quantity, _ in sold.values()) == sum(line.quantity for line in lines)


@moderately
@given(test_payment_laws.pasts)
def test_a_payments_view_says_what_the_rules_know(life: Life) -> None:
    view = shown(PAYMENTS, *life.history)
    assert view.captured - view.refunded == test_payment_laws.kept(life)
    pending = life.state(f"payment-{A}").refunds
    assert (view.status == "refunding") == bool(pending)
