"""Export brings a folder up to date with the log: what is new is added, exactly once, whatever was killed before."""

import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

from msgspec import Struct, structs

from events.errors import Truncated
from events.fence import Fence
from events.kafka import KafkaLog
from events.log import Place
from events.selection import Ordered, Selection, Span, orders_of, spans
from workers.analyst import folder as folders
from workers.analyst.crew import Stopped, done_by_all, shared
from workers.analyst.folder import Asked, Mark
from workers.analyst.share import SHOWN, STEP, Pace, Step, Task, Word
from workers.operator.terms import Exit, Refused


class Progress(Struct, frozen=True):
    """Records read of those there are to read, and the events that were added, until now."""

    read: int
    goal: int
    events: int


class Exported(Struct):
    """What an export came to: events and files added, events that are there, where that lies, and how long it took.

    `unreadable` of those added cannot be read by this code; some of them, and why, are `examples`.
    """

    folder: str
    added: int
    files: int
    events: int
    seconds: float
    unreadable: int
    examples: list[str]


async def export(
    log: KafkaLog,
    folder: Path,
    asked: Asked,
    tell: Callable[[Progress], None] = lambda progress: None,
    only: dict[str, int] | None = None,
    step: int = STEP,
) -> Exported:
    """Add to a folder what the log has and it has not; `only` names a context's one partition that can have it.

    What a process has read of `step` events, about, is made to count together.

    Raises:
        Refused: the folder is another's, or cannot be written.
        LogError: the log cannot be read.
    """
    began = time.perf_counter()
    there = await spans(log, asked.selection, only)
    belonging = await ordered(log, asked.selection)
    with folders.opened(folder, asked) as lock:
        marks = {context: folders.mark(folder, context) for context in asked.selection.contexts}
        _check(folder, marks, {place: await log.bounds(place) for place in there})
        tally = Tally(folder, marks, there, tell)
        tasks = [
            structs.replace(task, kafka=log.bootstrap, ordered=belonging, step=step)
            for task in _tasks(folder, asked, marks, there)
        ]
        try:
            await done_by_all(tasks, log, lock, tally.hear)
        except Stopped as stopped:
            raise Refused(f"{stopped}: what was done is kept, the same command goes on", Exit.STOPPED) from None
        except OSError as error:
            raise Refused(f"it cannot be written: {error}", Exit.STOPPED) from None
        for context, mark in marks.items():
            if not mark.partitions:
                marks[context] = folders.commit(folder, context, mark, [], 0, {})
        return Exported(
            str(folder),
            tally.events,
            tally.files,
            sum(mark.events for mark in marks.values()),
            time.perf_counter() - began,
            tally.unreadable,
            tally.examples,
        )


async def ordered(log: KafkaLog, selection: Selection) -> Ordered | None:
    """What belongs to the customer asked for, if one is.

    Raises:
        Refused: there is no such customer.
    """
    if not selection.customer:
        return None
    found = await orders_of(log, selection.customer)
    if not found.orders:
        raise Refused(f"nobody has ordered as {selection.customer!r}: the log has no order of theirs", Exit.UNKNOWN)
    return found


class Tally:
    """Lets the steps count that processes tell of, one after the other, and says how far it all is."""

    def __init__(
        self, folder: Path, marks: dict[str, Mark], there: dict[Place, Span], tell: Callable[[Progress], None]
    ) -> None:
        self._folder, self._marks, self._tell = folder, marks, tell
        self._next = {place: _next(marks, place) for place in there}
        self._start = sum(self._next.values())
        self._goal = sum(max(span.end - self._next[place], 0) for place, span in there.items())
        self.events, self.files = 0, 0
        self.unreadable, self.examples = 0, list[str]()

    def hear(self, word: Word) -> None:
        """A process has said something."""
        if isinstance(word, Step):
            mark = self._marks[word.context]
            self._marks[word.context] = folders.commit(
                self._folder, word.context, mark, word.parts, word.events, word.fences
            )
            self.events += word.events
            self.files += len(word.parts)
            self.unreadable += word.unreadable
            self.examples += word.examples[: SHOWN - len(self.examples)]
            self._come(word.context, {partition: fence.next for partition, fence in word.fences.items()})
        elif isinstance(word, Pace):
            self._come(word.context, word.next)

    def _come(self, context: str, to: dict[int, int]) -> None:
        self._next |= {Place(f"{context}.events", partition): at for partition, at in to.items()}
        self._tell(Progress(sum(self._next.values()) - self._start, self._goal, self.events))


def _tasks(folder: Path, asked: Asked, marks: dict[str, Mark], there: dict[Place, Span]) -> list[Task]:
    """What there is to do, in shares."""
    by_context: dict[str, dict[int, Span]] = defaultdict(dict)
    for place, span in there.items():
        if span.end > _next(marks, place):
            by_context[place.topic.partition(".")[0]][place.partition] = span
    tasks = []
    for context, mine in by_context.items():
        fences = {partition: marks[context].partitions.get(str(partition), Fence()) for partition in mine}
        for share in shared(mine, lambda partition: mine[partition].end - fences[partition].next):  # noqa: B023
            some = {partition: mine[partition] for partition in share}
            where = "", str(folder), context, asked.format, asked.recorded, asked.selection, None
            tasks.append(Task(*where, some, {partition: fences[partition] for partition in share}))
    return tasks


def _next(marks: dict[str, Mark], place: Place) -> int:
    fence = marks[place.topic.partition(".")[0]].partitions.get(str(place.partition))
    return fence.next if fence else 0


def _check(folder: Path, marks: dict[str, Mark], bounds: dict[Place, tuple[int, int]]) -> None:
    """The log is the one that was exported before."""
    for place, (first, end) in bounds.items():
        come = _next(marks, place)
        if come > end:
            raise Refused(f"{folder} has come to {come} of {place.topic}/{place.partition}, which ends at {end}: "
                          "that was another log; name another folder")  # fmt: skip
        if come < first:
            raise Truncated(f"{place.topic}/{place.partition} begins at {first}, after {come}")
