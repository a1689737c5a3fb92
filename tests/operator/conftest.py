"""A shop that one real worker runs on the real servers, one order that went through it, and the command line."""

import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple
from uuid import uuid4

import pytest
from typer.testing import CliRunner

from events.kafka import KafkaLog, create_topics
from events.log import Draft, Place
from events.topics import TOPICS, partition_of
from schemas.values import Command
from tests.scenarios.shop import client_draft, order, place_of, product, sku_on
from workers.cli import cli

PATIENCE_SECONDS = 40.0
Environment = dict[str, str]


class Said(NamedTuple):
    """What a command said, and its exit code."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Orders = Callable[..., Said]


class Shop(NamedTuple):
    """The worker, and an order that it has confirmed, with the id of the command that placed it."""

    worker: subprocess.Popen[bytes]
    orders: Orders
    sku: str
    stream: str
    correlation: str
    send: Callable[[Sequence[tuple[Command, str]]], None]
    forge: Callable[[str, str], None]


def cli_in(environment: Environment) -> Orders:
    """The command line in an environment."""

    def orders(*words: str) -> Said:
        result = CliRunner(env=environment).invoke(cli, words)
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        return Said(result.exit_code, result.stdout, result.stderr)

    return orders


@pytest.fixture(scope="session")
def environment(kafka: str, postgres: str, tmp_path_factory: pytest.TempPathFactory) -> Environment:
    return {
        "ORDERLOG_KAFKA": kafka,
        "ORDERLOG_POSTGRES": postgres,
        "ORDERLOG_HOME": str(tmp_path_factory.mktemp("operator")),
        "ORDERLOG_WHO": "ada",
        "ORDERLOG_PROVIDER": "in-process",
        "ORDERLOG_SMTP": "in-process",
    }


@pytest.fixture(scope="session")
def orders(environment: Environment) -> Orders:
    return cli_in(environment)


@pytest.fixture(scope="package")
def shop(
    kafka: str, environment: Environment, orders: Orders, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Shop]:
    asyncio.run(create_topics_of(kafka))
    log = tmp_path_factory.mktemp("logs") / "worker.log"
    worker = started(environment, log)
    try:
        until(lambda: orders("status", "--json", "--over", "0.1").code == 0, "all is owned", log)
        sku, correlation = sku_on(0), str(uuid4())
        ordered = order((sku, 1))

        def send(commands: Sequence[tuple[Command, str]]) -> None:
            asyncio.run(_send(kafka, commands))

        def forge(stream: str, topic: str) -> None:
            """An event under the claim of nobody, as a writer that lost its partition long ago might append it."""
            headers = [("ce_type", b"order.shipped.v1"), ("epoch", b"1"), ("writer", b"nobody")]
            place = Place(topic, partition_of(stream))
            asyncio.run(_append(kafka, [(place, Draft(stream, b"{}", headers))]))

        send([(product(sku, 100), str(uuid4()))])
        until(lambda: orders("log", "show", f"product-{sku}").code == 0, "the product is listed", log)
        send([(ordered, correlation)])
        until(
            lambda: "notification.delivered.v1" in orders("log", "find", "--correlation", correlation).out, "mail", log
        )
        yield Shop(worker, orders, sku, ordered.stream, correlation, send, forge)
    finally:
        worker.terminate()
        worker.wait(20)


def started(environment: Environment, log: Path) -> subprocess.Popen[bytes]:
    with log.open("wb") as out:
        words = [sys.executable, "-m", "workers", "worker"]
        return subprocess.Popen(words, env={**os.environ, **environment}, stdout=out, stderr=out)


def until(holds: Callable[[], bool], what: str, log: Path | None = None) -> None:
    """Ask again until it is so."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not holds():
        assert time.monotonic() < deadline, f"{what}: not yet; {log.read_text()[-3000:] if log else ''}"


async def create_topics_of(kafka: str) -> None:
    await create_topics(kafka, TOPICS)


async def _send(kafka: str, commands: Sequence[tuple[Command, str]]) -> None:
    await _append(kafka, [(place_of(command), client_draft(command, command_id)) for command, command_id in commands])


async def _append(kafka: str, drafts: Sequence[tuple[Place, Draft]]) -> None:
    log = KafkaLog(kafka)
    try:
        for place, draft in drafts:
            await log.append(place, [draft])
    finally:
        await log.close()
