"""Time that runs out: reservations that lapse, and a provider that does not answer."""

import asyncio

import pytest

from tests.scenarios.house import House
from tests.scenarios.shop import order, sku_on
from tests.scenarios.till import held_after, held_before

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("held", [held_before, held_after])
async def test_a_reservation_lapses_while_the_payment_is_under_way(house: House, held: type) -> None:
    apple, pear, gate = sku_on(0), sku_on(1), asyncio.Event()
    await house.stocked({apple: 10, pear: 10})
    house.due_in("product", 0.05)
    bought = order((apple, 1), (pear, 1))
    house.till.script(bought.order_id, "authorize", held(gate))

    placing = await house.send(bought)
    await house.told("payment.cancelled.v1", placing)
    gate.set()
    await house.settle()

    assert house.status(bought.order_id) == "rejected"
    assert house.till.ledger(bought.order_id, "void") == [0]
    assert (house.stock(apple), house.stock(pear)) == ((10, 0), (10, 0))
    await house.check()


async def test_reservations_that_lapse_just_when_orders_are_confirmed_leave_nothing_half_done(house: House) -> None:
    apple, pear = sku_on(2), sku_on(3)
    await house.stocked({apple: 100, pear: 100})
    for milliseconds in range(0, 40, 4):
        house.due_in("product", milliseconds / 1000)
        await house.send(order((apple, 1), (pear, 1)))

    await house.settle()

    await house.check()


async def test_an_authorization_that_comes_in_the_moment_of_the_lapse_is_undone(house: House) -> None:
    apple, pear, gate = sku_on(1), sku_on(2), asyncio.Event()
    await house.stocked({apple: 10, pear: 10})
    house.due_in("product", 0.1)
    bought = order((apple, 1), (pear, 1))
    house.till.script(bought.order_id, "authorize", held_after(gate))

    async def now() -> None:
        gate.set()

    placing = await house.send(bought)
    house.log.at("reservation.lapsed.v1", placing, now)
    await house.told("payment.requested.v1", placing)
    await house.settle()

    assert house.status(bought.order_id) in ("rejected", "cancelled")
    assert house.money(bought.order_id) == 0
    await house.check()


async def test_an_order_whose_payment_is_overdue_is_rejected_and_a_late_authorization_voided(house: House) -> None:
    apple, gate = sku_on(0), asyncio.Event()
    await house.stocked({apple: 10})
    house.due_in("payment", 0.05)
    bought = order((apple, 1))
    house.till.script(bought.order_id, "authorize", held_before(gate))

    placing = await house.send(bought)
    await house.told("order.rejected.v1", placing)
    gate.set()
    await house.settle()

    assert house.history(f"payment-{bought.order_id}")[-1] == "payment.voided.v1"
    await house.check()


async def test_deadlines_pass_however_many_calls_the_provider_leaves_unanswered(house: House) -> None:
    apple, gate = sku_on(3), asyncio.Event()
    await house.stocked({apple: 100})
    house.due_in("payment", 0.3)
    orders = [order((apple, 1)) for _ in range(70)]
    for bought in orders:
        house.till.script(bought.order_id, "authorize", held_before(gate))

    requests = [await house.send(bought) for bought in orders]
    for placing in requests:
        await house.told("order.rejected.v1", placing)
    gate.set()
    await house.settle()

    assert house.stock(apple) == (100, 0)
    await house.check()
