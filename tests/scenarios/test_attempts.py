"""Several attempts: another card after a declined one, and what may come in between."""

from uuid import uuid4

import pytest

from schemas.order import CancelLine, CancelOrder, PlaceOrder
from schemas.payment import AttemptPayment, RecordAuthorization, RecordDecline
from tests.scenarios.house import House
from tests.scenarios.shop import PRICE, order, sku_on
from workers.provider import DECLINED_TOKEN, Authorized

pytestmark = pytest.mark.anyio
in_memory = pytest.mark.parametrize("house", ["memory"], indirect=True)
"""On the real log, one test or two of this file are enough."""


def another(bought: PlaceOrder, token: str = "tok_other") -> AttemptPayment:
    return AttemptPayment(order_id=bought.order_id, attempt_id=str(uuid4()), payment_token=token)


async def declined(house: House, *lines: tuple[str, int], attempts: int = 2) -> PlaceOrder:
    """An order whose first card was declined."""
    await house.stocked({sku: 10 for sku, _ in lines})
    bought = order(*lines, token=DECLINED_TOKEN, attempts=attempts)
    placing = await house.send(bought)
    await house.told("payment.attempt_declined.v1", placing)
    return bought


async def test_another_card_pays_for_the_order(house: House) -> None:
    apple = sku_on(0)
    bought = await declined(house, (apple, 2))
    assert house.status(bought.order_id) == "secured"
    assert house.stock(apple) == (10, 2)

    await house.send(another(bought))
    await house.settle()

    assert house.status(bought.order_id) == "confirmed"
    assert house.money(bought.order_id) == 2 * PRICE
    calls = house.till.calls[bought.order_id, "authorize"]
    assert len(calls) == len(set(calls)) == 2
    await house.check()


@in_memory
async def test_a_declined_order_without_another_attempt_is_rejected_as_ever(house: House) -> None:
    apple = sku_on(1)
    bought = await declined(house, (apple, 1), attempts=3)

    first = await house.send(another(bought, DECLINED_TOKEN))
    await house.told("payment.attempt_declined.v1", first)
    await house.send(another(bought, DECLINED_TOKEN))
    await house.settle()

    assert house.status(bought.order_id) == "rejected"
    assert house.history(f"payment-{bought.order_id}")[-1] == "payment.declined.v1"
    assert house.stock(apple) == (10, 0)
    await house.check()


@in_memory
async def test_an_order_for_which_nobody_names_another_card_in_time_is_rejected(house: House) -> None:
    apple = sku_on(2)
    await house.stocked({apple: 10})
    house.due_in("payment", 0.3)
    bought = order((apple, 1), token=DECLINED_TOKEN, attempts=2)

    await house.send(bought)
    await house.settle()
    late = await house.send(another(bought))
    await house.settle()

    assert house.history(f"payment-{bought.order_id}") == [
        "payment.requested.v1", "payment.attempt_declined.v1", "payment.card_awaited.v1", "payment.lapsed.v1",
    ]  # fmt: skip
    assert (house.status(bought.order_id), house.outcome(late)) == ("rejected", "AttemptNotAwaited")
    assert house.stock(apple) == (10, 0)
    await house.check()


@in_memory
async def test_an_order_that_is_called_off_while_another_card_is_awaited_takes_none(house: House) -> None:
    apple = sku_on(3)
    bought = await declined(house, (apple, 1))

    await house.send(CancelOrder(order_id=bought.order_id))
    await house.settle()
    late = await house.send(another(bought))
    await house.settle()

    assert house.outcome(late) == "AttemptNotAwaited"
    assert (house.money(bought.order_id), house.stock(apple)) == (0, (10, 0))
    await house.check()


@in_memory
async def test_of_two_cards_named_at_once_one_is_asked(house: House) -> None:
    apple = sku_on(0)
    bought = await declined(house, (apple, 1), attempts=5)

    asked = [await house.send(another(bought)) for _ in range(2)]
    await house.settle()

    assert sorted(house.outcome(each) for each in asked) == ["AttemptNotAwaited", "payment.attempted.v1"]
    assert house.till.ledger(bought.order_id, "authorize") == [PRICE]
    await house.check()


@in_memory
async def test_what_was_called_off_before_another_card_is_named_is_not_asked_of_it(house: House) -> None:
    apple, pear = sku_on(1), sku_on(2)
    bought = await declined(house, (apple, 1), (pear, 2))

    fewer = await house.send(CancelLine(order_id=bought.order_id, cancellation_id=str(uuid4()), sku=pear))
    await house.told("payment.reduced.v1", fewer)
    await house.send(another(bought))
    await house.settle()

    assert house.till.ledger(bought.order_id, "authorize") == house.till.ledger(bought.order_id, "capture") == [PRICE]
    await house.check()


async def test_answers_to_the_first_card_that_come_late_are_undone_and_decline_no_other(house: House) -> None:
    apple = sku_on(3)
    bought = await declined(house, (apple, 1), attempts=3)
    await house.send(another(bought))
    await house.settle()
    held = await house.till.authorize(str(uuid4()), bought.order_id, PRICE, "EUR", "tok_visa")
    assert isinstance(held, Authorized)

    await house.send(RecordDecline(order_id=bought.order_id, reason="card_declined"))
    for _ in range(2):
        await house.send(RecordAuthorization(order_id=bought.order_id, reference=held.reference))
    await house.settle()

    assert house.history(f"payment-{bought.order_id}")[-2:] == [
        "payment.stray_authorized.v1", "payment.stray_voided.v1",
    ]  # fmt: skip
    assert (house.status(bought.order_id), house.money(bought.order_id)) == ("confirmed", PRICE)
    assert len(house.till.ledger(bought.order_id, "void")) == 1
    await house.check()
