"""Money taken per shipment, through whole sagas: each shipment pays for itself, and the sum is what is owed."""

from uuid import uuid4

import pytest

from schemas.order import (
    CancelLine,
    CancelOrder,
    DeliverOrder,
    InspectedItem,
    OrderItem,
    PlaceOrder,
    ReceiveReturn,
    RequestReturn,
    ShipOrder,
)
from schemas.payment import RefundPayment
from schemas.values import Verdict
from tests.scenarios.house import House
from tests.scenarios.shop import PRICE, order, sku_on
from tests.scenarios.till import answer_lost, declines, down
from workers.provider import EXPIRED

pytestmark = pytest.mark.anyio
in_memory = pytest.mark.parametrize("house", ["memory"], indirect=True)
"""On the real log, one test or two of this file are enough."""


async def sold(house: House, *lines: tuple[str, int]) -> PlaceOrder:
    """An order that is confirmed, and of whose money none is taken."""
    await house.stocked({sku: 10 for sku, _ in lines})
    bought = order(*lines, capture="per_shipment")
    await house.send(bought)
    await house.settle()
    return bought


async def ship(house: House, bought: PlaceOrder, *lines: tuple[str, int]) -> str:
    items = tuple(OrderItem(sku=sku, quantity=quantity) for sku, quantity in lines)
    return await house.send(ShipOrder(order_id=bought.order_id, shipment_id=str(uuid4()), lines=items))


async def bring_back(house: House, bought: PlaceOrder, sku: str, verdict: Verdict) -> None:
    """One of a SKU was delivered, comes back, and is inspected."""
    order_id, return_id = bought.order_id, str(uuid4())
    await house.send(DeliverOrder(order_id=order_id))
    item = OrderItem(sku=sku, quantity=1)
    await house.send(RequestReturn(order_id=order_id, return_id=return_id, items=(item,), reason="too small"))
    back = InspectedItem(sku=sku, quantity=1, verdict=verdict)
    await house.send(ReceiveReturn(order_id=order_id, return_id=return_id, items=(back,)))


@in_memory
async def test_each_shipment_takes_the_money_of_what_is_in_it(house: House) -> None:
    apple, pear = sku_on(0), sku_on(1)
    bought = await sold(house, (apple, 3), (pear, 2))
    assert (house.status(bought.order_id), house.money(bought.order_id)) == ("confirmed", 0)
    await house.check()

    await ship(house, bought, (apple, 1), (pear, 1))
    await house.settle()
    assert house.till.ledger(bought.order_id, "capture") == [2 * PRICE]
    await house.check()

    await house.handed_over(bought.order_id)
    assert house.till.ledger(bought.order_id, "capture") == [2 * PRICE, 3 * PRICE]
    assert house.till.ledger(bought.order_id, "authorize") == [5 * PRICE]
    await house.check()


@in_memory
@pytest.mark.parametrize("fault", [down, answer_lost])
async def test_shipments_close_upon_each_other_are_paid_for_once_each(house: House, fault: object) -> None:
    apple = sku_on(2)
    bought = await sold(house, (apple, 3))
    house.till.script(bought.order_id, "capture", fault, fault, fault)  # type: ignore[arg-type]

    for _ in range(3):
        await ship(house, bought, (apple, 1))
    await house.settle()

    assert house.till.ledger(bought.order_id, "capture") == [PRICE] * 3
    assert len(set(house.till.calls[bought.order_id, "capture"])) == 3
    await house.check()


@in_memory
async def test_what_is_called_off_before_it_ships_is_never_taken(house: House) -> None:
    apple, pear = sku_on(3), sku_on(0)
    bought = await sold(house, (apple, 2), (pear, 2))
    await ship(house, bought, (apple, 1))
    await house.send(CancelLine(order_id=bought.order_id, cancellation_id=str(uuid4()), sku=pear, quantity=1))
    await house.settle()
    await house.check()

    await house.send(CancelLine(order_id=bought.order_id, cancellation_id=str(uuid4()), sku=pear))
    await house.send(CancelLine(order_id=bought.order_id, cancellation_id=str(uuid4()), sku=apple))
    await house.settle()

    assert house.status(bought.order_id) == "shipped"
    assert house.till.ledger(bought.order_id, "capture") == [PRICE, 0]  # the rest is let go
    assert house.till.ledger(bought.order_id, "refund") == []
    await house.check()


async def test_goods_that_come_back_are_paid_back_of_what_was_taken_and_the_rest_is_taken_as_ever(house: House) -> None:
    apple = sku_on(1)
    bought = await sold(house, (apple, 4))
    order_id = bought.order_id
    await ship(house, bought, (apple, 2))
    await house.settle()
    await bring_back(house, bought, apple, "damaged")
    await house.settle()
    assert house.money(order_id) == PRICE
    await house.check()

    await house.send(RefundPayment(order_id=order_id, refund_id=str(uuid4()), amount=10))
    await house.handed_over(order_id)

    assert house.till.ledger(order_id, "capture") == [2 * PRICE, 2 * PRICE]
    assert house.money(order_id) == 3 * PRICE - 10
    await house.check()


@in_memory
async def test_an_order_that_is_called_off_before_anything_ships_is_voided(house: House) -> None:
    apple = sku_on(2)
    bought = await sold(house, (apple, 2))

    await house.send(CancelOrder(order_id=bought.order_id))
    await house.settle()

    assert house.till.ledger(bought.order_id, "void") == [0]
    await house.check()


@in_memory
async def test_what_expires_before_the_first_shipment_is_asked_for_again(house: House) -> None:
    apple = sku_on(3)
    bought = await sold(house, (apple, 2))
    house.till.script(bought.order_id, "capture", declines(EXPIRED))

    await ship(house, bought, (apple, 1))
    await house.handed_over(bought.order_id)

    assert house.till.ledger(bought.order_id, "authorize") == [2 * PRICE, 2 * PRICE]
    assert house.till.ledger(bought.order_id, "capture") == [PRICE, PRICE]
    await house.check()
