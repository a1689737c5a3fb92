"""Grounds that these tests stand on: the in-memory log and a real Kafka, with the same code above."""

from collections.abc import Iterator

import pytest

from tests.eventsourcing.ground import Ground


@pytest.fixture(params=["memory", pytest.param("kafka", marks=pytest.mark.infra)])
def ground(request: pytest.FixtureRequest) -> Iterator[Ground]:
    ground = Ground(request.getfixturevalue("kafka") if request.param == "kafka" else None)
    yield ground
    ground.close()
