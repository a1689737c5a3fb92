"""Share is what one process does of an export: reads some partitions of a context, writes files that do not count yet.

Whoever has it gives each step its number, and lets it count. It ends with that one, even after kill -9: its standard
input is its pipe.
"""

import asyncio
import os
import sys
from collections import defaultdict
from collections.abc import AsyncIterator, Callable
from importlib.abc import MetaPathFinder
from itertools import count
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from msgspec import Struct, json, structs

from events.columns import Columns
from events.errors import LogError
from events.fence import Fence
from events.kafka import KafkaLog
from events.log import Log, Place
from events.merged import wanted
from events.selection import Ordered, Selection, Span, keeper
from events.shapes import UNREADABLE
from events.sweep import Found
from events.topics import events
from workers.analyst import files
from workers.lent import asked
from workers.loop import collect_seldom, run

AT_ONCE = 10_000
"""Events of a partition that become columns together."""
STEP = 100_000
"""Events of a step, about: what a process keeps in memory."""
SHOWN = 5
"""Of what cannot be read, so many are named."""
EVERY_SECONDS = 0.3
"""Between two words of how far it is."""


class Task(Struct, frozen=True):
    """What to read, from where, and which files to make of it; `ordered` is what belongs to the customer asked for."""

    kafka: str
    folder: str
    context: str
    format: str
    recorded: bool
    selection: Selection
    ordered: Ordered | None
    spans: dict[int, Span]
    fences: dict[int, Fence]
    step: int = STEP


class Step(Struct, tag=True):
    """Files that are written, how many events they hold, and how far that is; how many of them cannot be read, and
    which, as far as they are few."""

    context: str
    parts: list[str]
    events: int
    unreadable: int
    examples: list[str]
    fences: dict[int, Fence]


class Pace(Struct, tag=True):
    """How far each partition has been read."""

    context: str
    next: dict[int, int]


class Failed(Struct, tag=True):
    """It could not go on; `fault` is the error of the log, if it was one."""

    fault: str
    detail: str


class Done(Struct, tag=True):
    """All of the task is done."""


Word = Step | Pace | Failed | Done


