"""Fixtures for all tests: the real Kafka and the real Postgres, started once by the project's own launcher."""

from collections.abc import Iterator

import pytest

from workers.local import Servers


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="session")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    """Both servers; a test that kills one brings it back."""
    with Servers.start(tmp_path_factory.mktemp("servers"), print) as running:
        yield running


@pytest.fixture(scope="session")
def kafka(servers: Servers) -> str:
    """The bootstrap address, host:port."""
    return servers.kafka.url


@pytest.fixture(scope="session")
def postgres(servers: Servers) -> str:
    """The URL of a superuser on the server."""
    return servers.postgres.url
