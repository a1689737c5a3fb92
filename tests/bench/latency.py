"""Latency: orders placed over HTTP at a fixed rate, whether or not the answers keep up, with everything on.

From the moment the API answered 202 to the moment the read model, asked every 10 ms, shows the order confirmed.
Customers have no part of the two cores in life, so those here are kept cheap: a bare HTTP transport, and one
connection that asks.
"""

import asyncio
import time
from pathlib import Path

from aiohttp import ClientSession
from msgspec import Struct
from psycopg import AsyncConnection, conninfo
from rich.console import Console

from schemas.order import PlaceOrder
from tests.bench import house, workload
from tests.system.house import shop_of
from workers.baskets import YEAR
from workers.run import Plan, Run
from workers.steps import Moments, settle

EVERY = 0.015
ASK = """
SELECT order_id FROM orders
WHERE order_id = ANY(%s) AND (confirmed_at IS NOT NULL OR status IN ('rejected', 'cancelled'))
"""


class Latency(Struct):
    """Milliseconds from accept to confirmed, and CPU per process kind in cores."""

    rate: float
    orders: int
    p50: float
    p95: float
    p99: float
    worst: float
    late_ms: float
    cores: dict[str, float]


async def latency(home: Path, rate: float, seconds: float, warmup: float = 3.0) -> Latency:
    """Measure on a fresh house with every process that `orders run` starts."""
    with Run(Plan(home, YEAR), Console(quiet=True)) as run:
        shop, till = shop_of(run), ClientSession()
        where = conninfo.make_conninfo(run.address.postgres, dbname="orderlog_order")
        try:
            await shop.until_ready(60)
            database = await AsyncConnection.connect(where, autocommit=True)
            products = list(workload.products())
            await shop.offer(products, lambda _: None)
            await Moments().until_listed(shop, len(products), 60)
            orders = list(workload.orders(int(rate * (warmup + seconds)), f"open/{rate}"))
            before = _used(run), house.machine_seconds(), time.monotonic()
            url = f"{run.address.api}/orders"
            accepted, seen, late = await _load(till, url, database, [order for order, _ in orders], rate)
            passed = time.monotonic() - before[2]
            cores = {name: (used - before[0][name]) / passed for name, used in _used(run).items()}
            cores["whole machine"] = (house.machine_seconds() - before[1]) / passed
            await settle(shop, 60)
            measured = [order.order_id for order, end in orders[int(rate * warmup) :] if end == "confirmed"]
            waits = sorted(1000 * (seen[name] - accepted[name]) for name in measured)
            pick = [waits[min(int(len(waits) * share), len(waits) - 1)] for share in (0.5, 0.95, 0.99, 1.0)]
            p50, p95, p99, worst = pick
            await database.close()
            return Latency(rate, len(waits), p50, p95, p99, worst, late * 1000, cores)
        finally:
            await till.close()
            await shop.close()


def _used(run: Run) -> dict[str, float]:
    return {name: house.cpu_seconds([pid]) for name, pid in run.pids.items()}


async def _place(till: ClientSession, url: str, order: PlaceOrder) -> None:
    headers = {"Idempotency-Key": order.order_id, "Content-Type": "application/json"}
    async with till.post(url, headers=headers, data=order.model_dump_json()) as answer:
        assert answer.status == 202, await answer.text()


async def _load(
    till: ClientSession, url: str, database: AsyncConnection, orders: list[PlaceOrder], rate: float
) -> tuple[dict[str, float], dict[str, float], float]:
    accepted: dict[str, float] = {}
    seen: dict[str, float] = {}
    late = 0.0

    async def place(order: PlaceOrder) -> None:
        await _place(till, url, order)
        accepted[order.order_id] = time.time()

    async def look() -> None:
        while len(seen) < len(orders):
            waiting = [name for name in accepted if name not in seen]
            for (name,) in await (await database.execute(ASK, [waiting])).fetchall():
                seen[name] = time.time()
            await asyncio.sleep(EVERY)

    looking = asyncio.create_task(look())
    began, tasks = time.monotonic() + 0.2, []
    for number, order in enumerate(orders):
        due = began + number / rate
        await asyncio.sleep(max(0.0, due - time.monotonic()))
        late = max(late, time.monotonic() - due)
        tasks.append(asyncio.create_task(place(order)))
    await asyncio.gather(*tasks)
    async with asyncio.timeout(120):
        await looking
    return accepted, seen, late
