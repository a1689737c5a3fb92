"""Statistics under Faust: what happened per minute, counted once, whatever restarts and whoever reads."""

from datetime import datetime, timedelta

import pytest

from events.log import Draft, Place, scan
from events.order import OrderCancelled, OrderRejected
from events.payment import PaymentCaptured, PaymentRefunded
from tests.faust.world import NOON, World, confirmed, placed, reached, recorded, until
from workers.agents import Statistics
from workers.statistics import Window

pytestmark = [pytest.mark.infra, pytest.mark.anyio]

LATER = NOON + timedelta(minutes=1, seconds=59)


def statistics(world: World) -> Statistics:
    name = f"statistics-{world.word}"
    return Statistics(world.log, world.flush, world.park, [world.events], every_seconds=0.05, name=name)


def total(world: World, minute: datetime, what: str) -> int:
    return sum(getattr(row.window, what) for row in world.rows.values() if row.minute == minute)


async def test_orders_and_money_are_counted_in_the_minute_in_which_they_happened(world: World) -> None:
    owner = await world.own()
    refused = OrderRejected(order_id="2", email="a@b.example", reason="no stock", skus=(), refused=())
    withdrawn = OrderCancelled(order_id="3", email="a@b.example", reason="changed my mind", skus=())
    captured = PaymentCaptured(order_id="1", reference="ch_1", amount=500, currency="USD")
    refunded = PaymentRefunded(
        order_id="1", refund_id="r", reference="re_1", amount=200, currency="USD", email="a@b.example"
    )
    euros = PaymentCaptured(order_id="4", reference="ch_2", amount=70, currency="EUR")
    await owner.append([recorded(event, owner) for event in (placed(), placed(), confirmed(), refused, captured)])
    await owner.append([recorded(event, owner, LATER) for event in (withdrawn, refunded, euros)])

    async with world.listening(agent := statistics(world)):
        await reached(agent, owner.place, 9)
        await until(lambda: len(world.rows) == 2)

    source = f"{world.events}/0"
    assert world.rows[NOON, source].window == Window(2, 1, 1, 0, {"USD": 500}, {}, upto=5)
    minute = NOON + timedelta(minutes=1)
    assert world.rows[minute, source].window == Window(0, 0, 0, 1, {"EUR": 70}, {"USD": 200}, upto=8)


async def test_a_restart_in_the_middle_of_a_minute_loses_and_repeats_nothing(world: World) -> None:
    owner = await world.own()
    await owner.append([recorded(placed(), owner) for _ in range(30)])
    async with world.listening(first := statistics(world)):
        await reached(first, owner.place, 31)
    world.rows.clear()

    async with world.listening(statistics(world)):
        await until(lambda: total(world, NOON, "placed") == 30)  # flushed again without a new event
        await owner.append([recorded(placed(), owner) for _ in range(12)])
        await until(lambda: total(world, NOON, "placed") == 42)


async def test_an_event_that_comes_again_is_not_counted_again(world: World) -> None:
    owner = await world.own()
    await owner.append([recorded(placed(), owner) for _ in range(30)])
    async with world.listening(first := statistics(world)):
        await reached(first, owner.place, 31)

    await world.forget_position(first, owner.place)  # as after a kill: the table is ahead of the position
    async with world.listening(second := statistics(world)):
        await reached(second, owner.place, 31)
        await until(lambda: bool(world.rows))

    assert total(world, NOON, "placed") == 30


async def test_two_workers_share_the_partitions_and_their_rows_add_up(world: World) -> None:
    owners = [await world.own(partition) for partition in range(4)]
    for owner in owners:
        await owner.append([recorded(placed(), owner) for _ in range(10)])

    async with world.listening(one := statistics(world)):
        await until(lambda: total(world, NOON, "placed") == 40)
        async with world.listening(two := statistics(world)):
            await until(lambda: bool(two.assigned) and bool(one.assigned) and not one.assigned & two.assigned)
            for owner in owners:
                await owner.append([recorded(placed(), owner) for _ in range(10)])
            await until(lambda: total(world, NOON, "placed") == 80)
        for owner in owners:
            await owner.append([recorded(placed(), owner) for _ in range(10)])
        await until(lambda: total(world, NOON, "placed") == 120)

    assert len(world.rows) == 4
    assert len(one.assigned) == 4


async def test_what_a_worker_writes_that_wakes_up_after_it_was_replaced_takes_nothing_away(world: World) -> None:
    owner = await world.own()
    await owner.append([recorded(placed(), owner) for _ in range(30)])
    async with world.listening(first := statistics(world)):
        await reached(first, owner.place, 31)
    changelog = Place(f"orderlog-{first.name}-minutes-changelog", 0)
    _, end = await world.log.bounds(changelog)
    written = [record async for records in scan(world.log, changelog, 0, end) for record in records]

    async with world.listening(second := statistics(world)):
        await owner.append([recorded(placed(), owner) for _ in range(12)])
        await reached(second, owner.place, 43)
        stale = written[-1]  # the first one's window, as it was before it was replaced
        await world.log.append(changelog, [Draft(stale.key.decode(), stale.value, list(stale.headers.items()))])

    async with world.listening(statistics(world)):
        await owner.append([recorded(placed(), owner) for _ in range(5)])
        await until(lambda: max(row.window.upto for row in world.rows.values()) == 47)
    assert total(world, NOON, "placed") == 47


async def test_what_a_stale_writer_records_is_not_counted(world: World) -> None:
    stale = await world.own()
    owner = await world.own()
    await owner.append([recorded(placed(), owner)])
    await world.append(stale.place, recorded(placed(), stale))

    async with world.listening(agent := statistics(world)):
        await reached(agent, owner.place, 4)
        await until(lambda: bool(world.rows))

    assert total(world, NOON, "placed") == 1
