"""Views of every context: each event fits, and the view agrees with what the rules know."""

import pytest
from hypothesis import given

from events.registry import EVENTS
from projections.order import ORDERS
from projections.payment import PAYMENTS
from projections.product import PRODUCTS
from projections.registry import PROJECTIONS
from schemas.settings import CONTEXTS
from tests.aggregates import test_order_laws, test_payment_laws, test_stock_laws
from tests.aggregates.laws import moderately
from tests.builders.values import A
from tests.golden.examples import EVENTS as EXAMPLES
from tests.projections.view import at, rows, shown
from tests.spec import Life


@pytest.mark.parametrize("context", CONTEXTS)
def test_every_event_fits_the_views_of_its_context(context: str) -> None:
    for projection in PROJECTIONS[context]:
        opened = [EXAMPLES[cls.tag] for cls in EVENTS[context]][:1]
        for event in (EXAMPLES[cls.tag] for cls in EVENTS[context]):
            if projection.key_of(event):
                assert rows(projection, [*opened, event])


@pytest.mark.parametrize("context", CONTEXTS)
def test_a_row_begins_with_its_key(context: str) -> None:
    for projection in PROJECTIONS[context]:
        opening = EXAMPLES[EVENTS[context][0].tag]
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
        known = (state.on_hand, state.held, state.available, state.withdrawn, state.price)
        assert (view.on_hand, view.held, view.available, view.withdrawn, view.price) == known  # type: ignore[attr-defined]


@moderately
@given(test_payment_laws.pasts)
def test_a_payments_view_says_what_the_rules_know(life: Life) -> None:
    view = shown(PAYMENTS, *life.history)
    assert view.captured - view.refunded == test_payment_laws.kept(life)
    pending = life.state(f"payment-{A}").refunds
    assert (view.status == "refunding") == bool(pending)
