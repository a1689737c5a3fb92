"""The world as a fixture."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.faust.world import World, world_on


@pytest.fixture
async def world(kafka: str, tmp_path: Path) -> AsyncIterator[World]:
    async with world_on(kafka, tmp_path) as world:
        yield world
