"""Authorizations that expire before their money is captured: it is asked for once more, or the order is off."""

import asyncio

import pytest

from schemas.order import CancelOrder
from tests.scenarios.house import House
from tests.scenarios.shop import PRICE, order, sku_on
from tests.scenarios.till import declines, down, expiring, held_before, plain
from workers.provider import EXPIRED

pytestmark = pytest.mark.anyio
in_memory = pytest.mark.parametrize("house", ["memory"], indirect=True)
"""On the real log, one test or two of this file are enough."""


async def test_a_capture_that_comes_too_late_is_made_once_the_same_card_has_authorized_again(house: House) -> None:
    apple = sku_on(0)
    await house.stocked({apple: 10})
    bought = order((apple, 2))
    house.till.script(bought.order_id, "capture", declines(EXPIRED), down)

    await house.send(bought)
    await house.settle()

    assert house.status(bought.order_id) == "confirmed"
    assert house.money(bought.order_id) == 2 * PRICE
    assert house.till.ledger(bought.order_id, "authorize") == [2 * PRICE, 2 * PRICE]
    assert len(set(house.till.calls[bought.order_id, "capture"])) == 2
    await house.check()


@in_memory
async def test_what_expires_twice_is_given_up_and_the_goods_go_back_to_their_shelf(house: House) -> None:
    apple = sku_on(1)
    await house.stocked({apple: 10})
    bought = order((apple, 2))
    house.till.script(bought.order_id, "capture", declines(EXPIRED), declines(EXPIRED))

    await house.send(bought)
    await house.settle()

    assert (house.status(bought.order_id), house.stock(apple)) == ("cancelled", (10, 0))
    assert house.history(f"payment-{bought.order_id}")[-1] == "payment.authorization_expired.v1"
    await house.check()


@in_memory
async def test_a_card_that_does_not_authorize_again_ends_its_order(house: House) -> None:
    apple = sku_on(2)
    await house.stocked({apple: 10})
    bought = order((apple, 2), attempts=3)
    house.till.script(bought.order_id, "authorize", plain, declines("card_declined"))
    house.till.script(bought.order_id, "capture", declines(EXPIRED))

    await house.send(bought)
    await house.settle()

    assert (house.status(bought.order_id), house.stock(apple)) == ("cancelled", (10, 0))
    assert house.history(f"payment-{bought.order_id}")[-1] == "payment.renewal_declined.v1"
    await house.check()


@in_memory
async def test_money_that_expires_before_its_order_hears_of_it_is_asked_for_again_and_captured(house: House) -> None:
    apple, gate = sku_on(3), asyncio.Event()
    await house.stocked({apple: 10})
    bought = order((apple, 1))
    house.till.script(bought.order_id, "authorize", expiring(0.1), held_before(gate))

    placing = await house.send(bought)
    await house.told("payment.requested.v1", placing)
    await house.stop("order")
    await house.told("payment.renewal_requested.v1", placing)
    await house.start("order")
    await house.told("payment.capture_awaited.v1", placing)
    gate.set()
    await house.settle()

    assert house.status(bought.order_id) == "confirmed"
    assert house.money(bought.order_id) == PRICE
    await house.check()


@in_memory
async def test_an_order_that_is_called_off_while_its_money_is_asked_for_again_holds_none(house: House) -> None:
    apple, gate = sku_on(0), asyncio.Event()
    await house.stocked({apple: 10})
    bought = order((apple, 1))
    house.till.script(bought.order_id, "authorize", plain, held_before(gate))
    house.till.script(bought.order_id, "capture", declines(EXPIRED))

    placing = await house.send(bought)
    await house.told("payment.renewal_requested.v1", placing)
    off = await house.send(CancelOrder(order_id=bought.order_id))
    await house.told("payment.cancelled.v1", off)
    gate.set()
    await house.settle()

    assert house.till.ledger(bought.order_id, "void") == [0]
    assert (house.money(bought.order_id), house.stock(apple)) == (0, (10, 0))
    await house.check()
