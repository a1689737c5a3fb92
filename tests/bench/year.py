"""Year measures what reads all of history, on a supermarket's year of it: scans, the COPY that bounds every rebuild,
rebuilds, and restarts.

Machines are shared: every rate stands beside a limit that was measured in the same run, and the best of several counts.
A core's events a second are those of its own CPU time, so that it does not matter who else had the core in between.
"""

import asyncio
import gc
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import psycopg
import uvloop
from aiokafka import AIOKafkaConsumer, TopicPartition
from msgspec import Struct, structs
from psycopg import conninfo
from rich.table import Table

from events import topics
from events.fence import CLAIM, Fence
from events.kafka import KafkaLog
from events.log import Place
from events.sweep import effective
from events.topics import MAX_BATCH_BYTES
from projections.build import copy
from projections.order import ORDERS
from projections.postgres import Database
from projections.registry import install, models
from projections.table import Keyed
from projections.versions import Versions
from projections.view import ddl
from schemas.settings import Settings
from tests.bench import house, workload
from tests.bench.past import Written, write_year
from workers.hands import Hands
from workers.local import Servers
from workers.loop import collect_seldom
from workers.rebuild import Pace, Rebuild, building, nothing

TOPIC = topics.events("order")
REPEATS = 3
READS_SECONDS = 8.0
READS_EVERY = 0.004
"""Seconds between two reads of a live row."""
READ = "SELECT * FROM orders_v1 WHERE order_id = %s"

Scan = Callable[[str, int, int], tuple[int, float, float]]
"""scan(kafka, partition, end) → records, seconds, CPU seconds."""


class Scanned(Struct):
    """Events a second of one core, and by the clock."""

    name: str
    core: float
    clock: float


class Copied(Struct):
    """A COPY of the orders' rows; events are those that the rows are made of."""

    name: str
    rows: int
    events: int
    seconds: float


class Rebuilt(Struct):
    """A rebuild of the orders' read model: what was read, what it came to, and how long it took."""

    events: int
    rows: int
    seconds: float

    @property
    def rate(self) -> float:
        return self.events / self.seconds


class Reads(Struct):
    """Milliseconds of reads of single rows."""

    count: int
    p50: float
    p99: float


class Back(Struct):
    """Seconds from a process's start to all partitions claimed, and to a new order recorded; after so many events."""

    events: int
    claimed: float
    recorded: float


class Year(Struct):
    """Everything that was measured of one history."""

    written: Written
    seconds: float
    scanned: list[Scanned]
    copied: list[Copied]
    rebuilt: Rebuilt
    reads: dict[str, Reads]


def year(orders: int | None) -> Year:
    """Write the history to fresh servers, and measure."""
    with TemporaryDirectory() as folder, Servers.start(Path(folder), lambda _: None) as servers:
        kafka, postgres = servers.kafka.url, servers.postgres.url
        began = time.perf_counter()
        written = asyncio.run(write_year(kafka, orders))
        seconds = time.perf_counter() - began
        scanned = scan_rates(kafka)
        copied = asyncio.run(copies(kafka, postgres))
        rebuilt = asyncio.run(rebuild(kafka, postgres))
        reads = asyncio.run(reads_beside_a_rebuild(kafka, postgres, rebuilt.rate / 2))
        return Year(written, seconds, scanned, copied, rebuilt, reads)


def cost_of_ten(orders: int) -> tuple[Rebuilt, Rebuilt]:
    """A rebuild of so many orders, and of ten times as many, each on fresh servers."""
    found = []
    for times in (1, 10):
        with TemporaryDirectory() as folder, Servers.start(Path(folder), lambda _: None) as servers:
            asyncio.run(write_year(servers.kafka.url, orders, times, products=False))
            runs = [asyncio.run(rebuild(servers.kafka.url, servers.postgres.url)) for _ in range(REPEATS)]
            found.append(min(runs, key=lambda run: run.seconds))
    return found[0], found[1]


def restarts(counts: Sequence[int | None]) -> list[Back]:
    """A worker of the order context, killed with -9 and started again, after histories of so many orders."""
    return [asyncio.run(_restart(count)) for count in counts]


# Scans: each in a process of its own, one after the other.


