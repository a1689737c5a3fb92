"""Clock gives every process of the simulation a clock of its own, and shows it to the code that looks at one."""

from asyncio import get_running_loop
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime, timedelta, tzinfo
from itertools import count
from typing import Any, Protocol
from unittest.mock import patch
from uuid import UUID

import api.lanes
import events.fenced
import events.hub
import events.memory
import workers.effects
import workers.hotset
import workers.reactor
import workers.writer

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
TICK = 0.5
PAUSES = {"events": 1.0, "commands": 0.5}
"""Virtual seconds between two looks at nothing: as in production, but for what each look costs here."""


class Skewed(Protocol):
    """A process whose clock is so many seconds ahead."""

    skew: float


PROCESS: ContextVar[Skewed] = ContextVar("PROCESS")
"""The process that a task belongs to; tasks hand it on to those that they start."""


def now() -> datetime:
    """The time on the clock of the process that asks."""
    process = PROCESS.get(None)
    return BEGIN + timedelta(seconds=get_running_loop().time() + (process.skew if process else 0.0))


class Time:
    """What the code uses of the module time."""

    @staticmethod
    def monotonic() -> float:
        """Seconds that nobody can put back."""
        return get_running_loop().time()

    @staticmethod
    def time() -> float:
        """Seconds since 1970."""
        return now().timestamp()


class Datetime(datetime):
    """What the code uses of the class datetime."""

    @classmethod
    def now(cls, tz: tzinfo | None = None) -> Any:
        """As datetime.now."""
        return now()


@contextmanager
def virtual(new_id: Callable[[], UUID], hot: int) -> Iterator[None]:
    """Where the application asks a clock or for chance by itself, it asks ours; `hot` aggregates stay in memory."""
    numbers = count(1)

    def number(member: Any) -> int:  # a set of readers is gone through by their addresses, which no seed decides
        found: int = member.__dict__.get("_number") or next(numbers)
        member.__dict__["_number"] = found
        return found

    with ExitStack() as stack:
        for module in (workers.writer, workers.reactor, events.hub, events.memory):
            stack.enter_context(patch.object(module, "time", Time))
        for module in (workers.effects, api.lanes):
            stack.enter_context(patch.object(module, "datetime", Datetime))
        stack.enter_context(patch.object(workers.effects, "TICK", TICK))
        stack.enter_context(patch.object(events.hub, "LONGEST_PAUSE", PAUSES))
        stack.enter_context(patch.object(events.hub.Member, "__hash__", number))
        stack.enter_context(patch.object(events.fenced, "uuid4", new_id))
        stack.enter_context(patch.object(workers.hotset.HotSet.__init__, "__defaults__", (hot,)))
        yield
