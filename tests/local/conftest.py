"""A data folder for each test, and words for starting servers in it."""

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from workers.local import LauncherError, Servers, clean

Choose = Callable[..., None]
DEADLINE_SECONDS = 40


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "home"
    yield folder
    eventually(lambda: try_to_clean(folder))


@pytest.fixture
def choose(monkeypatch: pytest.MonkeyPatch) -> Choose:
    """Choose where servers come from; an origin that this machine lacks skips the test, and says why."""

    def only(origin: str) -> None:
        for variable in ("ORDERLOG_KAFKA", "ORDERLOG_POSTGRES"):
            monkeypatch.delenv(variable, raising=False)
            monkeypatch.setenv(f"{variable}_FROM", origin)

    return only


def start(home: Path, said: list[str] | None = None) -> Servers:
    try:
        return Servers.start(home, (said if said is not None else []).append)
    except LauncherError as error:
        if "No Kafka could" in str(error) or "No Postgres could" in str(error):
            pytest.skip(str(error))
        raise


def eventually(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not holds():
        assert time.monotonic() < deadline, "it did not come true in time"
        time.sleep(0.02)


def lives(pid: int) -> bool:
    stat = Path(f"/proc/{pid}/stat")
    try:
        os.kill(pid, 0)
        return not stat.exists() or stat.read_text().rpartition(")")[2].split()[0] != "Z"
    except (ProcessLookupError, FileNotFoundError):  # it may go while we look
        return False


def try_to_clean(folder: Path) -> bool:
    try:
        clean(folder)
    except LauncherError:
        return False
    return True
