"""The logs that each contract is tested on: the twin and Kafka, each also with readers that share consumers."""

from collections.abc import AsyncIterator

import pytest

from events.hub import Hub
from tests.contracts.ground import Ground, InMemory, OnKafka

KAFKA = [pytest.param(name, marks=pytest.mark.infra) for name in ("kafka", "hub on kafka")]


@pytest.fixture(params=["memory", "hub on memory", *KAFKA])
async def ground(request: pytest.FixtureRequest) -> AsyncIterator[Ground]:
    ground: Ground = OnKafka(request.getfixturevalue("kafka")) if "kafka" in request.param else InMemory()
    if request.param.startswith("hub"):
        ground.log = Hub(ground.log)
    yield ground
    await ground.close()
