"""The guard stands between the launcher and one child process, and ends the child when the launcher is gone.

It runs as a program of its own, on the standard library alone. Its standard input is a pipe whose other end only
the launcher holds: the first line says what to run, and its end, which comes even after kill -9, means stop. On
Linux the child also dies with the guard. The child keeps the pid file locked for as long as any of its processes
lives, so the next start knows for certain whether something is left, whatever has become of the pid.
"""

import contextlib
import ctypes
import fcntl
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from typing import BinaryIO, NoReturn, TypedDict

PR_SET_PDEATHSIG = 1


class Order(TypedDict):
    """What to run; `user` is a user and a group by number, or None for the launcher's own; `nice` as nice(1) has it."""

    command: list[str]
    log: str
    pid_file: str
    cwd: str
    stop_signal: int
    grace_seconds: float
    user: tuple[int, int] | None
    nice: int


def main() -> NoReturn:
    line = sys.stdin.readline()
    if not line:
        sys.exit()  # the launcher ended before it said what to run
    order: Order = json.loads(line)
    try:
        child = start(order)
    except OSError as error:
        os.write(1, f"{error}\n".encode())
        sys.exit(127)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)  # the child hears these too; the guard goes when the child has gone
    os.write(1, f"{child.pid}\n".encode())
    ending = threading.Thread(target=end_on_hangup, args=(child, order), daemon=True)
    ending.start()
    code = child.wait()
    with contextlib.suppress(OSError):  # whatever the child started goes with it
        os.killpg(child.pid, signal.SIGKILL)
    os._exit(code if code >= 0 else 128 - code)


def start(order: Order) -> subprocess.Popen[bytes]:
    step_back(order["nice"])
    with open(order["log"], "ab") as log, open(order["pid_file"], "ab") as pid_file:
        fcntl.flock(pid_file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        child = spawn(order, log, pid_file)
        pid_file.truncate(0)
        pid_file.write(str(child.pid).encode())
    return child


def spawn(order: Order, log: BinaryIO, pid_file: BinaryIO) -> subprocess.Popen[bytes]:
    user, group = order["user"] or (None, None)
    return subprocess.Popen(  # noqa: S603 - the launcher alone writes orders
        order["command"],
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=subprocess.STDOUT,
        cwd=order["cwd"],
        pass_fds=[pid_file.fileno()],
        process_group=0,
        preexec_fn=die_with(os.getpid()),
        user=user,
        group=group,
        extra_groups=None if user is None else [],
    )


def step_back(nice: int) -> None:
    """Let others go first. Linux shares the processors among sessions before it does among a session's processes, so a
    nice process of a session that is not gets as much as ever: both step back. The child has its session from us."""
    if not nice:
        return
    os.nice(nice)
    for _ in range(5):
        try:
            with open("/proc/self/autogroup", "w") as group:
                group.write(str(nice))
            return
        except BlockingIOError:
            time.sleep(0.15)  # it takes one change in a tenth of a second, from anybody but root
        except OSError:
            return  # another system, or another scheduler


def die_with(guard: int) -> Callable[[], None]:
    """Called in the child, after it has changed its user, which would undo the request."""
    prctl = ctypes.CDLL(None).prctl if sys.platform == "linux" else None

    def ask() -> None:
        if prctl is not None:
            prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
            if os.getppid() != guard:
                os._exit(1)

    return ask


def end_on_hangup(child: subprocess.Popen[bytes], order: Order) -> None:
    while sys.stdin.read(1):
        pass
    child.send_signal(signal.SIGCONT)
    child.send_signal(order["stop_signal"])
    try:
        child.wait(order["grace_seconds"])
    except subprocess.TimeoutExpired:
        child.kill()


if __name__ == "__main__":
    main()
