"""The API with nothing behind it, and with everything."""

from collections.abc import AsyncIterator

import pytest

from tests.api import world as worlds
from tests.api.world import World


@pytest.fixture
async def door() -> AsyncIterator[World]:
    async with worlds.door() as world:
        yield world


@pytest.fixture(scope="session")
async def world(postgres: str) -> AsyncIterator[World]:
    async with worlds.world_on(postgres) as world:
        yield world
