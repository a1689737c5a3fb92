"""Orders that are amended while their stock is being asked for, through whole sagas: in time, or refused."""

from uuid import uuid4

import pytest

from schemas.order import AmendOrder, CancelLine, OrderLine, PlaceOrder
from tests.scenarios.house import House
from tests.scenarios.shop import PRICE, order, sku_on

pytestmark = pytest.mark.anyio
in_memory = pytest.mark.parametrize("house", ["memory"], indirect=True)
"""On the real log, one test or two of this file are enough."""


def amended(bought: PlaceOrder, *lines: tuple[str, int]) -> AmendOrder:
    told = tuple(OrderLine(sku=sku, quantity=quantity, unit_price=PRICE) for sku, quantity in lines)
    return AmendOrder(order_id=bought.order_id, amendment_id=str(uuid4()), lines=told)


async def placed_unheard(house: House, *lines: tuple[str, int], **more: str) -> PlaceOrder:
    """An order that product has not heard of yet."""
    await house.stop("product")
    bought = order(*lines, **more)  # type: ignore[arg-type]
    placing = await house.send(bought)
    await house.told("order.placed.v1", placing)
    return bought


async def test_what_is_added_in_time_is_held_paid_for_and_shipped_like_the_rest(house: House) -> None:
    apple, pear, plum = sku_on(0), sku_on(1), sku_on(0)
    await house.stocked({apple: 10, pear: 10, plum: 10})
    bought = await placed_unheard(house, (apple, 2), (pear, 3))

    change = await house.send(amended(bought, (apple, 4), (pear, 1), (plum, 1)))
    await house.told("order.amended.v1", change)
    await house.start("product")
    await house.settle()

    assert (house.status(bought.order_id), house.money(bought.order_id)) == ("confirmed", 6 * PRICE)
    assert [house.stock(sku)[1] for sku in (apple, pear, plum)] == [4, 1, 1]
    await house.check()
    late = await house.send(amended(bought, (plum, 5)))
    await house.handed_over(bought.order_id)
    assert house.outcome(late) == "OrderAlreadySecured"
    assert [house.stock(sku) for sku in (apple, pear, plum)] == [(6, 0), (9, 0), (9, 0)]
    await house.check()


@in_memory
async def test_what_cannot_be_added_in_full_rejects_the_order_and_holds_nothing(house: House) -> None:
    apple, pear = sku_on(1), sku_on(2)
    await house.stocked({apple: 3, pear: 10})
    bought = await placed_unheard(house, (apple, 2), (pear, 1))

    await house.send(amended(bought, (apple, 4)))
    await house.start("product")
    await house.settle()

    assert (house.status(bought.order_id), house.stock(apple), house.stock(pear)) == ("rejected", (3, 0), (10, 0))
    await house.check()


@pytest.mark.long
@in_memory
async def test_all_of_a_shelf_may_be_called_off_and_something_of_it_added_again(house: House) -> None:
    apple, pear, plum = sku_on(2), sku_on(3), sku_on(2)
    await house.stocked({apple: 10, pear: 10, plum: 10})
    bought = await placed_unheard(house, (apple, 2), (pear, 1))

    await house.send(CancelLine(order_id=bought.order_id, cancellation_id=str(uuid4()), sku=apple))
    await house.send(amended(bought, (plum, 2)))
    await house.send(amended(bought, (plum, 3)))
    await house.start("product")
    await house.settle()

    assert (house.status(bought.order_id), house.money(bought.order_id)) == ("confirmed", 4 * PRICE)
    assert [house.stock(sku)[1] for sku in (apple, pear, plum)] == [0, 1, 3]
    await house.handed_over(bought.order_id)
    await house.check()


@in_memory
async def test_of_an_amendment_and_the_saga_under_way_one_wins(house: House) -> None:
    apple, plum = sku_on(3), sku_on(0)
    await house.stocked({apple: 500, plum: 500})
    sales = [order((apple, 1)) for _ in range(12)]
    changes = []

    for bought in sales:
        await house.send(bought)
        changes.append(await house.send(amended(bought, (plum, 1))))
    await house.settle()

    for bought, change in zip(sales, changes, strict=True):
        both = {"order.amended.v1": 2 * PRICE, "OrderAlreadySecured": PRICE}
        assert house.money(bought.order_id) == both[house.outcome(change)]
    await house.check()
