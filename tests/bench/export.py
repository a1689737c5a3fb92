"""Export measures how quickly the history becomes files: all of it, and what is new, beside a bare client's reading.

The command runs as an analyst runs it, in processes of its own; the best of several counts, as machines are shared.
"""

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

from confluent_kafka import Consumer, TopicPartition
from msgspec import Struct, json, structs
from rich.table import Table

from events import topics
from events.kafka import KafkaLog
from events.log import Place
from tests.bench import house
from tests.bench.consumer_tool import tool_rate
from tests.bench.past import Written, write_year
from workers.analyst.export import Exported
from workers.local import Servers

TOPIC = topics.events("order")
REPEATS = 3
MORE = 1000
"""Orders that come between two exports."""
QUESTIONS = {
    "orders of the year": "SELECT count(*), sum(total) FROM order_placed",
    "revenue by department": "SELECT department, sum(revenue) FROM revenue_by_day GROUP BY department",
    "orders by status, as of a day": "SELECT status, count(*) FROM orders_as_of('2017-10-01') GROUP BY status",
}
"""What an analyst asks, in SQL."""


class Run(Struct):
    """A run of the command: what it says, by the clock, CPU seconds, megabytes of all its processes at their most."""

    said: Exported
    seconds: float
    cpu: float
    peak: float
    others: float


class Bench(Struct):
    """Everything that was measured of one history."""

    written: Written
    tool: float
    bare: float
    whole: Run
    bytes: int
    files: int
    nothing: Run
    more: Run
    asked: dict[str, float]
    """Seconds of `orders query` by question, of a whole export, from the command's start to its end."""


def export(orders: int | None) -> Bench:
    """Write the history to fresh servers, and measure."""
    with TemporaryDirectory() as folder, Servers.start(Path(folder), lambda _: None, postgres=False) as servers:
        kafka, home = servers.kafka.url, Path(folder)
        written = asyncio.run(write_year(kafka, orders))
        ends = asyncio.run(_ends(kafka))
        tool = max(tool_rate(kafka, TOPIC, sum(ends.values())) for _ in range(REPEATS))
        bare = max(bare_rate(kafka, ends) for _ in range(REPEATS))
        runs = [_run(kafka, home / f"export-{n}") for n in range(REPEATS)]
        watched = _run(kafka, home / "watched", watch=True)
        whole = structs.replace(min(runs, key=lambda run: run.seconds), peak=watched.peak)
        files = list((home / "export-0" / "data").rglob("*.parquet"))
        size = sum(file.stat().st_size for file in files)
        nothing = min((_run(kafka, home / "export-0", watch=True) for _ in range(REPEATS)), key=lambda run: run.seconds)
        asked = {name: _asked(home / "export-0", sql) for name, sql in QUESTIONS.items()}
        asyncio.run(write_year(kafka, MORE, products=False))
        more = _run(kafka, home / "export-0", watch=True)
        return Bench(written, tool, bare, whole, size, len(files), nothing, more, asked)


def _asked(folder: Path, sql: str) -> float:
    command = [sys.executable, "-m", "workers", "query", sql, "--folder", str(folder), "--no-update", "--json"]
    took = []
    for _ in range(REPEATS):
        began = time.perf_counter()
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        took.append(time.perf_counter() - began)
    return min(took)


async def _ends(kafka: str) -> dict[Place, int]:
    log = KafkaLog(kafka)
    try:
        return await house.ends(log, [TOPIC])
    finally:
        await log.close()


def bare_rate(kafka: str, ends: Mapping[Place, int]) -> float:
    """Records a second of whole places, read by librdkafka and dropped."""
    consumer = Consumer({"bootstrap.servers": kafka, "group.id": "nobody", "enable.auto.commit": False})
    try:
        consumer.assign([TopicPartition(*place, 0) for place in ends])
        first = len(consumer.consume(1, timeout=10.0))  # connected
        began, left = time.perf_counter(), sum(ends.values()) - first
        while left > 0:
            left -= len(consumer.consume(10_000, timeout=1.0))
        return sum(ends.values()) / (time.perf_counter() - began)
    finally:
        consumer.close()


def _run(kafka: str, folder: Path, watch: bool = False) -> Run:
    """To look at a process's memory holds it up, by a tenth of its time: only one of the long runs is watched."""
    env = {**os.environ, "ORDERLOG_KAFKA": kafka}
    command = [sys.executable, "-m", "workers", "replay", "--to-folder", str(folder), "--json"]
    before, began, peak = house.machine_seconds(), time.perf_counter(), 0
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=env) as running:
        assert running.stdout
        while (ended := os.wait4(running.pid, os.WNOHANG))[0] == 0:
            if watch:
                peak = max(peak, sum(map(_memory, _family(running.pid))))
            time.sleep(0.1)
        running.returncode = os.waitstatus_to_exitcode(ended[1])
        said = json.decode(running.stdout.read(), type=Exported)
    seconds, cpu = time.perf_counter() - began, ended[2].ru_utime + ended[2].ru_stime
    others = (house.machine_seconds() - before - cpu) / seconds
    return Run(said, seconds, cpu, peak / 1e3, others)


def _family(pid: int) -> Iterator[int]:
    """A process and those that it has started."""
    yield pid
    try:
        yield from map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split())
    except OSError:
        return


def _memory(pid: int) -> int:
    """Kilobytes of memory that a process has for itself, and its part of what it shares with others."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
    except (OSError, StopIteration):
        return 0


def export_table(found: Bench) -> Table:
    """The figures of one history; rates are by the clock, from the command's start to its end."""
    whole = found.whole
    table = Table("the history to Parquet", "events", "files", "seconds", "events/s", "CPU µs/event", "MB", "others")
    for name, run in (("all of it", whole), ("nothing new", found.nothing), (f"{MORE:,} orders more", found.more)):
        added = run.said.added
        rates = (f"{added / run.seconds:,.0f}", f"{1e6 * run.cpu / added:.1f}") if added else ("", "")
        cells = (
            f"{added:,}",
            f"{run.said.files:,}",
            f"{run.seconds:.2f}",
            *rates,
            f"{run.peak:.0f}",
            f"{run.others:.2f}",
        )
        table.add_row(name, *cells)
    for name, rate in (("Kafka's consumer tool (Java)", found.tool), ("bare consume (librdkafka)", found.bare)):
        share = 100 * whole.said.added / whole.seconds / rate
        table.add_row(f"{name}; all of it is {share:.0f} % of it", "", "", "", f"{rate:,.0f}")
    for name, seconds in found.asked.items():
        table.add_row(f"orders query: {name}", "", "", f"{seconds:.2f}")
    size = found.written.bytes / found.written.events
    table.add_row(f"bytes an event: {found.bytes / whole.said.added:.0f}, in the log {size:.0f}")
    return table
