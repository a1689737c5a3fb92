"""The API with nothing behind it, and with everything."""

from collections.abc import AsyncIterator

import httpx2
import pytest

from tests.api import entries
from tests.api import world as worlds
from tests.api.world import World


@pytest.fixture(scope="session")
async def outside() -> AsyncIterator[World]:
    async with worlds.door() as world:
        yield world


@pytest.fixture
def door(outside: World) -> World:
    """The API with no server behind it; its log is empty."""
    outside.log.records.clear()
    return outside


@pytest.fixture(scope="session")
async def world(postgres: str) -> AsyncIterator[World]:
    async with worlds.world_on(postgres) as world:
        yield world


@pytest.fixture(scope="session", params=list(entries.ENTRIES))
async def entry(request: pytest.FixtureRequest, postgres: str, world: World) -> AsyncIterator[httpx2.AsyncClient]:
    """A client of the gateway, on both ways to the contexts of the world."""
    async with entries.ENTRIES[request.param](postgres, world) as client:
        yield client
