"""Eight days of baskets on a Kafka of their own, and the command line that looks at them."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.analyst.window import ORDERS
from tests.bench.past import write_year
from workers.local import Servers


@pytest.fixture(scope="session")
def window(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The home folder of a local run, whose Kafka has the window and nothing else."""
    home = tmp_path_factory.mktemp("window")
    with Servers.start(home, print, postgres=False) as servers:
        asyncio.run(write_year(servers.kafka.url, ORDERS))
        yield home
