"""Loop is an asyncio event loop on virtual time: when nothing is ready, time jumps to what is due next."""

import asyncio
from collections.abc import Coroutine
from itertools import count
from typing import Any

TURNS = 2_000_000
"""Turns of the loop after which a run is taken for one that goes round in circles."""


class Stuck(Exception):
    """Nothing is ready and nothing is due, or time does not move on."""


class Task(asyncio.Task[Any]):
    """A task that is found in a set by its number: by its address, no seed would repeat the order of a set."""

    def __init__(self, number: int, coro: Coroutine[Any, Any, Any], **options: Any) -> None:
        self._number = number
        super().__init__(coro, **options)

    def __hash__(self) -> int:
        return self._number


class VirtualLoop(asyncio.BaseEventLoop):
    """The real loop, with a clock of its own and nobody outside to wait for.

    Callbacks run in the order that asyncio promises. What is random is when each answer comes from outside, and
    those times lie on a grid of milliseconds, so that much happens at the same time.
    """

    def __init__(self) -> None:
        super().__init__()
        self._selector = self
        self._clock_resolution = 1e-6  # sums of milliseconds differ in the last bit, and are still the same moment
        self._now = 0.0
        self._turns = 0
        numbers = count()
        self.set_task_factory(lambda loop, coro, **options: Task(next(numbers), coro, loop=loop, **options))

    def time(self) -> float:
        """Virtual seconds since the start."""
        return self._now

    def select(self, timeout: float | None) -> list[Any]:
        """As a selector on which nothing ever comes in: let the time pass."""
        self._turns += 1
        if timeout is None:
            raise Stuck(f"at {self._now:.3f} s everyone waits for someone else")
        if self._turns > TURNS:
            raise Stuck(f"{TURNS} turns, and the time is only {self._now:.3f} s")
        self._now += timeout
        return []

    def _process_events(self, _: list[Any]) -> None:
        """As the loop asks for; there are none."""

    def _write_to_self(self) -> None:
        """As the loop asks for; no other thread ever calls."""


def run(main: Coroutine[Any, Any, None]) -> None:
    """Run to the end; what is still under way then is cancelled, as asyncio.run does."""
    loop = VirtualLoop()
    try:
        loop.run_until_complete(main)
    finally:
        _cancel_all(loop)
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.close()


def _cancel_all(loop: VirtualLoop) -> None:
    while waiting := [task for task in asyncio.all_tasks(loop) if not task.done()]:
        for task in waiting:
            task.cancel()
        loop.run_until_complete(asyncio.wait(waiting, timeout=1))
