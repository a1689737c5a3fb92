"""Past is a history on servers of its own, that no worker has seen."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from events import topics
from events.kafka import KafkaLog
from events.log import Place
from projections.order import ORDERS
from projections.postgres import Database
from projections.registry import install, models
from projections.versions import Version, Versions
from schemas.settings import Settings
from workers.hands import Hands
from workers.rebuild import EVERY, Pace, Progress, Rebuild, begun

ORDERS_WRITTEN = 300


@asynccontextmanager
async def versions_on(past: Settings) -> AsyncIterator[Versions]:
    """The read models of orders."""
    database = Database(past.postgres, "order", wait=20)
    await install(database, "order")
    try:
        yield Versions(database, models("order"))
    finally:
        await database.close()


async def fill(past: Settings, versions: Versions, tell: Callable[[Progress], None]) -> Version:
    """A new version of the orders' read model with all of the history, or an unfinished one gone on with."""
    log = KafkaLog(past.kafka)
    try:
        ends = {p: (await log.bounds(Place(topics.events("order"), p)))[1] for p in EVERY}
        version, _ = await begun(versions, ORDERS, again=False)
        rebuild = Rebuild(log, versions, version, Pace(None), tell, Hands(past, "order"))
        await rebuild.open()
        await rebuild.fill(ends)
        await versions.state(version, "ready")
    finally:
        await log.close()
    assert {p: fence.next for p, fence in rebuild.positions.items()} == ends
    return version


async def count(versions: Versions, table: str) -> int:
    """The rows of a table."""
    [row] = await versions.database.fetch(f"SELECT count(*) AS n FROM {table}")
    number: int = row["n"]
    return number
