"""What search knows of a product."""

from projections.search import SEARCH
from tests.builders.product import described, listed, priced, received, stock_reserved, withdrawn
from tests.projections.view import shown


def test_a_product_is_found_by_what_is_said_of_it_last() -> None:
    view = shown(SEARCH, listed(), described())
    assert (view.name, view.department, view.description) == ("Dried figs", "dried fruit", "from Izmir")
    assert (view.withdrawn, shown(SEARCH, listed(), withdrawn()).withdrawn) == (False, True)


def test_prices_and_stock_do_not_reach_it() -> None:
    assert [SEARCH.key_of(event) for event in (priced(), received(5), stock_reserved(2))] == [None] * 3
