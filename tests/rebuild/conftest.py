"""The running system, and a workshop for its orders' read model."""

from collections.abc import AsyncIterator

import pytest

from tests.api import world as worlds
from tests.api.world import World
from tests.rebuild.workshop import Workshop, workshop


@pytest.fixture(scope="session")
async def world(postgres: str) -> AsyncIterator[World]:
    async with worlds.world_on(postgres, "rebuild") as world:
        yield world


@pytest.fixture
async def shop(world: World, postgres: str) -> AsyncIterator[Workshop]:
    async with workshop(world, postgres) as shop:
        yield shop
