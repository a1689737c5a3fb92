"""An order that leaves in parts: stock leaves with each, and what is left can be cancelled."""

from uuid import uuid4

import pytest

from schemas.order import CancelLine, DeliverOrder, OrderItem, PlaceOrder, ShipOrder
from tests.scenarios.house import House
from tests.scenarios.shop import PRICE, order, sku_on

pytestmark = pytest.mark.anyio


def ship(bought: PlaceOrder, *items: tuple[str, int]) -> ShipOrder:
    lines = tuple(OrderItem(sku=sku, quantity=quantity) for sku, quantity in items)
    return ShipOrder(order_id=bought.order_id, shipment_id=str(uuid4()), tracking="T1", lines=lines)


async def sold(house: House, *wanted: tuple[str, int]) -> PlaceOrder:
    await house.stocked({sku: 10 for sku, _ in wanted})
    bought = order(*wanted)
    await house.send(bought)
    await house.settle()
    return bought


async def test_stock_leaves_with_each_shipment_and_the_rest_stays_held(house: House) -> None:
    apple, pear = sku_on(0), sku_on(1)
    bought = await sold(house, (apple, 3), (pear, 2))

    await house.send(ship(bought, (apple, 1), (pear, 2)))
    await house.settle()

    assert house.status(bought.order_id) == "partially_shipped"
    assert (house.stock(apple), house.stock(pear)) == ((9, 2), (8, 0))
    await house.check()

    await house.send(DeliverOrder(order_id=bought.order_id))
    await house.handed_over(bought.order_id)

    assert house.status(bought.order_id) == "delivered"
    assert (house.stock(apple), house.stock(pear)) == ((7, 0), (8, 0))
    assert house.money(bought.order_id) == 5 * PRICE
    await house.check()


async def test_a_shipment_asked_for_twice_leaves_once(house: House) -> None:
    apple = sku_on(2)
    bought = await sold(house, (apple, 3))
    wish = ship(bought, (apple, 1))

    await house.send(wish)
    again = await house.send(wish)
    await house.settle()

    assert house.outcome(again) == "command.unchanged.v1"
    assert house.stock(apple) == (9, 2)
    await house.check()


async def test_the_part_that_is_not_shipped_is_cancelled_and_given_back(house: House) -> None:
    apple, pear = sku_on(3), sku_on(0)
    bought = await sold(house, (apple, 1), (pear, 2))
    await house.send(ship(bought, (apple, 1)))
    await house.settle()
    await house.send(DeliverOrder(order_id=bought.order_id))
    await house.settle()

    await house.send(CancelLine(order_id=bought.order_id, cancellation_id=str(uuid4()), sku=pear))
    await house.settle()

    assert house.status(bought.order_id) == "delivered"
    assert (house.stock(apple), house.stock(pear)) == ((9, 0), (10, 0))
    assert house.money(bought.order_id) == PRICE
    await house.check()


@pytest.mark.parametrize("moment", ["order.partly_shipped.v1", "stock.shipped.v1", "reservation.reduced.v1"])
async def test_the_rest_may_be_cancelled_at_any_moment_of_a_shipment(house: House, moment: str) -> None:
    apple, shipping = sku_on(1), str(uuid4())
    bought = await sold(house, (apple, 3))
    rest = CancelLine(order_id=bought.order_id, cancellation_id=str(uuid4()), sku=apple)
    house.log.at(moment, shipping, lambda: house.send(rest))

    await house.send(ship(bought, (apple, 2)), shipping)
    await house.said()
    await house.settle()

    assert house.status(bought.order_id) == "shipped"
    assert house.stock(apple) == (8, 0)
    assert house.money(bought.order_id) == 2 * PRICE
    await house.check()
