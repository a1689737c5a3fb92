"""The two logs that each contract is tested on."""

from collections.abc import AsyncIterator

import pytest

from tests.contracts.ground import Ground, InMemory, OnKafka


@pytest.fixture(params=["memory", pytest.param("kafka", marks=pytest.mark.infra)])
async def ground(request: pytest.FixtureRequest) -> AsyncIterator[Ground]:
    ground: Ground = OnKafka(request.getfixturevalue("kafka")) if request.param == "kafka" else InMemory()
    yield ground
    await ground.close()
