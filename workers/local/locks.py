"""Locks on files: held by a process and all it starts, and given back by the system, however they end."""

import contextlib
import fcntl
import os
import signal
import time
from pathlib import Path

from workers.local.errors import LauncherError


def take_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def end_leftover(pid_file: Path, grace_seconds: float) -> None:
    """Return once no process of an earlier start holds the pid file; its guard is ending it already."""
    if wait_until_free(pid_file, grace_seconds):
        return
    with contextlib.suppress(ValueError, ProcessLookupError):
        os.killpg(int(pid_file.read_text()), signal.SIGKILL)
    if not wait_until_free(pid_file, grace_seconds):
        raise LauncherError(f"An earlier process still runs and cannot be ended; its number is in {pid_file}.")


def wait_until_free(pid_file: Path, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while is_held(pid_file):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def is_held(pid_file: Path) -> bool:
    """Whether a process of the last start still lives."""
    if not pid_file.exists():
        return False
    with pid_file.open("ab") as file:
        free = take_lock(file.fileno())
        if free:
            fcntl.flock(file, fcntl.LOCK_UN)
    return not free
