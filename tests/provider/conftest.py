"""One stub for all tests of this folder, in its normal mode before each."""

from collections.abc import Iterator
from uuid import uuid4

import pytest

from tests.provider.stub import StubProcess


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="session")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StubProcess]:
    with StubProcess(tmp_path_factory.mktemp("stub") / "ledger.jsonl") as stub:
        yield stub


@pytest.fixture
def stub(running: StubProcess) -> StubProcess:
    running.mode("normal")
    return running


@pytest.fixture
def payment() -> str:
    return str(uuid4())
