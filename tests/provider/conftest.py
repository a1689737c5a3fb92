"""One stub for all tests of this folder, in its normal mode before each."""

from collections.abc import Iterator
from datetime import timedelta
from uuid import uuid4

import pytest

from tests.provider.stub import StubProcess


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="session")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StubProcess]:
    with StubProcess(tmp_path_factory.mktemp("stub") / "ledger.jsonl", "--hold-seconds", "604800") as stub:
        yield stub


@pytest.fixture
def stub(running: StubProcess) -> StubProcess:
    running.mode("normal")
    running.ahead(timedelta())
    return running


@pytest.fixture
def payment() -> str:
    return str(uuid4())
