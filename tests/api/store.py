"""Store is a Redis of the tests' own: the wheel's server, or the machine's, on a free port and without a file."""

import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

NAMES = ("redis-server", "valkey-server")


class Store:
    """A server that can be killed, started again on the same port, and made to say nothing."""

    def __init__(self, program: str) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port: int = free.getsockname()[1]
        self._command = [program, "--bind", "127.0.0.1", "--port", str(self.port), "--save", "", "--appendonly", "no"]
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """As ORDERLOG_RATE_STORE has it."""
        return f"async+redis://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start it, and wait until it takes connections."""
        self._process = subprocess.Popen(self._command, stdout=subprocess.DEVNULL)
        deadline = time.monotonic() + 10
        while True:
            try:
                return socket.create_connection(("127.0.0.1", self.port), 1).close()
            except OSError:
                assert time.monotonic() < deadline
                time.sleep(0.01)

    def kill(self) -> None:
        """End it at once; what it has counted is gone."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    @contextmanager
    def silent(self) -> Iterator[None]:
        """Let it take connections and questions, and say nothing."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self._process.send_signal(signal.SIGCONT)


@contextmanager
def running() -> Iterator[Store]:
    """A store; tests that need one are left out where there is no server for it."""
    beside = [Path(sys.executable).with_name(name) for name in NAMES]
    program = next((found for each in (*map(str, beside), *NAMES) if (found := shutil.which(each))), None)
    if program is None:
        pytest.skip(f"there is no {' or '.join(NAMES)} on this machine, and no wheel for it has one")
    store = Store(program)
    store.start()
    try:
        yield store
    finally:
        store.kill()
