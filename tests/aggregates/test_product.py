"""A product's listing and its stock: what may be said of it, and how much of it there may be."""

from datetime import timedelta

from aggregates.errors import ProductAlreadyWithdrawn, ProductExists, ProductUnknown, StockHeld
from aggregates.reservation import decider
from schemas.product import (
    AdjustStock,
    CountStock,
    DescribeProduct,
    PriceProduct,
    ReceiveStock,
    WithdrawProduct,
)
from tests.builders.product import (
    adjusted,
    counted,
    described,
    list_product,
    listed,
    priced,
    received,
    stock_reserved,
    withdrawn,
)
from tests.builders.values import EUR, FIGS
from tests.spec import Spec

product = Spec(decider(timedelta(minutes=15)))
DESCRIBE = DescribeProduct(sku=FIGS, name="Dried figs", description="from Izmir", department="dried fruit")
PRICE = PriceProduct(sku=FIGS, price=175, currency=EUR)


def test_a_product_is_listed_with_the_stock_there_is() -> None:
    product.when(list_product()).then(listed())
    product.when(list_product(stock=10)).then(listed(), received(10))


def test_listing_the_same_again_changes_nothing_not_even_the_stock() -> None:
    product.given(listed(), received(10)).when(list_product(stock=10)).then_nothing()


def test_listing_another_product_under_the_same_sku_is_refused() -> None:
    product.given(listed()).when(list_product(price=151)).then_rejected(ProductExists)


def test_a_product_is_described_and_priced_anew() -> None:
    product.given(listed()).when(DESCRIBE).then(described())
    product.given(listed()).when(PRICE).then(priced())


def test_saying_what_is_said_already_changes_nothing() -> None:
    product.given(listed(), described()).when(DESCRIBE).then_nothing()
    product.given(listed(), priced()).when(PRICE).then_nothing()


def test_a_product_is_withdrawn_once() -> None:
    product.given(listed()).when(WithdrawProduct(sku=FIGS)).then(withdrawn())
    product.given(listed(), withdrawn()).when(WithdrawProduct(sku=FIGS)).then_nothing()


def test_a_withdrawn_product_is_neither_described_nor_priced() -> None:
    product.given(listed(), withdrawn()).when(DESCRIBE).then_rejected(ProductAlreadyWithdrawn)
    product.given(listed(), withdrawn()).when(PRICE).then_rejected(ProductAlreadyWithdrawn)


def test_goods_are_received_as_often_as_they_come() -> None:
    product.given(listed()).when(ReceiveStock(sku=FIGS, quantity=5)).then(received(5))
    product.given(listed(), received(5)).when(ReceiveStock(sku=FIGS, quantity=5)).then(received(5))


def test_stock_is_adjusted_and_counted() -> None:
    broken = AdjustStock(sku=FIGS, delta=-2, reason="broken")
    product.given(listed(), received(5)).when(broken).then(adjusted(-2))
    product.given(listed(), received(5)).when(CountStock(sku=FIGS, quantity=3)).then(counted(3))


def test_an_adjustment_by_nothing_and_a_count_of_what_is_known_change_nothing() -> None:
    product.given(listed(), received(5)).when(AdjustStock(sku=FIGS, delta=0, reason="none")).then_nothing()
    product.given(listed(), received(5)).when(CountStock(sku=FIGS, quantity=5)).then_nothing()


def test_held_stock_can_neither_be_adjusted_nor_counted_away() -> None:
    held = product.given(listed(), received(5), stock_reserved(3))
    held.when(AdjustStock(sku=FIGS, delta=-3, reason="broken")).then_rejected(StockHeld)
    held.when(CountStock(sku=FIGS, quantity=2)).then_rejected(StockHeld)
    held.when(CountStock(sku=FIGS, quantity=3)).then(counted(3))


def test_no_shelf_goes_below_zero() -> None:
    product.given(listed()).when(AdjustStock(sku=FIGS, delta=-1, reason="broken")).then_rejected(StockHeld)


def test_nothing_can_be_asked_of_a_product_that_is_not_listed() -> None:
    asked = [
        DESCRIBE,
        PRICE,
        WithdrawProduct(sku=FIGS),
        ReceiveStock(sku=FIGS, quantity=1),
        AdjustStock(sku=FIGS, delta=1, reason="found"),
        CountStock(sku=FIGS, quantity=1),
    ]
    for command in asked:
        product.when(command).then_rejected(ProductUnknown)
