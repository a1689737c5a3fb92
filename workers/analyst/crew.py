"""Crew is the processes that do an export, one per core, each with some partitions; small work is done right here."""

import asyncio
import os
from collections import deque
from collections.abc import Callable, Iterable, Sequence

from msgspec import json

from events import errors
from events.kafka import KafkaLog
from workers.analyst.share import Done, Failed, Share, Task, Word, read_word
from workers.lent import lent
from workers.operator.terms import Exit, Refused
from workers.together import end

SMALL = 20_000
"""Records that are sooner read than a process has started."""


class Stopped(Exception):
    """A process of the export has ended without having done its work."""


async def done_by_all(tasks: Sequence[Task], log: KafkaLog, keep_open: int, tell: Callable[[Word], None]) -> None:
    """Do these tasks, those with the most to read first; `keep_open` is a descriptor that all processes hold.

    Raises:
        LogError: what a process has met.
        Refused: a file cannot be written.
        Stopped: a process was ended.
    """
    if sum(map(records, tasks)) <= SMALL:
        for task in tasks:
            await Share(log, task, tell).work()
        return
    waiting = deque(sorted(tasks, key=records, reverse=True))
    hands = [
        asyncio.ensure_future(_lend(waiting, keep_open, tell)) for _ in range(min(os.cpu_count() or 1, len(tasks)))
    ]
    try:
        await asyncio.gather(*hands)
    finally:
        await end(hands)


def records(task: Task) -> int:
    """How many are still to be read."""
    return sum(span.end - task.fences[partition].next for partition, span in task.spans.items())


def shared(partitions: Iterable[int], size: Callable[[int], int], few: int = SMALL) -> list[list[int]]:
    """Partitions in as many shares as there are cores, or all in one where there is little to read in them."""
    by_size = sorted(partitions, key=lambda partition: -size(partition))
    count = 1 if sum(map(size, by_size)) <= few else min(os.cpu_count() or 1, len(by_size))
    return [share for first in range(count) if (share := by_size[first::count])]


async def _lend(waiting: deque[Task], keep_open: int, tell: Callable[[Word], None]) -> None:
    """Have a process do one task after the other, as long as there are any."""
    async with lent("workers.analyst.share", [keep_open]) as hand:
        assert hand.stdin  # noqa: S101  asked for
        assert hand.stdout  # noqa: S101
        while waiting:
            task = waiting.popleft()
            hand.stdin.write(json.encode(task) + b"\n")
            while not isinstance(word := await _heard(hand.stdout, task), Done):
                if isinstance(word, Failed):
                    raise _fault(word)
                tell(word)


async def _heard(source: asyncio.StreamReader, task: Task) -> Word:
    line = await source.readline()
    if not line.endswith(b"\n"):
        raise Stopped(f"a process that exported {task.context} has ended")
    return read_word(line)


def _fault(word: Failed) -> Exception:
    kind = getattr(errors, word.fault, None) if word.fault else None
    return kind(word.detail) if kind else Refused(f"it cannot be written: {word.detail}", Exit.STOPPED)