class Share:
    """The work of a task; `tell` hears of every step, and of the pace."""

    def __init__(self, log: Log, task: Task, tell: Callable[[Word], None]) -> None:
        self._log, self._task, self._tell = log, task, tell
        self._columns = Columns(recorded=task.recorded)
        self._fences = {partition: structs.replace(fence) for partition, fence in task.fences.items()}
        self._waiting: dict[int, list[Found]] = {partition: [] for partition in task.spans}
        self._ready: dict[tuple[str, str], list[Any]] = defaultdict(list)
        self._events = 0
        self._unreadable, self._examples = 0, list[str]()
        self._numbers = count()
        self._folders: set[str] = set()

    async def work(self) -> None:
        """Read all of it, always on where the least far in time has been read: so a day's events come close together,
        and lie in few files.

        Raises:
            Truncated, Unavailable: as events.sweep.effective.
            OSError: a file cannot be written.
        """
        sources = {partition: self._wanted(partition) for partition in self._task.spans}
        come = dict.fromkeys(sources, "")
        pace = asyncio.ensure_future(self._pacing())
        try:
            while come:
                partition = min(come, key=come.__getitem__)
                found = await anext(sources[partition], None)
                if found is None:
                    del come[partition]
                elif found:
                    come[partition] = found[-1].time
                    self._take(partition, found)
            self._step()
        finally:
            pace.cancel()
            for source in sources.values():
                await source.aclose()  # type: ignore[attr-defined]

    def _wanted(self, partition: int) -> AsyncIterator[list[Found]]:
        task = self._task
        place, span = Place(events(task.context), partition), task.spans[partition]
        keep = keeper(task.selection, span.start, task.ordered)
        return wanted(self._log, place, self._fences[partition], span, task.selection, keep)

    def _take(self, partition: int, found: list[Found]) -> None:
        waiting = self._waiting[partition]
        waiting += found
        if len(waiting) >= min(AT_ONCE, self._task.step):
            self._convert(partition)
        if self._events >= self._task.step:
            self._step()

    def _convert(self, partition: int) -> None:
        waiting = self._waiting[partition]
        if not waiting:
            return
        self._waiting[partition] = []
        for kind, rows in self._columns.of(partition, waiting):
            if kind == UNREADABLE:
                self._unreadable += rows.num_rows
                some = rows.slice(0, SHOWN - len(self._examples)).to_pylist()
                self._examples += [_told(self._task.context, row) for row in some]
            self._events += rows.num_rows
            for day, part in by_day(rows):
                self._ready[kind, day].append(part)

    def _step(self) -> None:
        """Write what there is. Nothing is awaited here: the fences of all partitions fit what has been taken in."""
        for partition in self._task.spans:
            self._convert(partition)
        number = next(self._numbers)
        parts = [self._write(kind, day, number, batches) for (kind, day), batches in self._ready.items()]
        came = {partition: structs.replace(fence) for partition, fence in self._fences.items()}
        self._tell(Step(self._task.context, parts, self._events, self._unreadable, self._examples, came))
        self._ready.clear()
        pa.default_memory_pool().release_unused()
        self._events, self._unreadable, self._examples = 0, 0, []

    def _write(self, kind: str, day: str, number: int, batches: list[Any]) -> str:
        place = f"data/context={self._task.context}/type={kind}/day={day}"
        folder = Path(self._task.folder, place)
        if place not in self._folders:
            folder.mkdir(parents=True, exist_ok=True)
            self._folders.add(place)
        name = f".{os.getpid()}-{number}.{self._task.format}.part"
        (folder / name).write_bytes(files.content(pa.Table.from_batches(batches), self._task.format))
        return f"{place}/{name}"

    async def _pacing(self) -> None:
        while True:
            await asyncio.sleep(EVERY_SECONDS)
            self._tell(Pace(self._task.context, {partition: fence.next for partition, fence in self._fences.items()}))


def by_day(rows: Any) -> list[tuple[str, Any]]:
    """The rows of each day (UTC), in as many parts as it is come back to."""
    days = pc.run_end_encode(rows.column("at").cast(pa.timestamp("us")).cast(pa.date32()))
    found, start = [], 0
    for end, day in zip(days.run_ends.to_pylist(), days.values.to_pylist(), strict=True):
        found.append((day.isoformat(), rows.slice(start, end - start)))
        start = end
    return found


def _told(context: str, row: dict[str, Any]) -> str:
    return f"{context}.events/{row['log_partition']} at {row['log_position']}: {row['reason']}"


def main() -> None:
    """Do what the lines of the standard input ask for, one after the other, and end with it."""
    collect_seldom()
    pa.set_cpu_count(1)
    sys.meta_path.insert(0, WithoutPandas())
    lines = asked()
    while True:
        task = json.decode(lines.get(), type=Task)
        try:
            run(_work(task))
        except LogError as fault:
            _say(Failed(type(fault).__name__, str(fault)))
        except OSError as error:
            _say(Failed("", f"{error.filename or task.folder}: {error.strerror or error}"))
        else:
            _say(Done())


class WithoutPandas(MetaPathFinder):
    """Keeps pyarrow from importing pandas for its first array: that takes longer than all the rest of a start."""

    def find_spec(self, name: str, path: object, target: object = None) -> None:
        if name == "pandas":
            raise ImportError(name)


async def _work(task: Task) -> None:
    log = KafkaLog(task.kafka)
    try:
        await Share(log, task, _say).work()
    finally:
        await log.close()


def _say(word: Word) -> None:
    sys.stdout.buffer.write(json.encode(word) + b"\n")
    sys.stdout.buffer.flush()


def read_word(line: bytes) -> Word:
    """What a process has said."""
    word: Word = json.decode(line, type=Word)
    return word


if __name__ == "__main__":
    main()
