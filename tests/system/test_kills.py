"""Whatever is killed, however often: every order ends once, no stock is sold twice, the money is right."""

import asyncio
import random
import signal
from pathlib import Path

import pytest

from schemas.order import PlaceOrder
from tests.bench import workload
from tests.system.house import House, check, house, wait_until

pytestmark = [pytest.mark.infra, pytest.mark.anyio, pytest.mark.long]

QUICK = {"ORDERLOG_SESSION_TIMEOUT_MS": "3000"}
ENDS = {"confirmed": "order.confirmed.v1", "rejected": "order.rejected.v1"}


async def listed(here: House) -> None:
    products = list(workload.products())
    await here.shop.offer(products, lambda _: None)

    async def all_there() -> bool:
        return bool((await here.shop.get("/summary"))["stock"][0]["products"] == len(products))

    await wait_until(all_there, 60, "the catalogue is listed")


async def test_a_worker_killed_ten_times_in_mid_saga_loses_and_repeats_nothing(tmp_path: Path) -> None:
    rng = random.Random(20261123)
    async with house(tmp_path, env=QUICK, workers=((),)) as here:
        await listed(here)
        orders = list(workload.orders(400, "kills"))
        placing = asyncio.create_task(_place(here, [order for order, _ in orders], rate=15.0))

        for _ in range(10):
            await asyncio.sleep(rng.uniform(0.5, 3.5))
            here.run.child("worker").kill()
            here.run.spawn("worker", "workers", "worker")
        await placing

        assert await here.settled(90)
        await check(here, {order.stream: ENDS[end] for order, end in orders})


async def test_a_paused_writer_that_wakes_up_after_it_was_replaced_changes_nothing(tmp_path: Path) -> None:
    async with house(tmp_path, env=QUICK, workers=((),)) as here:
        await listed(here)
        orders = list(workload.orders(200, "zombie"))
        placing = asyncio.create_task(_place(here, [order for order, _ in orders], rate=10.0))
        await asyncio.sleep(4)

        paused = here.run.child("worker")
        paused.signal(signal.SIGSTOP)
        here.run.spawn("worker-second", "workers", "worker")

        async def second_owns() -> bool:
            return here.log_of("worker-second").count("is ours") >= 20

        await wait_until(second_owns, 30, "the second worker owns every partition")
        paused.signal(signal.SIGCONT)
        await placing

        assert await here.settled(90)
        await check(here, {order.stream: ENDS[end] for order, end in orders})


async def _place(here: House, orders: list[PlaceOrder], rate: float) -> None:
    for order in orders:
        await here.shop.place(order)
        await asyncio.sleep(1 / rate)