def scan_rates(kafka: str) -> list[Scanned]:
    """One partition, by the bare client first."""
    ways: dict[str, Scan] = {
        "bare consume (aiokafka)": _consume,
        "scan, what counts": _scan,
        "scan, one type in nine decoded": _scan_one_type,
        "scan, decode and fold into the orders' view": _scan_and_fold,
    }
    found = []
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        end = asyncio.run(_end(kafka))
        for name, way in ways.items():
            runs = [pool.submit(_measured, way, kafka, 0, end).result() for _ in range(REPEATS)]
            core, clock = max(n / cpu for n, _, cpu in runs), max(n / seconds for n, seconds, _ in runs)
            found.append(Scanned(name, core, clock))
    return found


async def _end(kafka: str, partition: int = 0) -> int:
    log = KafkaLog(kafka)
    try:
        return (await log.bounds(Place(TOPIC, partition)))[1]
    finally:
        await log.close()


def _measured(way: Scan, kafka: str, partition: int, end: int) -> tuple[int, float, float]:
    gc.collect()
    collect_seldom()
    return way(kafka, partition, end)


def _consume(kafka: str, partition: int, end: int) -> tuple[int, float, float]:
    async def run() -> int:
        place, last = TopicPartition(TOPIC, partition), 0
        options: dict[str, Any] = {"auto_offset_reset": "earliest", "max_partition_fetch_bytes": 4 * MAX_BATCH_BYTES}
        async with AIOKafkaConsumer(bootstrap_servers=kafka, enable_auto_commit=False, **options) as consumer:
            consumer.assign([place])
            consumer.seek(place, 0)
            while last < end - 1:
                for records in (await consumer.getmany(timeout_ms=1000)).values():
                    last = records[-1].offset
        return last + 1

    return _timed(run)


def _scan(kafka: str, partition: int, end: int) -> tuple[int, float, float]:
    return _timed(lambda: _swept(kafka, partition, end, lambda found: None))


def _scan_one_type(kafka: str, partition: int, end: int) -> tuple[int, float, float]:
    def look(found: Any) -> None:
        if found.type == "order.rejected.v1":
            found.event()

    return _timed(lambda: _swept(kafka, partition, end, look))


def _scan_and_fold(kafka: str, partition: int, end: int) -> tuple[int, float, float]:
    return _timed(lambda: _swept(kafka, partition, end, Folding().fold))


class Folding:
    """The orders' view in memory, with the version and the place of each row."""

    def __init__(self) -> None:
        self.views: dict[str, Any] = {}
        self.places: dict[str, tuple[int, int]] = {}

    def fold(self, found: Any) -> None:
        """Take in one event."""
        stream = found.stream
        self.views[stream] = ORDERS.project(self.views.get(stream), found.event(), found.at)
        self.places[stream] = found.version, found.offset


async def _swept(kafka: str, partition: int, end: int, look: Callable[[Any], None]) -> int:
    log, count = KafkaLog(kafka), 0
    try:
        async for records in effective(log, Place(TOPIC, partition), Fence(), end):
            for found in records:
                look(found)
            count += len(records)
    finally:
        await log.close()
    return count


def _timed(run: Callable[[], Any]) -> tuple[int, float, float]:
    began, used = time.perf_counter(), time.process_time()
    count = uvloop.run(run())
    return count, time.perf_counter() - began, time.process_time() - used


# COPY: the limit of every rebuild.


async def copies(kafka: str, postgres: str) -> list[Copied]:
    """All the orders' rows into an empty table, by one connection: made row by row, and as bytes that are ready."""
    rows, events = await _rows(kafka)
    table = Keyed(ORDERS, "copied")
    async with await psycopg.AsyncConnection.connect(postgres, autocommit=True) as connection:
        await connection.execute(ddl(structs.replace(ORDERS, totals=None), table.name))
        took = []
        for _ in range(REPEATS):
            await connection.execute("TRUNCATE copied")
            began = time.perf_counter()
            async with connection.transaction():
                await copy(connection, table, rows)  # type: ignore[arg-type]
            took.append(time.perf_counter() - began)
        found = [Copied("binary COPY, rows from Python", len(rows), events, min(took))]
        async with connection.cursor() as cursor, cursor.copy("COPY copied TO STDOUT (FORMAT BINARY)") as out:
            ready = b"".join([bytes(part) async for part in out])
        took = []
        for _ in range(REPEATS):
            await connection.execute("TRUNCATE copied")
            began = time.perf_counter()
            async with (
                connection.transaction(),
                connection.cursor() as cursor,
                cursor.copy("COPY copied FROM STDIN (FORMAT BINARY)") as into,
            ):
                for at in range(0, len(ready), 1 << 20):
                    await into.write(ready[at : at + (1 << 20)])
            took.append(time.perf_counter() - began)
        await connection.execute("DROP TABLE copied")
    return [*found, Copied("binary COPY, bytes that are ready", len(rows), events, min(took))]


