"""Steps of a start: a start yields whenever it only waits, so that several go on at once without threads."""

import contextlib
import time
from collections.abc import Callable, Iterator

from workers.local.child import ChildProcess
from workers.local.errors import LauncherError

PAUSE_SECONDS, PATIENCE_SECONDS = 0.02, 120


def together(*starts: Iterator[None]) -> None:
    """Run starts side by side until each has ended."""
    left = list(starts)
    while left:
        for start in tuple(left):
            try:
                next(start)
            except StopIteration:
                left.remove(start)
        if left:
            time.sleep(PAUSE_SECONDS)


def done(child: ChildProcess) -> Iterator[None]:
    """Wait for a child that has one task; the task has to succeed."""
    while (code := child.poll()) is None:
        yield
    child.wait()
    if code:
        raise died(child)


def until_ready(child: ChildProcess, problem: Callable[[], str | None]) -> Iterator[None]:
    """Wait until there is no problem any more."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while (why := problem()) is not None:
        if child.poll() is not None:
            raise died(child)
        if time.monotonic() > deadline:
            raise LauncherError(f"{child.name} {why} after {PATIENCE_SECONDS} s; its log is {child.log}")
        yield


def died(child: ChildProcess) -> LauncherError:
    last = ""
    with contextlib.suppress(OSError):
        last = "\n".join(child.log.read_text(errors="replace").splitlines()[-12:])
    return LauncherError(f"{child.name} ended with code {child.poll()}. The end of {child.log}:\n{last}")
