"""An order's way when nothing goes wrong, for small orders and large ones."""

import pytest

from events.order import OrderDelivered, OrderLinesCommitted
from schemas.order import DeliverOrder, ShipOrder
from tests.scenarios.house import House
from tests.scenarios.shop import PRICE, order, sku_on

pytestmark = pytest.mark.anyio


async def test_an_order_is_secured_paid_shipped_and_delivered(house: House) -> None:
    apple, pear = sku_on(0), sku_on(3)
    await house.stocked({apple: 10, pear: 10})
    bought = order((apple, 2), (pear, 3))

    await house.send(bought)
    await house.settle()
    await house.send(ShipOrder(order_id=bought.order_id, tracking="T1"))
    await house.settle()
    await house.send(DeliverOrder(order_id=bought.order_id))
    await house.settle()

    tags = house.history(bought.stream)
    assert tags[-1] == OrderDelivered.tag
    assert tags.count(OrderLinesCommitted.tag) == 2
    assert (house.stock(apple), house.stock(pear)) == ((8, 0), (7, 0))
    assert house.money(bought.order_id) == 5 * PRICE
    await house.check()
