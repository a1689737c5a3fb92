"""Goods that come back: accepted ones are paid back and, if good, for sale again; each once, whatever comes twice."""

from uuid import uuid4

import pytest

from schemas.order import InspectedItem, OrderItem, PlaceOrder, ReceiveReturn, RequestReturn
from schemas.payment import RefundPayment
from tests.scenarios.house import House
from tests.scenarios.shop import PRICE, order, sku_on
from tests.scenarios.till import answer_lost, down

pytestmark = pytest.mark.anyio


async def delivered(house: House, *wanted: tuple[str, int]) -> PlaceOrder:
    await house.stocked({sku: 10 for sku, _ in wanted})
    bought = order(*wanted)
    await house.send(bought)
    await house.settle()
    await house.handed_over(bought.order_id)
    return bought


def announced(bought: PlaceOrder, *items: tuple[str, int]) -> RequestReturn:
    found = tuple(OrderItem(sku=sku, quantity=quantity) for sku, quantity in items)
    return RequestReturn(order_id=bought.order_id, return_id=str(uuid4()), items=found, reason="too small")


def seen(asked: RequestReturn, *items: tuple[str, int, str]) -> ReceiveReturn:
    fields = [{"sku": sku, "quantity": quantity, "verdict": verdict} for sku, quantity, verdict in items]
    found = tuple(map(InspectedItem.model_validate, fields))
    return ReceiveReturn(order_id=asked.order_id, return_id=asked.return_id, items=found)


async def test_what_is_accepted_is_paid_back_and_what_is_good_is_for_sale_again(house: House) -> None:
    apple, pear = sku_on(0), sku_on(1)
    bought = await delivered(house, (apple, 3), (pear, 2))
    asked = announced(bought, (apple, 2), (pear, 2))

    await house.send(asked)
    await house.settle()
    await house.send(
        seen(asked, (apple, 1, "restock"), (apple, 1, "damaged"), (pear, 1, "restock"), (pear, 1, "refuse"))
    )
    await house.settle()

    assert (house.stock(apple), house.stock(pear)) == ((8, 0), (9, 0))
    assert house.till.ledger(bought.order_id, "refund") == [3 * PRICE]
    assert house.money(bought.order_id) == 2 * PRICE
    await house.check()


@pytest.mark.parametrize("fault", [down, answer_lost])
async def test_a_return_received_twice_is_paid_back_once_though_the_provider_is_away(
    house: House, fault: object
) -> None:
    apple = sku_on(2)
    bought = await delivered(house, (apple, 3))
    asked = announced(bought, (apple, 1))
    house.till.script(bought.order_id, "refund", fault, fault)  # type: ignore[arg-type]

    for command in (asked, asked, seen(asked, (apple, 1, "restock")), seen(asked, (apple, 1, "restock"))):
        last = await house.send(command)
        await house.settle()

    assert house.outcome(last) == "command.unchanged.v1"
    assert house.stock(apple) == (8, 0)
    assert house.till.ledger(bought.order_id, "refund") == [PRICE]
    await house.check()


async def test_after_goodwill_no_more_is_paid_back_than_was_taken(house: House) -> None:
    apple = sku_on(3)
    bought = await delivered(house, (apple, 2))
    await house.send(RefundPayment(order_id=bought.order_id, refund_id=str(uuid4()), amount=PRICE + 50))
    await house.settle()
    asked = announced(bought, (apple, 2))

    await house.send(asked)
    await house.settle()
    await house.send(seen(asked, (apple, 2, "damaged")))
    await house.settle()

    assert sorted(house.till.ledger(bought.order_id, "refund")) == [PRICE - 50, PRICE + 50]
    assert house.money(bought.order_id) == 0
    assert house.stock(apple) == (8, 0)
    await house.check()


async def test_nothing_that_came_is_nothing_paid_back(house: House) -> None:
    apple = sku_on(0)
    bought = await delivered(house, (apple, 1))
    asked = announced(bought, (apple, 1))

    await house.send(asked)
    await house.settle()
    await house.send(seen(asked))
    await house.settle()

    assert house.money(bought.order_id) == PRICE
    await house.check()