async def _rows(kafka: str) -> tuple[list[dict[str, Any]], int]:
    rows: list[dict[str, Any]] = []
    events = 0
    for partition in range(topics.PARTITIONS):
        folding = Folding()
        events += await _swept(kafka, partition, await _end(kafka, partition), folding.fold)
        for stream, view in folding.views.items():
            version, offset = folding.places[stream]
            place = {"version": version, "partition": partition, "position": offset}
            rows.append(structs.asdict(view) | place)
    return rows, events


# Rebuilds. The engine is workers/rebuild.py: whoever changes it, changes what is called here.


async def rebuild(kafka: str, postgres: str, rate: float | None = None) -> Rebuilt:
    """A new version of the orders' read model, from the first record to the last and with its indexes."""
    log, database = KafkaLog(kafka), Database(postgres, "order", wait=60, size=12)
    try:
        await install(database, "order")
        versions = Versions(database, models("order"))
        ends = {p: (await log.bounds(Place(TOPIC, p)))[1] for p in range(topics.PARTITIONS)}
        async with building(versions, ORDERS):
            async with versions.making() as connection:
                version = await versions.make(connection, ORDERS)
            began = time.perf_counter()
            helped = Hands(Settings(kafka=kafka, postgres=postgres), "order") if rate is None else None
            filling = Rebuild(log, versions, version, Pace(rate), nothing, helped)
            await filling.open()
            await filling.fill(ends)
            seconds = time.perf_counter() - began
        [count] = await database.fetch(f"SELECT count(*) AS n FROM {version.table}")
        return Rebuilt(sum(ends.values()), count["n"], seconds)
    finally:
        await database.close()
        await log.close()


async def reads_beside_a_rebuild(kafka: str, postgres: str, rate: float) -> dict[str, Reads]:
    """Reads of single rows of a table that is full: alone, beside a rebuild at this rate, and, as the limit, beside
    processes that do nothing but keep a core busy, or two."""
    loop = asyncio.get_running_loop()
    found = {"alone": await _reads(postgres, asyncio.create_task(asyncio.sleep(READS_SECONDS)))}
    with ProcessPoolExecutor(2, get_context("spawn")) as pool:
        for count in (1, 2):
            busy = [loop.run_in_executor(pool, _busy, READS_SECONDS) for _ in range(count)]
            found[f"beside {count} busy process(es), without a rebuild"] = await _reads(postgres, asyncio.gather(*busy))
        beside = loop.run_in_executor(pool, _rebuild, kafka, postgres, rate)
        found["beside a rebuild at half rate"] = await _reads(postgres, beside)
    return found


def _busy(seconds: float) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        pass


def _rebuild(kafka: str, postgres: str, rate: float) -> None:
    collect_seldom()
    uvloop.run(rebuild(kafka, postgres, rate))


