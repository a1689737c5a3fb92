"""Orders that stock or the bank say no to: whatever was done for them is undone."""

import asyncio

import pytest

from schemas.product import WithdrawProduct
from tests.scenarios.house import House
from tests.scenarios.shop import PRICE, order, sku_on
from tests.scenarios.till import declines

pytestmark = pytest.mark.anyio


async def test_a_line_refused_after_others_were_reserved_gives_those_back(house: House) -> None:
    plenty, scarce = sku_on(0), sku_on(1)
    await house.stocked({plenty: 10, scarce: 1})
    bought = order((plenty, 2), (scarce, 2))

    await house.send(bought)
    await house.settle()

    assert house.status(bought.order_id) == "rejected"
    assert (house.stock(plenty), house.stock(scarce)) == ((10, 0), (1, 0))
    assert not house.till.calls[bought.order_id, "authorize"]
    await house.check()


async def test_a_shelf_holds_all_of_its_lines_or_none(house: House) -> None:
    plenty, scarce = sku_on(2), sku_on(2)
    await house.stocked({plenty: 10, scarce: 1})
    bought = order((plenty, 2), (scarce, 2))

    await house.send(bought)
    await house.settle()

    assert "stock.reserved.v1" not in house.history(f"product-{plenty}")
    assert house.history(bought.stream) == ["order.placed.v1", "order.rejected.v1"]
    await house.check()


async def test_an_order_for_what_nobody_sells_is_rejected(house: House) -> None:
    bought = order((sku_on(0), 1))

    await house.send(bought)
    await house.settle()

    assert house.status(bought.order_id) == "rejected"
    await house.check()


async def test_a_declined_card_gives_the_goods_back(house: House) -> None:
    apple = sku_on(1)
    await house.stocked({apple: 10})
    bought = order((apple, 4), token="tok_declined")

    await house.send(bought)
    await house.settle()

    assert house.status(bought.order_id) == "rejected"
    assert house.stock(apple) == (10, 0)
    assert house.money(bought.order_id) == 0
    await house.check()


async def test_a_capture_that_is_declined_calls_the_order_off(house: House) -> None:
    apple = sku_on(1)
    await house.stocked({apple: 10})
    bought = order((apple, 4))
    house.till.script(bought.order_id, "capture", declines("card_expired"))

    await house.send(bought)
    await house.settle()

    assert house.status(bought.order_id) == "cancelled"
    assert house.stock(apple) == (10, 0)
    await house.check()


async def test_a_withdrawn_product_is_not_sold_but_what_is_held_is_still_shipped(house: House) -> None:
    apple = sku_on(3)
    await house.stocked({apple: 10})
    before, after = order((apple, 1)), order((apple, 1))

    await house.send(before)
    await house.settle()
    await house.send(WithdrawProduct(sku=apple))
    await house.send(after)
    await house.settle()
    await house.handed_over(before.order_id)

    assert house.status(before.order_id) == "delivered"
    assert house.status(after.order_id) == "rejected"
    await house.check()


async def test_of_two_customers_who_race_for_the_last_item_one_gets_it(house: House) -> None:
    last, other = sku_on(0), sku_on(2)
    await house.stocked({last: 1, other: 5})
    ada, bob = order((last, 1), (other, 1)), order((other, 1), (last, 1))

    await asyncio.gather(house.send(ada), house.send(bob))
    await house.settle()

    assert sorted([house.status(ada.order_id), house.status(bob.order_id)]) == ["confirmed", "rejected"]
    assert (house.stock(last), house.stock(other)) == ((1, 1), (5, 1))
    await house.check()


async def test_a_hot_product_is_sold_as_often_as_there_is_stock(house: House) -> None:
    hot = sku_on(1)
    await house.stocked({hot: 7})
    orders = [order((hot, 1)) for _ in range(30)]

    await asyncio.gather(*map(house.send, orders))
    await house.settle()

    confirmed = [bought.order_id for bought in orders if house.status(bought.order_id) == "confirmed"]
    assert len(confirmed) == 7
    assert house.stock(hot) == (7, 7)
    assert sum(map(house.money, confirmed)) == 7 * PRICE
    await house.check()
