"""One whole system, as a user starts it, for all attacks: real servers, one worker of all contexts, the API."""

import time
from collections.abc import AsyncIterator, Iterator, Mapping

import httpx2
import pytest
from rich.console import Console

from projections.postgres import Database
from projections.registry import install
from schemas.settings import CONTEXTS
from tests.attacks.wire import Door
from workers.baskets import YEAR
from workers.run import Plan, Run

RATES = ("ORDERLOG_RATE_USER", "ORDERLOG_RATE_ANONYMOUS", "ORDERLOG_RATE_LOGIN")


@pytest.fixture(scope="package")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    """The system, ready; its worker gives up a silent member after 3 s, and nobody asks too often."""
    env = {"ORDERLOG_SESSION_TIMEOUT_MS": "3000", **dict.fromkeys(RATES, "1000000")}
    with Run(Plan(tmp_path_factory.mktemp("attacks"), YEAR, workers=((),), env=env), Console(quiet=True)) as run:
        _until_ready(run.address.api)
        yield run


@pytest.fixture(scope="module")
async def databases(postgres: str) -> AsyncIterator[Mapping[str, Database]]:
    """Databases of these tests' own, for shops that run in the test."""
    opened = {name: Database(postgres, f"attack_{name}") for name in CONTEXTS}
    for name, database in opened.items():
        await install(database, name)
    yield opened
    for database in opened.values():
        await database.close()


@pytest.fixture(scope="module")
def door(run: Run) -> Iterator[Door]:
    """The API from outside, when nothing is under way."""
    door = Door(run.address.api, run.address.kafka)
    door.quiet()
    yield door
    door.close()


def _until_ready(api: str) -> None:
    deadline = time.monotonic() + 90
    while True:
        try:
            if httpx2.get(f"{api}/ready", timeout=5).status_code == 200:
                return
        except httpx2.TransportError:
            pass
        assert time.monotonic() < deadline, "not ready within 90 s"
        time.sleep(0.1)
