"""Houses to play in: in memory a new one for every test, on Kafka and Postgres one for all of them."""

import gc
from collections import defaultdict
from collections.abc import AsyncIterator

import pytest

from events.kafka import KafkaLog, create_topics
from events.memory import MemoryLog
from events.topics import TOPICS
from projections.postgres import Database
from projections.registry import install
from schemas.settings import CONTEXTS
from tests.scenarios.house import House

OFTEN = ("cancellations", "cancelled_lines", "deadlines", "letters", "refusals", "repeats", "returns", "shipments")
THINNED = {f"test_{name}.py" for name in OFTEN}
"""Scenarios of which every third is played on Kafka too; the others there are long."""
SELDOM = ("test_rest.py", "test_amendments.py")
"""Scenarios of which all that are played on Kafka are long."""


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    played: dict[str, int] = defaultdict(int)
    for item in items:
        if item.path.name in THINNED and "[kafka" in item.name:
            if played[item.path.name] % 3:
                item.add_marker(pytest.mark.long)
            played[item.path.name] += 1
        if item.path.name in SELDOM and "[kafka" in item.name:
            item.add_marker(pytest.mark.long)


@pytest.fixture(scope="package")
async def real_house(kafka: str, postgres: str) -> AsyncIterator[House]:
    await create_topics(kafka, TOPICS)
    log = KafkaLog(kafka)
    databases = {name: Database(postgres, name) for name in CONTEXTS}
    for name, database in databases.items():
        await database.open()
        await install(database, name)
    house = House(log, databases)
    await house.open()
    yield house
    await house.close()
    for database in databases.values():
        await database.close()
    await log.close()
    gc.collect()  # what was cut off is found here, not in another test


@pytest.fixture
async def memory_house() -> AsyncIterator[House]:
    house = House(MemoryLog())
    await house.open()
    yield house
    await house.close()


@pytest.fixture(params=["memory", pytest.param("kafka", marks=pytest.mark.infra)])
def house(request: pytest.FixtureRequest) -> House:
    house: House = request.getfixturevalue("real_house" if request.param == "kafka" else "memory_house")
    house.begin()
    return house
