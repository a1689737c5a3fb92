"""An export holds every event that counts, exactly once, whatever is killed; and not a cent is lost on the way."""

import asyncio
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import duckdb
import pytest

from events.cluster import asking
from events.envelope import CLIENT, Envelope
from events.errors import Fenced
from events.fence import Fence
from events.fenced import Owner, claim
from events.ids import derive
from events.kafka import KafkaLog, create_topics
from events.log import Place
from events.registry import event_codec
from events.selection import Selection
from events.topics import TOPICS
from tests.analyst.conftest import ORDERS
from tests.analyst.truth import Row, exported, truth
from tests.baskets.oracle import expected
from tests.builders import order
from workers.analyst import folder as folders
from workers.analyst.export import Exported, export
from workers.analyst.folder import Asked
from workers.baskets import YEAR, Baskets, Window
from workers.local import Servers

pytestmark = pytest.mark.infra
ASKED = Asked("a log")
WINDOW = Window(YEAR.start, YEAR.end, ORDERS)


@pytest.fixture(scope="module")
def rows(past: str) -> list[Row]:
    return asyncio.run(truth(past))


@pytest.fixture(scope="module")
def folder(past: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An export of everything, that went through."""
    place = tmp_path_factory.mktemp("export") / "all"
    into(past, place)
    return place


def into(kafka: str, place: Path, asked: Asked = ASKED, step: int = 20_000) -> Exported:
    async def run() -> Exported:
        log = KafkaLog(kafka)
        try:
            return await export(log, place, asked, step=step)
        finally:
            await log.close()

    return asyncio.run(run())


def interrupted(kafka: str, place: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "tests.analyst.interrupted", kafka, str(place)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def ask(sql: str) -> list[Any]:
    with duckdb.connect() as connection:
        return connection.execute(sql).fetchall()


def come(place: Path) -> int:
    return sum(folders.mark(place, context).events for context in ("order", "product"))


def test_every_event_is_there_with_the_values_that_the_codec_decodes(folder: Path, rows: list[Row]) -> None:
    assert exported(folder) == rows


def test_what_an_export_says_of_itself_is_so(folder: Path, rows: list[Row]) -> None:
    assert folders.read(folder) == ASKED
    assert come(folder) == len(rows)
    assert set(folders.counted(folder)) == set((folder / "data").rglob("*.parquet"))
    assert list(folders.leftovers(folder)) == []


@pytest.mark.long
def test_killed_at_any_moment_and_begun_again_it_holds_everything_once(
    past: str, tmp_path: Path, rows: list[Row]
) -> None:
    dice, place, seen = random.Random(20261128), tmp_path / "killed", []
    for _ in range(40):
        running = interrupted(past, place)
        until = time.monotonic() + dice.uniform(0.05, 0.6)
        before = come(place)
        while running.poll() is None and (come(place) == before or time.monotonic() < until):
            time.sleep(0.005)
        time.sleep(dice.uniform(0, 0.05))
        running.kill()
        running.communicate()
        seen.append(come(place))
        if seen[-1] == len(rows):
            break
    into(past, place)

    assert len({*seen}) > 3, "the kills came too early or too late"
    assert exported(place) == rows
    assert not list((place / "data").rglob("*.part"))


def test_a_process_of_its_own_killed_ends_it_with_what_was_done(past: str, tmp_path: Path, rows: list[Row]) -> None:
    place = tmp_path / "hand"
    running = interrupted(past, place)
    hands = Path(f"/proc/{running.pid}/task/{running.pid}/children")
    while not come(place):
        time.sleep(0.01)
    os.kill(int(hands.read_text().split()[0]), signal.SIGKILL)
    _, said = running.communicate(timeout=30)

    assert running.returncode == 1
    assert "what was done is kept, the same command goes on" in said
    into(past, place)
    assert exported(place) == rows


def test_two_at_once_are_refused_and_nothing_is_harmed(past: str, tmp_path: Path, rows: list[Row]) -> None:
    place = tmp_path / "two"
    one = interrupted(past, place)
    while not come(place):
        time.sleep(0.01)
    one.send_signal(signal.SIGSTOP)
    other = interrupted(past, place)
    _, said = other.communicate(timeout=60)
    one.send_signal(signal.SIGCONT)
    one.communicate(timeout=60)

    assert f"is being added to by process {one.pid}" in said
    assert exported(place) == rows


def test_a_second_export_adds_only_what_is_new(tmp_path: Path) -> None:
    asyncio.run(_second(tmp_path))


async def _second(tmp_path: Path) -> None:
    with Servers.start(tmp_path / "servers", print, postgres=False) as servers:
        kafka, place = servers.kafka.url, Place("order.events", 2)
        await create_topics(kafka, TOPICS)
        log, fence = KafkaLog(kafka), Fence()
        try:
            owner = await claim(log, place, fence, lambda record: None)
            await owner.append(life(owner, 1, 3))
            first = await export(log, tmp_path / "x", ASKED)
            files = {file: file.stat().st_mtime_ns for file in folders.counted(tmp_path / "x")}
            nothing = await export(log, tmp_path / "x", ASKED)
            await owner.append(life(owner, 4, 5))
            other = await claim(log, place, Fence(), lambda record: None)
            with pytest.raises(Fenced):
                await owner.append(life(owner, 6, 9))  # too late: they do not count
            other = await claim(log, place, Fence(), lambda record: None)
            await other.append(life(other, 6, 7))
            second = await export(log, tmp_path / "x", ASKED)
            async with asking(kafka) as cluster:
                assert not [group for group in await cluster.groups() if group.startswith("order")]
            right = exported(tmp_path / "x") == await truth(kafka)
            [(envelope, _)] = life(other, 8, 8)
            await other.append([(envelope, b'{"order_id": 1}')])
            third = await export(log, tmp_path / "x", ASKED)
        finally:
            await log.close()
        assert (first.added, nothing.added, nothing.files, second.added, second.events) == (3, 0, 0, 4, 7)
        assert {file: file.stat().st_mtime_ns for file in files} == files
        assert right
        assert [row["version"] for row in exported(tmp_path / "x")] == [1, 2, 3, 4, 5, 6, 7, 8]
        assert (third.added, third.unreadable, exported(tmp_path / "x")[-1]["type"]) == (1, 1, "unreadable")
        assert third.examples[0].endswith("order.placed.v1: order_id: Input should be a valid string")


def life(owner: Owner, first: int, last: int) -> list[tuple[Envelope, bytes]]:
    """Events of an order, by version."""
    event = order.placed()
    made = []
    for version in range(first, last + 1):
        name = derive("event", str(version))
        time_of_it = f"2026-11-{20 + version:02d}T10:00:00+00:00"
        owned = {"version": version, "epoch": owner.epoch, "writer": owner.writer}
        envelope = Envelope(name, event.tag, "order", time_of_it, event.stream, name, name, CLIENT, **owned)  # type: ignore[arg-type]
        made.append((envelope, event_codec.encode(event)))
    return made


def test_orders_lines_and_cents_are_those_of_the_source_files(folder: Path) -> None:
    told = expected(Baskets.from_wheel().folder, WINDOW)
    files = f"{folder}/data/context=order/type=order.placed.v1/*/*.parquet"
    [found] = ask(f"SELECT count(*), sum(len(lines))::BIGINT, sum(total)::BIGINT FROM '{files}'")
    [lines] = ask(
        f"SELECT sum(line.quantity * line.unit_price)::BIGINT FROM (SELECT unnest(lines) AS line FROM '{files}')"
    )

    assert found == (told.orders, told.lines, told.cents)
    assert lines == (told.cents,)


SOURCE = """
    WITH priced AS (
        SELECT basket_id, product_id, transaction_timestamp AS moment, quantity,
               CAST(CAST(sales_value AS DECIMAL(14, 2)) * 100 AS BIGINT) AS value
        FROM read_parquet('{folder}/transactions.parquet') WHERE quantity BETWEEN 1 AND 100000 AND sales_value > 0
    ),
    chosen AS (
        SELECT DISTINCT moment, basket_id FROM priced
        WHERE (2 * value + quantity) // (2 * quantity) <= 1000000000
        ORDER BY moment, basket_id LIMIT {orders}
    )
    SELECT coalesce(department, ''), sum(quantity * ((2 * value + quantity) // (2 * quantity)))::BIGINT
    FROM priced JOIN chosen USING (basket_id, moment)
    LEFT JOIN read_parquet('{folder}/products.parquet') USING (product_id)
    GROUP BY 1 ORDER BY 1
"""
EXPORT = """
    WITH lines AS (
        SELECT unnest(lines) AS line FROM '{folder}/data/context=order/type=order.placed.v1/*/*.parquet'
    )
    SELECT department, sum(line.quantity * line.unit_price)::BIGINT
    FROM lines JOIN '{folder}/data/context=product/type=product.listed.v1/*/*.parquet' ON sku = line.sku
    GROUP BY 1 ORDER BY 1
"""


def test_every_departments_revenue_is_that_of_the_source_files(folder: Path) -> None:
    source = ask(SOURCE.format(folder=Baskets.from_wheel().folder, orders=ORDERS))

    assert ask(EXPORT.format(folder=folder)) == source
    assert len(source) > 15


@pytest.mark.parametrize("written", ["jsonl", "csv"])
def test_other_formats_hold_the_same(past: str, tmp_path: Path, folder: Path, written: str) -> None:
    into(past, tmp_path / written, Asked("a log", written, selection=Selection(types=("order.placed", "order.ship"))))
    for kind in ("order.placed.v1", "order.shipped.v1"):
        there = f"'{tmp_path}/{written}/data/context=order/type={kind}/*/*.{written}'"
        here = f"'{folder}/data/context=order/type={kind}/*/*.parquet'"
        some = 'log_partition, log_position, stream, version, epoch_us(CAST("at" AS TIMESTAMPTZ)), event_id, order_id'
        asked = f"SELECT {some} FROM {{}} ORDER BY log_partition, log_position"
        found = ask(asked.format(there))
        assert [(*map(str, row),) for row in found] == [(*map(str, row),) for row in ask(asked.format(here))]
        assert found