async def _reads(postgres: str, until: "asyncio.Future[Any]") -> Reads:
    """Rows of an order's table, one after the other at a fixed pace, until something is done."""
    where = conninfo.make_conninfo(postgres, dbname="orderlog_order")
    took: list[float] = []
    async with await psycopg.AsyncConnection.connect(where, autocommit=True) as connection:
        newest = await connection.execute(
            "SELECT 'orders_v' || max(number) AS name FROM view_versions WHERE name = 'orders' AND NOT live"
        )
        [(table,)] = await newest.fetchall()
        sample = await connection.execute(f"SELECT order_id FROM {table} ORDER BY order_id LIMIT 1000")
        ids = [order_id for (order_id,) in await sample.fetchall()]
        while not until.done():
            began = time.perf_counter()
            await (await connection.execute(READ.replace("orders_v1", table), [ids[len(took) % len(ids)]])).fetchall()
            took.append(1000 * (time.perf_counter() - began))
            await asyncio.sleep(READS_EVERY)
    await until
    took.sort()
    return Reads(len(took), took[len(took) // 2], took[int(len(took) * 0.99)])


# Restarts.


async def _restart(orders: int | None) -> Back:
    """The first start reads the history and flushes it; the second is the one that counts."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory()))
        servers = stack.enter_context(Servers.start(folder, lambda _: None))
        kafka, postgres = servers.kafka.url, servers.postgres.url
        await write_year(kafka, orders, products=False)
        env, log = house.environment(kafka, postgres, folder), KafkaLog(kafka)
        first = house.worker(folder, env, "order")
        try:
            await _until_flushed(log, postgres)
        finally:
            first.kill()
        starts = await house.ends(log, [TOPIC])
        fresh = [order for order, _ in workload.orders(16, "after the restart")]
        await house.send(log, "order", fresh)
        began = time.time()
        second = house.worker(folder, env, "order")
        try:
            claimed = await house.watch(log, starts, [CLAIM], topics.PARTITIONS, 120) - began
            recorded = await house.watch(log, starts, ["order.placed.v1"], len(fresh), 120) - began
        finally:
            second.kill()
            await log.close()
        return Back(sum(starts.values()), claimed, recorded)


async def _until_flushed(log: KafkaLog, postgres: str) -> None:
    """Wait until resume points and checkpoints stand where the log ends, but for the claims that came last."""
    where = conninfo.make_conninfo(postgres, dbname="orderlog_order")
    asked = "SELECT coalesce(sum(next), 0)::bigint FROM "
    async with asyncio.timeout(300):
        while True:
            await asyncio.sleep(0.5)
            end = sum((await house.ends(log, [TOPIC])).values())
            try:
                async with await psycopg.AsyncConnection.connect(where) as connection:
                    stand = [
                        (await (await connection.execute(asked + table)).fetchall())[0][0]
                        for table in ("resume_points", "checkpoints")
                    ]
            except psycopg.Error:  # its tables are not there yet
                continue
            if min(stand) >= end - topics.PARTITIONS:
                return


# What is printed.


def year_tables(found: Year) -> list[Table]:
    """One history's figures, each beside its limit."""
    written, bare = found.written, found.scanned[0].core
    past = Table("the year in the log", "orders", "events", "MB", "seconds", "events/s")
    past.add_row(
        "written by the rules",
        f"{written.orders:,}",
        f"{written.events:,}",
        f"{written.bytes / 1e6:,.0f}",
        f"{found.seconds:.0f}",
        f"{written.events / found.seconds:,.0f}",
    )
    scans = Table("reading one partition", "events/s a core", "% of bare consume", "events/s by the clock")
    for each in found.scanned:
        scans.add_row(each.name, f"{each.core:,.0f}", f"{100 * each.core / bare:.0f}", f"{each.clock:,.0f}")
    limit = min(each.seconds / each.events for each in found.copied)
    builds = Table("the orders' read model", "rows/s", "events/s", "% of the COPY")
    for copied in found.copied:
        share = 100 * limit / (copied.seconds / copied.events)
        cells = copied.rows / copied.seconds, copied.events / copied.seconds, share
        builds.add_row(copied.name, *(f"{cell:,.0f}" for cell in cells))
    rebuilt = found.rebuilt
    cells = rebuilt.rows / rebuilt.seconds, rebuilt.rate, 100 * rebuilt.rate * limit
    builds.add_row("rebuild, 4 partitions, with indexes", *(f"{cell:,.0f}" for cell in cells))
    reads = Table("reading live rows, ms", "p50", "p99", "times p99 alone", "reads")
    for name, each_read in found.reads.items():
        ratio = each_read.p99 / found.reads["alone"].p99
        reads.add_row(name, f"{each_read.p50:.2f}", f"{each_read.p99:.2f}", f"{ratio:.2f}", f"{each_read.count:,}")
    return [past, scans, builds, reads]


def ten_table(short: Rebuilt, long: Rebuilt) -> Table:
    """What an event costs a rebuild when there are ten times as many."""
    table = Table("rebuild of ten times the history", "events", "µs an event", "times the short one")
    for name, each in (("short", short), ("long", long)):
        cost = 1e6 / each.rate
        table.add_row(name, f"{each.events:,}", f"{cost:.1f}", f"{cost * short.rate / 1e6:.2f}")
    return table


def back_table(found: Sequence[Back]) -> Table:
    """Restarts beside the length of the history."""
    table = Table("worker of orders, killed with -9 and started again, seconds", "history", "claimed", "order recorded")
    for each in found:
        table.add_row("process started to …", f"{each.events:,} events", f"{each.claimed:.2f}", f"{each.recorded:.2f}")
    return table
