"""A history is filled in by several processes; one that dies is made up for, and none outlives the one it helps."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from msgspec import json

from events import topics
from events.kafka import KafkaLog
from events.log import Place
from projections.order import ORDERS
from projections.versions import Versions
from schemas.settings import Settings
from tests.local.conftest import eventually, lives
from tests.rebuild.past import ORDERS_WRITTEN, count, fill, versions_on
from workers import rebuild as rebuilding
from workers.hands import Task

pytestmark = [pytest.mark.infra, pytest.mark.anyio]


@pytest.fixture
async def versions(past: Settings) -> AsyncIterator[Versions]:
    async with versions_on(past) as found:
        yield found


def hands_of(parent: int) -> list[int]:
    """The processes that help one."""
    ours = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
    return [int(pid) for pid in ours if b"workers.hands" in Path(f"/proc/{pid}/cmdline").read_bytes()]


async def test_hands_fill_a_version(
    past: Settings, versions: Versions, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(rebuilding, "FAR", 0)
    told: list[rebuilding.Progress] = []
    version = await fill(past, versions, told.append)
    assert await count(versions, version.table) == ORDERS_WRITTEN
    assert {progress.partition for progress in told if progress.next >= progress.goal} == set(rebuilding.EVERY)
    assert "goes on alone" not in caplog.text


async def test_one_whose_hands_are_killed_does_it_alone(
    past: Settings, versions: Versions, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(rebuilding, "FAR", 0)
    filling = asyncio.create_task(fill(past, versions, rebuilding.nothing))
    while not (hands := hands_of(os.getpid())):
        await asyncio.sleep(0.01)
    for pid in hands:
        os.kill(pid, signal.SIGKILL)
    version = await filling
    assert await count(versions, version.table) == ORDERS_WRITTEN
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
    log = KafkaLog(past.kafka)
    _, end = await log.bounds(Place(topics.events("order"), 0))
    await log.close()
    goals = dict.fromkeys(rebuilding.EVERY, 10**9) | {0: end}  # of the others it waits for more
    task = json.encode(Task(past.kafka, past.postgres, "order", "orders", version.number, goals)).decode()
    helped = await asyncio.create_subprocess_exec(sys.executable, "-c", HELPED, task, stdout=asyncio.subprocess.PIPE)
    assert helped.stdout
    assert await helped.stdout.readline()
    [hand] = hands_of(helped.pid)
    helped.kill()
    await helped.communicate()
    eventually(lambda: not lives(hand))
    await versions.drop(version)
