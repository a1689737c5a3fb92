"""Checks of the doctor's that ask the servers: brokers, databases, clocks."""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping

from events.log import Place, scan
from events.topics import PARTITIONS, events
from projections.inspection import SERVER, TABLES
from projections.postgres import Database, DatabaseUnavailable
from projections.registry import PROJECTIONS
from schemas.settings import CONTEXTS
from workers.operator.checks import Check, ok
from workers.operator.ground import Ground

OLDEST, NEWEST = 15, 18
"""Versions of Postgres that the SQL is written for."""
SKEW = (2.0, 30.0)
"""Seconds that clocks may differ; more, and deadlines come too soon or too late."""
COMMON_TABLES = {"checkpoints", "history", "outcomes", "dead_letters", "snapshots", "resume_points", "worker_states"}


async def of_brokers(ground: Ground) -> AsyncIterator[Check]:
    """How many there are, and what they would do to data."""
    brokers = await ground.cluster.brokers()
    wanted = ground.settings.replication
    said = f"{len(brokers)} brokers answer at {ground.settings.kafka}, {wanted} copies asked for"
    if wanted < 3:
        out = "right for development; outside, 3 brokers and ORDERLOG_REPLICATION=3"
        yield Check("kafka: copies", "warn", said, out)
    elif len(brokers) < wanted:
        yield Check("kafka: copies", "fail", said, "start more brokers, or ask for fewer copies")
    else:
        yield ok("kafka: copies", said)
    makers = [number for number, config in brokers.items() if config.get("auto.create.topics.enable") == "true"]
    if makers:
        said = f"broker {', '.join(makers)} makes a topic of any name that is asked for, with settings of its own"
        yield Check("kafka: topics by accident", "warn", said, "auto.create.topics.enable=false")
    else:
        yield ok("kafka: topics by accident", "no broker makes topics by itself")


async def of_databases(databases: Mapping[str, Database]) -> list[Check]:
    """Version, and a database with its tables for every context."""
    return await asyncio.gather(*(_database(*each) for each in databases.items()))


async def _database(context: str, database: Database) -> Check:
    name = f"postgres: {context}"
    try:
        version = (await database.fetch(SERVER))[0]["version"] // 10_000
        there = {row["name"] for row in await database.fetch(TABLES)}
    except DatabaseUnavailable as fault:
        said = f"orderlog_{context} gives no answer: {fault}"
        return Check(name, "fail", said, "is Postgres up, and has a worker run?", silent=True)
    if missing := ({each.name for each in PROJECTIONS[context]} | COMMON_TABLES) - there:
        said = f"no table {', '.join(sorted(missing))}"
        return Check(name, "fail", said, "a worker makes them when it starts")
    if not OLDEST <= version <= NEWEST:
        said = f"Postgres {version}; {OLDEST} to {NEWEST} are tested"
        return Check(name, "fail" if version < OLDEST else "warn", said, "another Postgres")
    return ok(name, f"Postgres {version}, all tables are there")


async def of_clocks(ground: Ground) -> AsyncIterator[Check]:
    """Here against Postgres, and against the newest records: nobody writes in the future."""
    before = time.time()
    rows = await ground.databases["order"].fetch("SELECT extract(epoch FROM clock_timestamp())::float8 AS now")
    skew = rows[0]["now"] - (before + time.time()) / 2
    yield _clock("clock: Postgres", abs(skew), f"Postgres is {skew:+.2f} s from here")
    newest = [await _newest(ground, Place(events(name), p)) for name in CONTEXTS for p in range(PARTITIONS)]
    ahead = max(0.0, max(newest) - time.time())
    yield _clock("clock: records", ahead, f"the newest record is {ahead:.2f} s in the future")


async def _newest(ground: Ground, place: Place) -> float:
    first, end = await ground.log.bounds(place)
    times = [0.0]
    async for records in scan(ground.log, place, max(first, end - 1), end, patience=3):
        times += [record.timestamp / 1000 for record in records]
    return max(times)


def _clock(name: str, seconds: float, said: str) -> Check:
    few, many = SKEW
    if seconds <= few:
        return ok(name, said)
    return Check(name, "warn" if seconds <= many else "fail", said, "keep the machines' clocks with NTP")
