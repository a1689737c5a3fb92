"""A customer who wants less, at every moment of an order's way: goods, money and word of it come out right."""

import asyncio
from uuid import uuid4

import pytest

from schemas.order import CancelLine, CancelOrder
from schemas.payment import RefundPayment
from tests.scenarios.house import House
from tests.scenarios.moments import PLACING
from tests.scenarios.shop import PRICE, order, sku_on
from tests.scenarios.till import held_after, held_before

pytestmark = pytest.mark.anyio


def off(order_id: str, sku: str, quantity: int | None = None) -> CancelLine:
    return CancelLine(order_id=order_id, cancellation_id=str(uuid4()), sku=sku, quantity=quantity)


@pytest.mark.parametrize("moment", PLACING)
async def test_a_line_cancelled_on_the_way_is_released_and_not_paid_for(house: House, moment: str) -> None:
    apple, pear = sku_on(0), sku_on(1)
    await house.stocked({apple: 10, pear: 10})
    bought, placing = order((apple, 1), (pear, 3)), str(uuid4())
    house.log.at(moment, placing, lambda: house.send(off(bought.order_id, pear, 2)))

    await house.send(bought, placing)
    await house.said()
    await house.settle()

    assert house.status(bought.order_id) == "confirmed"
    assert (house.stock(apple), house.stock(pear)) == ((10, 1), (10, 1))
    assert house.money(bought.order_id) == 2 * PRICE
    await house.check()


async def test_line_by_line_all_of_an_order_is_cancelled(house: House) -> None:
    apple, pear = sku_on(2), sku_on(3)
    await house.stocked({apple: 10, pear: 10})
    bought = order((apple, 1), (pear, 2))
    await house.send(bought)
    await house.settle()

    for sku in (apple, pear):
        await house.send(off(bought.order_id, sku))
        await house.settle()

    assert house.status(bought.order_id) == "cancelled"
    assert (house.stock(apple), house.stock(pear)) == ((10, 0), (10, 0))
    assert sorted(house.till.ledger(bought.order_id, "refund")) == [PRICE, 2 * PRICE]
    await house.check()


async def test_a_cancellation_asked_for_twice_counts_once(house: House) -> None:
    apple = sku_on(0)
    await house.stocked({apple: 10})
    bought = order((apple, 4))
    await house.send(bought)
    await house.settle()

    wish = off(bought.order_id, apple, 1)
    await house.send(wish)
    again = await house.send(wish)
    await house.settle()

    assert house.outcome(again) == "command.unchanged.v1"
    assert house.stock(apple) == (10, 3)
    assert house.till.ledger(bought.order_id, "refund") == [PRICE]
    await house.check()


@pytest.mark.parametrize("step", ["authorize", "capture"])
@pytest.mark.parametrize("held", [held_before, held_after])
async def test_less_is_owed_while_the_provider_is_being_asked(house: House, held: type, step: str) -> None:
    apple, gate = sku_on(1), asyncio.Event()
    await house.stocked({apple: 10})
    bought = order((apple, 3))
    house.till.script(bought.order_id, step, held(gate))

    placing = await house.send(bought)
    await house.told("payment.requested.v1" if step == "authorize" else "payment.capture_requested.v1", placing)
    wish = await house.send(off(bought.order_id, apple, 1))
    await house.told("payment.reduced.v1" if step == "authorize" else "payment.refund_requested.v1", wish)
    gate.set()
    await house.settle()

    assert house.till.ledger(bought.order_id, "capture") == [2 * PRICE if step == "authorize" else 3 * PRICE]
    assert house.money(bought.order_id) == 2 * PRICE
    await house.check()


async def test_goodwill_and_lines_and_the_whole_together_give_back_no_more_than_was_taken(house: House) -> None:
    apple, pear = sku_on(2), sku_on(2)
    await house.stocked({apple: 10, pear: 10})
    bought = order((apple, 2), (pear, 2))
    await house.send(bought)
    await house.settle()

    await house.send(RefundPayment(order_id=bought.order_id, refund_id=str(uuid4()), amount=3 * PRICE))
    await house.settle()
    await house.send(off(bought.order_id, apple))
    await house.settle()
    assert house.money(bought.order_id) == 0
    await house.check()

    await house.send(CancelOrder(order_id=bought.order_id))
    await house.settle()
    assert house.money(bought.order_id) == 0
    await house.check()


async def test_what_is_left_is_shipped(house: House) -> None:
    apple, pear = sku_on(0), sku_on(3)
    await house.stocked({apple: 10, pear: 10})
    bought = order((apple, 2), (pear, 2))
    await house.send(bought)
    await house.settle()
    for wish in (off(bought.order_id, apple), off(bought.order_id, pear, 1)):
        await house.send(wish)
        await house.settle()

    await house.handed_over(bought.order_id)

    assert house.status(bought.order_id) == "delivered"
    assert (house.stock(apple), house.stock(pear)) == ((10, 0), (9, 0))
    await house.check()


async def test_tax_goes_with_its_line_and_shipping_stays_until_all_is_off(house: House) -> None:
    apple, pear = sku_on(1), sku_on(2)
    await house.stocked({apple: 10, pear: 10})
    plain = order((apple, 3), (pear, 1))
    lines = (plain.lines[0].model_copy(update={"tax_cents": 50}), plain.lines[1].model_copy(update={"tax_cents": 19}))
    bought = plain.model_copy(update={"lines": lines, "shipping_cents": 490})
    await house.send(bought)
    await house.settle()
    whole = 4 * PRICE + 69 + 490
    assert house.money(bought.order_id) == whole

    await house.send(off(bought.order_id, apple, 2))
    await house.settle()
    assert house.money(bought.order_id) == whole - 2 * PRICE - 34
    await house.check()

    for sku in (apple, pear):
        await house.send(off(bought.order_id, sku))
        await house.settle()
    assert (house.status(bought.order_id), house.money(bought.order_id)) == ("cancelled", 0)
    await house.check()
