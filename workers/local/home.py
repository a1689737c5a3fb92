"""The data folder: who uses it, what is remembered in it, and where its files are."""

import json
import os
import random
import socket
from io import TextIOWrapper
from pathlib import Path
from typing import Any

from workers.local.errors import LauncherError
from workers.local.locks import take_lock

# Below every system's range of client ports: a client that dials a port of the range while its server is down
# can be given that same port as its own, is then connected to itself, and keeps the server from coming back.
PORTS = range(20_000, 30_000)


class Home:
    """A data folder, used by one launcher at a time."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder.absolute()
        self._lock: TextIOWrapper | None = None

    def claim(self) -> None:
        """Take the folder for this process; the system gives it back even after kill -9."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            lock = (self.folder / "launcher.lock").open("a+", encoding="utf-8")
        except OSError as error:
            raise LauncherError(f"The data folder cannot be written: {error}. Name another: ORDERLOG_HOME.") from error
        if not take_lock(lock.fileno()):
            lock.seek(0)
            owner = lock.read().strip()
            lock.close()
            raise LauncherError(
                f"{self.folder} is in use by process {owner}: stop that one, or name another folder: ORDERLOG_HOME."
            )
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        self._lock = lock

    def release(self) -> None:
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def recall(self, key: str) -> Any:
        return self._known().get(key)

    def remember(self, key: str, value: Any) -> None:
        fresh = self._memory.with_suffix(".new")
        fresh.write_text(json.dumps(self._known() | {key: value}, indent=2))
        fresh.replace(self._memory)

    def forget(self) -> None:
        self._memory.unlink(missing_ok=True)

    def port(self, name: str) -> int:
        """The port used last time, if it is still free; otherwise a new one."""
        ports: dict[str, int] = self.recall("ports") or {}
        port = ports.pop(name, 0)
        while not port or port in ports.values() or not is_free(port):
            port = random.choice(PORTS)
        self.remember("ports", ports | {name: port})
        return port

    def log(self, name: str) -> Path:
        return self.folder / "logs" / f"{name}.log"

    def pid_file(self, name: str) -> Path:
        return self.folder / "run" / f"{name}.pid"

    @property
    def _memory(self) -> Path:
        return self.folder / "launcher.json"

    def _known(self) -> dict[str, Any]:
        try:
            known: dict[str, Any] = json.loads(self._memory.read_text())
        except (FileNotFoundError, ValueError):
            return {}  # nothing of it is missed: ports are chosen anew, and the data lie at the usual place
        return known


def is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True
