"""Money that is given back, and a provider that is away or loses its answers."""

from uuid import uuid4

import pytest

from schemas.order import CancelOrder
from schemas.payment import RefundPayment
from tests.scenarios.house import House
from tests.scenarios.shop import PRICE, order, sku_on
from tests.scenarios.till import answer_lost, declines, down

pytestmark = pytest.mark.anyio


async def test_a_partial_refund_leaves_the_rest_to_a_full_one(house: House) -> None:
    apple = sku_on(0)
    await house.stocked({apple: 10})
    bought = order((apple, 4))
    await house.send(bought)
    await house.settle()

    await house.send(RefundPayment(order_id=bought.order_id, refund_id=str(uuid4()), amount=PRICE))
    await house.settle()
    assert house.money(bought.order_id) == 3 * PRICE
    await house.check()

    await house.send(RefundPayment(order_id=bought.order_id, refund_id=str(uuid4())))
    again = await house.send(RefundPayment(order_id=bought.order_id, refund_id=str(uuid4()), amount=1))
    await house.settle()
    assert house.money(bought.order_id) == 0
    assert house.outcome(again) == "NothingToRefund"
    await house.check()


async def test_a_refund_asked_for_twice_is_given_once(house: House) -> None:
    apple = sku_on(1)
    await house.stocked({apple: 10})
    bought, refund_id = order((apple, 4)), str(uuid4())
    await house.send(bought)
    await house.settle()

    for _ in range(2):
        await house.send(RefundPayment(order_id=bought.order_id, refund_id=refund_id, amount=PRICE))
    await house.settle()

    assert house.till.ledger(bought.order_id, "refund") == [PRICE]
    await house.check()


async def test_cancelling_after_a_partial_refund_gives_back_what_is_left(house: House) -> None:
    apple = sku_on(2)
    await house.stocked({apple: 10})
    bought = order((apple, 4))
    await house.send(bought)
    await house.settle()

    await house.send(RefundPayment(order_id=bought.order_id, refund_id=str(uuid4()), amount=PRICE))
    await house.send(CancelOrder(order_id=bought.order_id))
    await house.settle()

    assert sorted(house.till.ledger(bought.order_id, "refund")) == [PRICE, 3 * PRICE]
    await house.check()


async def test_a_refund_that_the_provider_refuses_may_be_asked_for_again(house: House) -> None:
    apple = sku_on(2)
    await house.stocked({apple: 10})
    bought = order((apple, 4))
    await house.send(bought)
    await house.settle()
    house.till.script(bought.order_id, "refund", declines("card_closed"))

    await house.send(RefundPayment(order_id=bought.order_id, refund_id=str(uuid4())))
    await house.settle()
    assert house.money(bought.order_id) == 4 * PRICE
    await house.send(RefundPayment(order_id=bought.order_id, refund_id=str(uuid4())))
    await house.settle()

    assert house.money(bought.order_id) == 0


@pytest.mark.parametrize("fault", [down, answer_lost])
async def test_a_provider_that_is_away_and_comes_back_is_charged_once(house: House, fault: object) -> None:
    apple = sku_on(3)
    await house.stocked({apple: 10})
    bought = order((apple, 2))
    for step in ("authorize", "capture", "refund"):
        house.till.script(bought.order_id, step, fault, fault, fault)  # type: ignore[arg-type]

    await house.send(bought)
    await house.settle()
    assert house.status(bought.order_id) == "confirmed"
    await house.send(CancelOrder(order_id=bought.order_id))
    await house.settle()

    calls = house.till.calls
    assert all(len(calls[bought.order_id, step]) == 4 for step in ("authorize", "capture", "refund"))
    assert all(len(set(calls[bought.order_id, step])) == 1 for step in ("authorize", "capture", "refund"))
    await house.check()


@pytest.mark.parametrize("fault", [down, answer_lost])
async def test_a_void_whose_answer_is_lost_is_asked_for_again(house: House, fault: object) -> None:
    apple = sku_on(3)
    await house.stocked({apple: 10})
    bought = order((apple, 2))
    house.till.script(bought.order_id, "void", fault, fault)  # type: ignore[arg-type]
    placing = str(uuid4())
    house.log.at("payment.authorized.v1", placing, lambda: house.send(CancelOrder(order_id=bought.order_id)))

    await house.send(bought, placing)
    await house.said()
    await house.settle()

    assert house.money(bought.order_id) == 0
    await house.check()
