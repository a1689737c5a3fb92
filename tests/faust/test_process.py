"""A worker process under Faust: it looks after its services, and goes when it is told to."""

import os
import signal
import sys
import time
from asyncio.subprocess import PIPE, Process, create_subprocess_exec
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.faust.world import World, placed, recorded

pytestmark = [pytest.mark.infra, pytest.mark.anyio]

STOPPED_WITHIN_SECONDS = 5.0
NOWHERE = "127.0.0.1:1"
STRAY = {"PRODUCER_ACKS": "0", "PROCESSING_GUARANTEE": "exactly_once", "ENV_PREFIX": "", "WEB_ENABLED": "1"}


@asynccontextmanager
async def worker(*words: str) -> AsyncIterator[Process]:
    command = (sys.executable, "-m", "tests.faust.process", *words)
    process = await create_subprocess_exec(*command, stdout=PIPE, stderr=PIPE, env={**os.environ, **STRAY})
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def heard(process: Process, words: str) -> None:
    """Wait until the process has said these words."""
    assert process.stdout is not None
    async for line in process.stdout:
        if words in line.decode():
            return
    raise AssertionError(f"never said {words!r}")


async def told_to_end(process: Process, by: int = signal.SIGTERM) -> str:
    """What it still said, once told to end."""
    began = time.monotonic()
    process.send_signal(by)
    said, logged = await process.communicate()
    assert process.returncode == 0, logged.decode()
    assert time.monotonic() - began < STOPPED_WITHIN_SECONDS
    return said.decode()


async def test_a_process_without_agents_needs_no_broker_and_ends_in_order(tmp_path: Path) -> None:
    async with worker(NOWHERE, str(tmp_path)) as process:
        await heard(process, "unlucky lives 2")
        said = await told_to_end(process)

    assert said.splitlines() == ["ticker ends in order", "resources closed"]


async def test_a_process_with_agents_ends_in_order_in_the_middle_of_its_stream(world: World) -> None:
    owner = await world.own()
    await owner.append([recorded(placed(), owner) for _ in range(400)])
    words = (world.settings.kafka, str(world.settings.home), world.events, world.commands, world.word)
    async with worker(*words) as process:
        await heard(process, "ticker runs")
        await world.grown(world.commands, 50)
        said = await told_to_end(process)
    async with worker(*words) as process:
        await heard(process, "ticker runs")
        await world.told(400)
        await told_to_end(process)

    assert "ticker ends in order" in said
    assert len(await world.all_sent()) == 400


async def test_a_broker_that_cannot_be_reached_stops_the_stream_and_nothing_else(tmp_path: Path) -> None:
    async with worker(NOWHERE, str(tmp_path), "a.events", "a.commands", "a") as process:
        await heard(process, "unlucky lives 2")
        said = await told_to_end(process, signal.SIGINT)

    assert "ticker ends in order" in said
