"""Restart: the only worker is killed with -9 on a log with some history, and started again."""

import asyncio
import time
from pathlib import Path

from msgspec import Struct

from events import topics
from events.kafka import KafkaLog
from tests.bench import house, workload
from tests.system.house import House
from tests.system.house import house as whole
from workers.steps import Moments

ORDERS = 2000


class Restarted(Struct):
    """Seconds from the start of the new process; `events` there were in the log."""

    claimed: float
    confirmed: float
    events: int


async def restart(home: Path) -> Restarted:
    """Measure on a fresh house with 2,000 orders behind it."""
    async with whole(home, workers=((),)) as here:
        products = list(workload.products())
        await here.shop.offer(products, lambda _: None)
        await Moments().until_listed(here.shop, len(products), 60)
        log = KafkaLog(here.run.address.kafka)
        await house.send(log, "order", (order for order, _ in workload.orders(ORDERS, "history")))
        await here.settled(120)
        ends = await house.ends(log, [topics.events(name) for name in ("order", "product", "payment", "notification")])
        await log.close()
        here.run.child("worker").kill()
        [(order, _)] = workload.orders(1, "after")
        began = time.monotonic()
        here.run.spawn("worker-again", "workers", "worker")
        await here.shop.place(order)
        claimed = 0.0
        while not claimed:
            await asyncio.sleep(0.01)
            if here.log_of("worker-again").count("is ours") >= 20:
                claimed = time.monotonic() - began
        while not await _confirmed(here, order.order_id, order.customer_id):
            await asyncio.sleep(0.01)
        return Restarted(claimed, time.monotonic() - began, sum(ends.values()))


async def _confirmed(here: House, order_id: str, customer_id: str) -> bool:
    found = here.shop.pages("/orders", status="confirmed", customer_id=customer_id)
    return order_id in [row["order_id"] async for row in found]
