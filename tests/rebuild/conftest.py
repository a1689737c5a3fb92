"""The running system, and a workshop for its orders' read model."""

import asyncio
from collections.abc import AsyncIterator, Iterator

import pytest

from schemas.settings import Settings
from tests.api import world as worlds
from tests.api.world import World
from tests.bench.past import write_year
from tests.rebuild.past import ORDERS_WRITTEN
from tests.rebuild.workshop import Workshop, workshop
from workers.local import Servers


@pytest.fixture(scope="session")
async def world(postgres: str) -> AsyncIterator[World]:
    async with worlds.world_on(postgres, "rebuild") as world:
        yield world


@pytest.fixture
async def shop(world: World, postgres: str) -> AsyncIterator[Workshop]:
    async with workshop(world, postgres) as shop:
        yield shop


@pytest.fixture(scope="package")
def past(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """Servers with a history that no worker has seen."""
    with Servers.start(tmp_path_factory.mktemp("past"), lambda _: None) as servers:
        asyncio.run(write_year(servers.kafka.url, ORDERS_WRITTEN, products=False))
        yield Settings(kafka=servers.kafka.url, postgres=servers.postgres.url)
