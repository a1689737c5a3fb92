"""A log of its own for analysts' tests: the first baskets of the supermarket's year, as the saga would have them."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.analyst.window import ORDERS as ORDERS
from tests.bench.past import write_year
from workers.local import Servers, addresses


@pytest.fixture(scope="session")
def window(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The home of a local run, whose Kafka holds the first orders of the year, and their products; nothing is added."""
    home = tmp_path_factory.mktemp("window")
    with Servers.start(home, print, postgres=False) as servers:
        asyncio.run(write_year(servers.kafka.url, ORDERS))
        yield home


@pytest.fixture(scope="session")
def past(window: Path) -> str:
    """The address of that Kafka."""
    return addresses(window)["kafka"]


@pytest.fixture
def environment(past: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The command line finds that log, and a home of its own."""
    monkeypatch.setenv("ORDERLOG_KAFKA", past)
    monkeypatch.setenv("ORDERLOG_HOME", str(tmp_path / "home"))
    return tmp_path
