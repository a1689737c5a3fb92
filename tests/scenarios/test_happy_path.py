"""An order's way when nothing goes wrong, for small orders and large ones."""

from uuid import uuid4

import pytest

from events.notification import NotificationRequested
from schemas.user import RegisterUser
from tests.scenarios.house import House
from tests.scenarios.moments import DELIVERING, PLACING, SHIPPING
from tests.scenarios.shop import PRICE, order, sku_on

pytestmark = pytest.mark.anyio


async def test_an_order_is_secured_paid_shipped_and_delivered(house: House) -> None:
    apple, pear = sku_on(0), sku_on(3)
    await house.stocked({apple: 10, pear: 10})
    bought = order((apple, 2), (pear, 3))

    await house.send(bought)
    await house.settle()
    await house.handed_over(bought.order_id)

    assert house.status(bought.order_id) == "delivered"
    assert (house.stock(apple), house.stock(pear)) == ((8, 0), (7, 0))
    assert house.money(bought.order_id) == 5 * PRICE
    await house.check()


async def test_an_order_passes_the_moments_at_which_other_tests_disturb_it(house: House) -> None:
    apple, pear = sku_on(1), sku_on(2)
    await house.stocked({apple: 1, pear: 1})
    bought = order((apple, 1), (pear, 1))

    placing = await house.send(bought)
    await house.settle()
    await house.handed_over(bought.order_id)

    told = [t.envelope for t in house.chronicle.told if t.envelope.version and "listed" not in t.envelope.type]
    assert {e.type for e in told if e.correlation == placing} == set(PLACING)
    assert {e.type for e in told} == {*PLACING, *SHIPPING, *DELIVERING, "stock.received.v1"}


async def test_an_order_of_161_lines_is_one_reservation_per_shelf(house: House) -> None:
    skus = [sku_on(n % 4) for n in range(161)]
    await house.stocked(dict.fromkeys(skus, 3))
    bought = order(*((sku, 1 + n % 3) for n, sku in enumerate(skus)))

    await house.send(bought)
    await house.settle()
    await house.handed_over(bought.order_id)

    assert house.status(bought.order_id) == "delivered"
    assert len(house.chronicle.states("reservation")) == 4
    assert [house.stock(sku) for sku in skus] == [(3 - 1 - n % 3, 0) for n in range(161)]
    await house.check()


async def test_a_sku_on_two_lines_is_reserved_once_for_both(house: House) -> None:
    apple = sku_on(2)
    await house.stocked({apple: 5})
    bought = order((apple, 2), (apple, 3))

    await house.send(bought)
    await house.settle()

    assert house.status(bought.order_id) == "confirmed"
    assert house.stock(apple) == (5, 5)
    await house.check()


async def test_a_new_customer_is_welcomed_once(house: House) -> None:
    user_id = str(uuid4())

    await house.send(RegisterUser(user_id=user_id, email="ada@example.org", name="Ada", password_hash="x"))
    again = await house.send(RegisterUser(user_id=user_id, email="ada@example.org", name="Ada", password_hash="x"))
    await house.settle()

    assert house.outcome(again) == "EmailTaken"
    assert [letter.template for letter in house.chronicle.of(NotificationRequested)] == ["welcome"]
    await house.check()
