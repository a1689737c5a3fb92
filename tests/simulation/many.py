"""Many plays many seeds, in processes of its own, and adds up what came of them."""

import gc
import os
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

from tests.simulation.run import Verdict, play

CHUNK = 10
LONGEST = 30
"""Real seconds that a seed may take: some hundred times as long as usual."""

COMMAND = "python -m tests.simulation --seed {} --trace"
"""Repeats a seed."""


class TooLong(BaseException):
    """A run does not come to an end; no code that it interrupts may take this for an error of its own."""


class Tally:
    """What came of all seeds so far; `seconds` are virtual."""

    def __init__(self) -> None:
        self.began = time.monotonic()
        self.seeds, self.records, self.seconds = 0, 0, 0.0
        self.faults: Counter[str] = Counter()
        self.windows: Counter[str] = Counter()
        self.failures: list[Verdict] = []

    def add(self, verdict: Verdict) -> None:
        """One more."""
        self.seeds += 1
        self.records += verdict.records
        self.seconds += verdict.seconds
        self.faults.update(verdict.faults)
        self.windows.update(verdict.windows)
        if verdict.failure:
            self.failures.append(verdict)

    def __str__(self) -> str:
        spent = max(time.monotonic() - self.began, 0.001)
        return (
            f"{self.seeds:,} seeds in {spent:.0f} s, {self.seeds / spent:.1f} a second; {self.seconds:,.0f} virtual "
            f"seconds, {self.records:,} records, {self.faults.total():,} faults; {len(self.failures)} failed"
        )

    def counts(self) -> str:
        """How often each fault happened and each window was hit."""
        return "\n".join(["", "faults", *_lines(self.faults), "", "windows hit", *_lines(self.windows)])


def _lines(counts: Counter[str]) -> list[str]:
    return [f"{n:>12,}  {what}" for what, n in sorted(counts.items())]


def play_all(seeds: Iterable[int], processes: int, show: Callable[[Tally], None]) -> Tally:
    """Play all seeds; a failing one is played again at once, for its trace. `show` is called after each."""
    os.environ["PYTHONHASHSEED"] = "0"  # the order of sets is a part of what a seed must repeat
    tally = Tally()
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn"), initializer=gc.freeze) as pool:
        for verdict in pool.map(_played, seeds, chunksize=CHUNK):
            tally.add(verdict)
            show(tally)
    return tally


def _played(seed: int) -> Verdict:
    signal.signal(signal.SIGALRM, _too_long)
    verdict = _within(LONGEST, seed, tell=False)
    return _within(LONGEST, seed, tell=True) if verdict.failure else verdict


def _within(seconds: int, seed: int, tell: bool) -> Verdict:
    signal.alarm(seconds)  # what goes round in circles without waiting for anything gives the loop no chance to see it
    try:
        return play(seed, tell)
    finally:
        signal.alarm(0)


def _too_long(*_: object) -> None:
    raise TooLong(f"more than {LONGEST} s of real time")


def told(verdict: Verdict) -> str:
    """A failure as people need it: what failed, how to see it again, and what happened before."""
    return "\n".join(
        [*verdict.trace, "", f"seed {verdict.seed} failed: {verdict.failure}", f"again: {COMMAND.format(verdict.seed)}"]
    )


class Progress:
    """Says how far it is, every few seconds."""

    def __init__(self, every_seconds: float = 10.0) -> None:
        self._every, self._next = every_seconds, time.monotonic() + every_seconds
        self._failed = 0

    def __call__(self, tally: Tally) -> None:
        """Perhaps say something."""
        if len(tally.failures) > self._failed:
            self._failed = len(tally.failures)
            verdict = tally.failures[-1]
            print(
                f"seed {verdict.seed} failed: {verdict.failure[:300]}\nagain: {COMMAND.format(verdict.seed)}",
                flush=True,
            )
        if time.monotonic() >= self._next:
            self._next = time.monotonic() + self._every
            print(tally, flush=True)
