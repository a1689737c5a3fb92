"""A customer who changes their mind, at every moment of an order's way."""

import asyncio
from uuid import uuid4

import pytest

from schemas.order import CancelOrder, DeliverOrder, ShipOrder
from tests.scenarios.house import House
from tests.scenarios.moments import DELIVERING, PLACING, SHIPPING
from tests.scenarios.shop import order, sku_on
from tests.scenarios.till import held_after, held_before

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("moment", PLACING)
async def test_an_order_cancelled_before_it_is_shipped_leaves_nothing_behind(house: House, moment: str) -> None:
    apple, pear = sku_on(0), sku_on(1)
    await house.stocked({apple: 10, pear: 10})
    bought, placing = order((apple, 1), (pear, 2)), str(uuid4())
    house.log.at(moment, placing, lambda: house.send(CancelOrder(order_id=bought.order_id)))

    await house.send(bought, placing)
    await house.said()
    await house.settle()
    await house.handed_over(bought.order_id)

    assert house.status(bought.order_id) == "cancelled"
    assert (house.stock(apple), house.stock(pear)) == ((10, 0), (10, 0))
    assert house.money(bought.order_id) == 0
    await house.check()


@pytest.mark.parametrize("moment", [*SHIPPING, *DELIVERING])
async def test_an_order_cannot_be_cancelled_once_it_is_shipped(house: House, moment: str) -> None:
    apple = sku_on(2)
    await house.stocked({apple: 10})
    bought, cancelling = order((apple, 1)), str(uuid4())
    await house.send(bought)
    await house.settle()

    for command in (ShipOrder(order_id=bought.order_id), DeliverOrder(order_id=bought.order_id)):
        request = str(uuid4())
        house.log.at(moment, request, lambda: house.send(CancelOrder(order_id=bought.order_id), cancelling))
        await house.send(command, request)
        await house.settle()

    assert house.outcome(cancelling) == "OrderAlreadyShipped"
    assert house.status(bought.order_id) == "delivered"
    await house.check()


async def test_a_cancellation_before_the_order_is_refused_and_the_order_goes_on(house: House) -> None:
    apple = sku_on(3)
    await house.stocked({apple: 10})
    bought = order((apple, 1))

    cancelling = await house.send(CancelOrder(order_id=bought.order_id))
    await house.send(bought)
    await house.settle()

    assert house.outcome(cancelling) == "OrderUnknown"
    assert house.status(bought.order_id) == "confirmed"
    await house.check()


async def test_a_second_cancellation_changes_nothing(house: House) -> None:
    apple = sku_on(0)
    await house.stocked({apple: 10})
    bought = order((apple, 1))
    await house.send(bought)
    await house.settle()

    await house.send(CancelOrder(order_id=bought.order_id))
    again = await house.send(CancelOrder(order_id=bought.order_id))
    await house.settle()

    assert house.outcome(again) == "command.unchanged.v1"
    await house.check()


@pytest.mark.parametrize("held", [held_before, held_after])
async def test_an_authorization_that_arrives_after_the_cancellation_is_voided_once(house: House, held: type) -> None:
    apple, gate = sku_on(1), asyncio.Event()
    await house.stocked({apple: 10})
    bought = order((apple, 1))
    house.till.script(bought.order_id, "authorize", held(gate))

    placing = await house.send(bought)
    await house.told("payment.requested.v1", placing)
    cancelling = await house.send(CancelOrder(order_id=bought.order_id))
    await house.told("payment.cancelled.v1", cancelling)
    gate.set()
    await house.settle()

    assert house.till.ledger(bought.order_id, "void") == [0]
    assert house.status(bought.order_id) == "cancelled"
    await house.check()


@pytest.mark.parametrize("held", [held_before, held_after])
async def test_a_capture_that_is_answered_after_the_cancellation_is_refunded_once(house: House, held: type) -> None:
    apple, gate = sku_on(2), asyncio.Event()
    await house.stocked({apple: 10})
    bought = order((apple, 1))
    house.till.script(bought.order_id, "capture", held(gate))

    placing = await house.send(bought)
    await house.told("payment.capture_requested.v1", placing)
    cancelling = await house.send(CancelOrder(order_id=bought.order_id))
    await house.told("payment.cancelled.v1", cancelling)
    gate.set()
    await house.settle()

    assert house.till.ledger(bought.order_id, "refund") == [250]
    assert house.money(bought.order_id) == 0
    await house.check()
