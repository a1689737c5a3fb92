"""What clients see of a product and its stock."""

from projections.product import PRODUCTS
from tests.builders.product import (
    adjusted,
    counted,
    described,
    listed,
    made,
    priced,
    received,
    released,
    stock_released,
    stock_reserved,
    stock_shipped,
    withdrawn,
)
from tests.builders.values import FIGS, MILK
from tests.projections.view import at, rows, shown


def test_a_listed_product_has_no_stock_yet() -> None:
    view = shown(PRODUCTS, listed())
    assert (view.sku, view.name, view.price, view.on_hand, view.available) == (FIGS, "Figs", 150, 0, 0)


def test_a_product_shows_what_is_said_of_it_last() -> None:
    view = shown(PRODUCTS, listed(), described(), priced(175))
    assert (view.name, view.department, view.price, view.updated_at) == ("Dried figs", "dried fruit", 175, at(2))


def test_a_withdrawn_product_says_so() -> None:
    assert shown(PRODUCTS, listed()).withdrawn is False
    assert shown(PRODUCTS, listed(), withdrawn()).withdrawn is True


def test_stock_is_what_was_received_adjusted_and_counted() -> None:
    assert shown(PRODUCTS, listed(), received(5), adjusted(-2)).on_hand == 3
    assert shown(PRODUCTS, listed(), received(5), counted(9)).on_hand == 9


def test_held_stock_is_on_the_shelf_but_not_available() -> None:
    view = shown(PRODUCTS, listed(), received(5), stock_reserved(2))
    assert (view.on_hand, view.held, view.available) == (5, 2, 3)


def test_released_stock_is_available_again() -> None:
    view = shown(PRODUCTS, listed(), received(5), stock_reserved(2), stock_released(2))
    assert (view.on_hand, view.held, view.available) == (5, 0, 5)


def test_shipped_stock_has_left_the_shelf() -> None:
    view = shown(PRODUCTS, listed(), received(5), stock_reserved(2), stock_shipped(2))
    assert (view.on_hand, view.held, view.available, view.shipped) == (3, 0, 3, 2)


def test_a_reservation_changes_no_product_by_itself() -> None:
    assert rows(PRODUCTS, [listed(FIGS), listed(MILK)]) == rows(
        PRODUCTS, [listed(FIGS), listed(MILK), made(), released()]
    )


def test_stock_of_a_product_that_was_never_listed_shows_nothing() -> None:
    assert rows(PRODUCTS, [received(5), stock_reserved(2)]) == {}
