"""`make bench` prints figures: drain, latency, CPU, restart; of a whole history, if asked: year, ten, back, export;
of a whole catalogue, if asked: search; of streams that are open, if asked: live.

Each measurement has servers of its own, started fresh.

Machines are shared and noisy: `others` says how many cores were busy with something else, and every rate stands beside
a limit that was measured in the same minute.
"""

import argparse
import asyncio
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import uvloop
from rich.console import Console
from rich.table import Table

from tests.bench import house, limit
from tests.bench.drain import Drained, drain
from tests.bench.export import export, export_table
from tests.bench.latency import Latency, latency
from tests.bench.live import live, live_table
from tests.bench.restart import Restarted, restart
from tests.bench.search import search
from tests.bench.year import back_table, cost_of_ten, restarts, ten_table, year, year_tables
from workers.local import Servers

MONEY_PATH = ("order", "product", "payment")
LAYOUTS: tuple[tuple[str, tuple[tuple[str, ...], ...], house.Start], ...] = (
    ("writers and reactions, 1 process", (MONEY_PATH,), house.writers),
    ("writers and reactions, 2 processes", (("order", "payment"), ("product",)), house.writers),
    ("writers and reactions, 3 processes", (("order",), ("product",), ("payment",)), house.writers),
    ("with read models and statistics, 1 process", (MONEY_PATH,), house.worker),
)


def measure_drain(orders: int, repeats: int) -> list[tuple[str, float, Drained]]:
    """Each layout on a fresh broker, so often; with the records a second that the bare client can append."""
    found = []
    for _ in range(repeats):
        for name, layout, start in LAYOUTS:
            with tempfile.TemporaryDirectory() as folder, Servers.start(Path(folder), lambda _: None) as servers:
                kafka, postgres = servers.kafka, servers.postgres
                bare = asyncio.run(limit.append_rate(kafka.url))
                where = (kafka.url, postgres.url, Path(folder), kafka.pid or 0)
                found.append((name, bare, asyncio.run(drain(*where, layout, orders, str(time.time()), start))))
    return found


def drain_table(found: Sequence[tuple[str, float, Drained]]) -> Table:
    """Medians over the repeats."""
    table = Table(
        "drain of two-line orders", "orders/s", "CPU ms/order", "broker ms/order", "% of bare appends", "others"
    )
    for name in dict.fromkeys(name for name, _, _ in found):
        mine = sorted(((d, bare) for each, bare, d in found if each == name), key=lambda pair: pair[0].rate)
        middle, bare = mine[len(mine) // 2]
        spread = f"{middle.rate:,.0f} [{mine[0][0].rate:,.0f}..{mine[-1][0].rate:,.0f}]"
        share = 100 * middle.rate * middle.records / bare
        table.add_row(
            name,
            spread,
            f"{middle.worker_ms:.2f}",
            f"{middle.broker_ms:.2f}",
            f"{share:.0f}",
            f"{middle.others_cores:.2f}",
        )
    return table


def latency_table(found: Sequence[Latency]) -> Table:
    """One row a rate."""
    table = Table("HTTP accept to confirmed in the read model, ms", "p50", "p95", "p99", "worst", "cores by process")
    for each in found:
        cores = ", ".join(f"{name} {used:.2f}" for name, used in each.cores.items() if used >= 0.01)
        row = [f"{ms:.0f}" for ms in (each.p50, each.p95, each.p99, each.worst)]
        table.add_row(f"{each.rate:.0f} orders/s, {each.orders} confirmed", *row, cores)
    return table


def restart_table(found: Restarted) -> Table:
    """From the kill to the first decision after it."""
    table = Table("worker killed with -9 and started again", "seconds", "history")
    table.add_row("process started to every partition claimed", f"{found.claimed:.2f}", f"{found.events:,} events")
    table.add_row("process started to a new order confirmed", f"{found.confirmed:.2f}", "")
    return table


def main() -> None:
    """Measure what is asked for."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("what", nargs="*", default=["drain", "latency", "restart"])
    parser.add_argument("--orders", type=int, help="orders a drain (8000), or of the history (all: 155,368)")
    parser.add_argument("--repeats", type=int, default=3, help="drains of each layout")
    parser.add_argument("--rates", type=float, nargs="+", default=[50.0], help="orders a second, open loop")
    parser.add_argument("--seconds", type=float, default=20.0, help="length of each open loop")
    asked = parser.parse_args()
    console = Console(width=140)
    if "drain" in asked.what:
        console.print(drain_table(measure_drain(asked.orders or 8000, asked.repeats)))
    if "latency" in asked.what:
        found = []
        for rate in asked.rates:
            with tempfile.TemporaryDirectory() as folder:
                found.append(uvloop.run(latency(Path(folder), rate, asked.seconds)))
        console.print(latency_table(found))
    if "restart" in asked.what:
        with tempfile.TemporaryDirectory() as folder:
            console.print(restart_table(asyncio.run(restart(Path(folder)))))
    if "year" in asked.what:
        for table in year_tables(year(asked.orders)):
            console.print(table)
    if "ten" in asked.what:
        console.print(ten_table(*cost_of_ten(asked.orders or 12_000)))
    if "back" in asked.what:
        long = asked.orders or 40_000
        console.print(back_table(restarts([long // 10, long])))
    if "search" in asked.what:
        with tempfile.TemporaryDirectory() as folder:
            console.print(search(Path(folder)))
    if "live" in asked.what:
        with tempfile.TemporaryDirectory() as folder:
            console.print(live_table(uvloop.run(live(Path(folder)))))
    if "export" in asked.what:
        console.print(export_table(export(asked.orders)))


if __name__ == "__main__":
    main()
