"""A history is filled in by several processes; one that dies is made up for, and none outlives the one it helps."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from msgspec import json

from events import topics
from events.kafka import KafkaLog
from events.log import Place
from projections.order import ORDERS
from projections.postgres import Database
from projections.registry import install, models
from projections.versions import Versions
from schemas.settings import Settings
from tests.bench.past import write_year
from tests.local.conftest import eventually, lives
from workers import rebuild as rebuilding
from workers.hands import Hands, Task
from workers.local import Servers
from workers.rebuild import Pace, Rebuild

pytestmark = [pytest.mark.infra, pytest.mark.anyio]

ORDERS_WRITTEN = 300


@pytest.fixture(scope="module")
def past(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """Servers with a history that no worker has seen."""
    with Servers.start(tmp_path_factory.mktemp("hands"), lambda _: None) as servers:
        asyncio.run(write_year(servers.kafka.url, ORDERS_WRITTEN, products=False))
        yield Settings(kafka=servers.kafka.url, postgres=servers.postgres.url)


@pytest.fixture
async def versions(past: Settings) -> AsyncIterator[Versions]:
    database = Database(past.postgres, "order", wait=20)
    await install(database, "order")
    yield Versions(database, models("order"))
    await database.close()


async def filled(past: Settings, versions: Versions) -> list[rebuilding.Progress]:
    """What was told while a new version was filled; it has every order."""
    log, told = KafkaLog(past.kafka), list[rebuilding.Progress]()
    try:
        ends = {p: (await log.bounds(Place(topics.events("order"), p)))[1] for p in rebuilding.EVERY}
        async with versions.making() as connection:
            version = await versions.make(connection, ORDERS)
        rebuild = Rebuild(log, versions, version, Pace(None), told.append, Hands(past, "order"))
        await rebuild.open()
        await rebuild.fill(ends)
    finally:
        await log.close()
    [row] = await versions.database.fetch(f"SELECT count(*) AS n FROM {version.table}")
    assert row["n"] == ORDERS_WRITTEN
    assert {p: fence.next for p, fence in rebuild.positions.items()} == ends
    return told


def hands_of(parent: int) -> list[int]:
    """The processes that help one."""
    ours = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
    return [int(pid) for pid in ours if b"workers.hands" in Path(f"/proc/{pid}/cmdline").read_bytes()]


async def test_hands_fill_a_version(
    past: Settings, versions: Versions, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(rebuilding, "FAR", 0)
    told = await filled(past, versions)
    assert {progress.partition for progress in told if progress.next >= progress.goal} == set(rebuilding.EVERY)
    assert "goes on alone" not in caplog.text


async def test_one_whose_hands_are_killed_does_it_alone(
    past: Settings, versions: Versions, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(rebuilding, "FAR", 0)
    filling = asyncio.create_task(filled(past, versions))
    while not (hands := hands_of(os.getpid())):
        await asyncio.sleep(0.01)
    for pid in hands:
        os.kill(pid, signal.SIGKILL)
    await filling
    assert "ended with -9; this one goes on alone" in caplog.text


HELPED = """
import asyncio, sys
from msgspec import json
from workers.hands import Task, _lend
asyncio.run(_lend(json.decode(sys.argv[1], type=Task), lambda progress: print(progress, flush=True)))
"""


async def test_a_hand_ends_with_the_one_it_helps(past: Settings, versions: Versions) -> None:
    async with versions.making() as connection:
        version = await versions.make(connection, ORDERS)
    beyond = dict.fromkeys(rebuilding.EVERY, 10**9)  # it waits for more, when it has all there is
    task = json.encode(Task(past.kafka, past.postgres, "order", "orders", version.number, beyond)).decode()
    helped = await asyncio.create_subprocess_exec(sys.executable, "-c", HELPED, task, stdout=asyncio.subprocess.PIPE)
    assert helped.stdout
    assert await helped.stdout.readline()
    [hand] = hands_of(helped.pid)
    helped.kill()
    await helped.communicate()
    eventually(lambda: not lives(hand))
