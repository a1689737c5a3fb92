"""Grounds that these tests stand on: the in-memory log and a real Kafka, with the same code above."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.eventsourcing.ground import Ground


@pytest.fixture(scope="session")
def kafka() -> str:
    return Path("/tmp/es_urls").read_text().split()[0]


@pytest.fixture(scope="session")
def postgres() -> str:
    return Path("/tmp/es_urls").read_text().split()[1]


@pytest.fixture(params=["memory", pytest.param("kafka", marks=pytest.mark.infra)])
def ground(request: pytest.FixtureRequest) -> Iterator[Ground]:
    ground = Ground(request.getfixturevalue("kafka") if request.param == "kafka" else None)
    yield ground
    ground.close()
