"""Live is what streams cost that are open: the API's CPU and memory, while nothing happens and while others order.

Customers who follow have no part of the two cores in life: here they are connections that take what comes.
"""

import asyncio
import resource
import time
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

from aiohttp import ClientSession, ClientTimeout, TCPConnector
from msgspec import Struct
from rich.console import Console
from rich.table import Table

from tests.bench import house, workload
from tests.system.house import shop_of
from workers.baskets import YEAR
from workers.run import Plan, Run
from workers.shop import Shop
from workers.steps import Moments, settle

STREAMS = 500
SECONDS = 20.0


class Cost(Struct):
    """Cores of the API and of the whole machine, and megabytes of the API."""

    what: str
    api: float
    machine: float
    megabytes: float


async def live(home: Path, rate: float = 50.0) -> list[Cost]:
    """Measure on a fresh house with every process that `orders run` starts."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(hard, 4096)), hard))
    with Run(Plan(home, YEAR), Console(quiet=True)) as run:
        shop = shop_of(run)
        try:
            await shop.until_ready(60)
            products = list(workload.products())
            await shop.offer(products, lambda _: None)
            await Moments().until_listed(shop, len(products), 60)
            found = [await _cost(run, "nobody follows, nothing happens", asyncio.sleep(SECONDS))]
            async with _following(run.address.api):
                found.append(await _cost(run, f"{STREAMS} follow, nothing happens", asyncio.sleep(SECONDS)))
                found.append(await _cost(run, f"{STREAMS} follow, others place {rate:.0f}/s", _placed(shop, rate, "a")))
            found.append(await _cost(run, f"nobody follows, {rate:.0f}/s are placed", _placed(shop, rate, "b")))
            await settle(shop, 60)
            return found
        finally:
            await shop.close()


async def _placed(shop: Shop, rate: float, name: str) -> None:
    orders = [order for order, _ in workload.orders(int(rate * SECONDS), f"live/{name}")]
    await Moments().place(shop, orders, rate, lambda *_: None)


async def _cost(run: Run, what: str, meanwhile: Coroutine[Any, Any, None]) -> Cost:
    pid = run.pids["api"]
    before, began = (house.cpu_seconds([pid]), house.machine_seconds()), time.monotonic()
    await meanwhile
    passed = time.monotonic() - began
    api, machine = house.cpu_seconds([pid]) - before[0], house.machine_seconds() - before[1]
    return Cost(what, api / passed, machine / passed, _megabytes(pid))


def _megabytes(pid: int) -> float:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * resource.getpagesize() / 1e6


@asynccontextmanager
async def _following(api: str) -> AsyncIterator[None]:
    """So many customers, each of whom follows their orders."""
    async with ClientSession(connector=TCPConnector(limit=0), timeout=ClientTimeout(total=None)) as session:
        begun = asyncio.Semaphore(0)

        async def follow() -> None:
            async with session.get(f"{api}/customers/{uuid4()}/live") as answer:
                assert answer.status == 200, await answer.text()
                async for _ in answer.content.iter_any():
                    begun.release()

        tasks = [asyncio.create_task(follow()) for _ in range(STREAMS)]
        try:
            for _ in range(STREAMS):
                await begun.acquire()
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


def live_table(found: list[Cost]) -> Table:
    """One row a situation."""
    table = Table("live streams", "cores of the API", "of the machine", "MB of the API")
    for each in found:
        table.add_row(each.what, f"{each.api:.3f}", f"{each.machine:.2f}", f"{each.megabytes:.0f}")
    return table
