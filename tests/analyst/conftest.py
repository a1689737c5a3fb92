"""A log of its own for analysts' tests: the first baskets of the supermarket's year, as the saga would have them."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.bench.past import write_year
from workers.local import Servers

ORDERS = 2_000


@pytest.fixture(scope="session")
def past(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a Kafka that holds the first 2,000 orders of the year, and their products; nothing is added."""
    with Servers.start(tmp_path_factory.mktemp("past"), print, postgres=False) as servers:
        asyncio.run(write_year(servers.kafka.url, ORDERS))
        yield servers.kafka.url


@pytest.fixture
def environment(past: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The command line finds that log, and a home of its own."""
    monkeypatch.setenv("ORDERLOG_KAFKA", past)
    monkeypatch.setenv("ORDERLOG_HOME", str(tmp_path / "home"))
    return tmp_path
