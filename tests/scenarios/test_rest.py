"""What is left of a partly shipped order, once the money held for it has expired, through whole sagas."""

from uuid import uuid4

import pytest

from schemas.order import CancelLine, PlaceOrder
from schemas.payment import AttemptPayment, RefundPayment
from tests.scenarios.house import House
from tests.scenarios.shop import PRICE, sku_on
from tests.scenarios.test_parts import bring_back, ship, sold
from tests.scenarios.till import answer_lost, declines, down, expiring, plain
from workers.provider import EXPIRED

pytestmark = pytest.mark.anyio
in_memory = pytest.mark.parametrize("house", ["memory"], indirect=True)
"""On the real log, one test or two of this file are enough."""
NO = declines("card_declined")


async def partly_shipped(house: House, apple: str, pear: str, *answers: object) -> PlaceOrder:
    """Two apples are shipped and paid for; the next capture finds nothing held, and so the renewal is answered."""
    bought = await sold(house, (apple, 4), (pear, 3))
    house.till.script(bought.order_id, "capture", plain, declines(EXPIRED))
    house.till.script(bought.order_id, "authorize", *answers)  # type: ignore[arg-type]
    await ship(house, bought, (apple, 2))
    await house.settle()
    return bought


async def card_awaited(house: House, bought: PlaceOrder) -> None:
    stream = f"payment-{bought.order_id}"
    await house.until(lambda: house.history(stream)[-1:] == ["payment.card_awaited.v1"], "a card is asked for")


async def test_what_is_left_is_authorized_anew_and_a_refund_of_both_is_given_of_both(house: House) -> None:
    apple, pear = sku_on(0), sku_on(1)
    bought = await partly_shipped(house, apple, pear, down, answer_lost)
    order_id = bought.order_id

    await ship(house, bought, (pear, 1))
    await house.settle()
    assert house.till.ledger(order_id, "authorize") == [7 * PRICE, 5 * PRICE]
    assert house.till.ledger(order_id, "capture") == [2 * PRICE, PRICE]
    house.till.script(order_id, "refund", answer_lost, plain, answer_lost)
    await house.send(RefundPayment(order_id=order_id, refund_id=str(uuid4()), amount=2 * PRICE + 50))
    await house.settle()

    assert house.till.ledger(order_id, "refund") == [2 * PRICE, 50]
    await house.handed_over(order_id)
    assert house.till.ledger(order_id, "capture") == [2 * PRICE, PRICE, 4 * PRICE]
    await house.check()


@in_memory
async def test_a_customer_whose_card_does_not_authorize_the_rest_names_another(house: House) -> None:
    apple, pear = sku_on(1), sku_on(2)
    bought = await partly_shipped(house, apple, pear, NO)

    await ship(house, bought, (pear, 1))
    await card_awaited(house, bought)
    also = await ship(house, bought, (pear, 1))  # waits for its money like the first
    await house.told("payment.shipment_capture_requested.v1", also)
    other = AttemptPayment(order_id=bought.order_id, attempt_id=str(uuid4()), payment_token="tok_visa")
    await house.send(other)
    await house.handed_over(bought.order_id)

    assert house.till.ledger(bought.order_id, "authorize") == [7 * PRICE, 5 * PRICE]
    assert house.till.ledger(bought.order_id, "capture") == [2 * PRICE, PRICE, PRICE, 3 * PRICE]
    await house.check()


@in_memory
async def test_what_no_card_is_named_for_in_time_is_called_off_and_goes_back_to_its_shelf(house: House) -> None:
    apple, pear = sku_on(2), sku_on(3)
    bought = await partly_shipped(house, apple, pear, NO)
    house.cards_due_in(0.3)

    await ship(house, bought, (pear, 1))
    await house.until(lambda: "payment.given_up.v1" in house.history(f"payment-{bought.order_id}"), "give up")
    await house.settle()

    assert (house.status(bought.order_id), house.money(bought.order_id)) == ("shipped", 2 * PRICE)
    assert (house.stock(apple), house.stock(pear)) == ((8, 0), (9, 0))
    await house.check()


@pytest.mark.long
@in_memory
async def test_the_last_card_that_declines_calls_the_rest_off_and_what_comes_back_unpaid_is_not_paid_back(
    house: House,
) -> None:
    apple, pear = sku_on(3), sku_on(0)
    bought = await partly_shipped(house, apple, pear, NO, NO)
    order_id = bought.order_id
    await ship(house, bought, (pear, 1))
    await card_awaited(house, bought)

    await house.send(AttemptPayment(order_id=order_id, attempt_id=str(uuid4()), payment_token="tok_visa"))
    await house.settle()
    assert house.status(order_id) == "shipped"
    await bring_back(house, bought, pear, "restock")
    await house.settle()

    assert (house.money(order_id), house.till.ledger(order_id, "refund")) == (2 * PRICE, [])
    await house.check()


@pytest.mark.long
@in_memory
async def test_who_calls_the_rest_off_while_a_card_is_awaited_needs_none(house: House) -> None:
    apple, pear = sku_on(0), sku_on(1)
    bought = await partly_shipped(house, apple, pear, expiring(0.2))
    await ship(house, bought, (pear, 1))
    await card_awaited(house, bought)

    for sku in (apple, pear):
        await house.send(CancelLine(order_id=bought.order_id, cancellation_id=str(uuid4()), sku=sku))
    await house.settle()

    assert (house.status(bought.order_id), house.money(bought.order_id)) == ("shipped", 3 * PRICE)
    await house.check()
