"""A child process that cannot outlive its launcher, with a log file and a pid file in the data folder."""

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, cast

from workers.local import guard
from workers.local.account import Account
from workers.local.errors import LauncherError
from workers.local.home import Home
from workers.local.locks import end_leftover

LOG_LIMIT = 5_000_000


class ChildProcess:
    """A running process: its log is `logs/<name>.log`, its pid is in `run/<name>.pid`.

    A process of the same name that an earlier launcher left behind is ended first.
    """

    def __init__(
        self,
        command: Sequence[str | Path],
        *,
        name: str,
        home: Path,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        stop_signal: signal.Signals = signal.SIGTERM,
        grace_seconds: float = 10,
        user: Account | None = None,
        nice: int = 0,
    ) -> None:
        pid_file = Home(home).pid_file(name)
        self.name, self.log = name, Home(home).log(name)
        make_room(self.log, pid_file)
        end_leftover(pid_file, grace_seconds)
        self._order = guard.Order(
            command=[str(word) for word in command],
            log=str(self.log),
            pid_file=str(pid_file),
            cwd=str(cwd or Path.cwd()),
            stop_signal=int(stop_signal),
            grace_seconds=grace_seconds,
            user=(user.user, user.group) if user else None,
            nice=nice,
        )
        self._guard = start_guard(env, self.log)
        self._pipe = cast("IO[bytes]", self._guard.stdin)
        self.pid = self._hand_over()

    def poll(self) -> int | None:
        """The exit code, 128 + n when signal n ended it, or None while it runs."""
        return self._guard.poll()

    def wait(self, timeout: float | None = None) -> int:
        code = self._guard.wait(timeout)
        self._pipe.close()
        return code

    def signal(self, number: signal.Signals) -> None:
        if self.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def ask_to_stop(self) -> None:
        self.signal(signal.SIGCONT)  # one that is suspended would never hear the rest
        self.signal(signal.Signals(self._order["stop_signal"]))

    def stop(self, grace_seconds: float | None = None) -> int:
        """Ask it to end, and after the grace end it."""
        self.ask_to_stop()
        try:
            return self.wait(self._order["grace_seconds"] if grace_seconds is None else grace_seconds)
        except subprocess.TimeoutExpired:
            return self.kill()

    def kill(self) -> int:
        self.signal(signal.SIGKILL)
        return self.wait()

    def _hand_over(self) -> int:
        self._pipe.write(json.dumps(self._order).encode() + b"\n")
        self._pipe.flush()
        with cast("IO[bytes]", self._guard.stdout) as answer:
            said = answer.readline().decode().strip()
        if not said.isdigit():
            self.wait()
            raise LauncherError(f"{self.name} could not be started: {said}")
        return int(said)


def start_guard(env: Mapping[str, str] | None, log: Path) -> subprocess.Popen[bytes]:
    with log.open("ab") as errors:
        return subprocess.Popen(  # noqa: S603 - Python itself, and a file of this package
            # Isolated and without site-packages: it starts in 20 ms and cannot be broken by what is installed.
            [sys.executable, "-I", "-S", guard.__file__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            env=None if env is None else dict(env),
            # Its own session: Ctrl-C and a closed terminal reach the launcher, which stops things in their order.
            start_new_session=True,
        )


def make_room(log: Path, pid_file: Path) -> None:
    log.parent.mkdir(parents=True, exist_ok=True)
    pid_file.parent.mkdir(parents=True, exist_ok=True)
    if log.exists() and log.stat().st_size > LOG_LIMIT:
        log.replace(log.with_suffix(".log.1"))
