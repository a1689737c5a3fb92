"""Replaying reads what is wanted of the history, and hands it to where it is to go."""

import os
import sys
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import BinaryIO

from rich.console import Console

from events.cluster import asking
from events.columns import Columns
from events.kafka import KafkaLog
from events.log import Place
from events.merged import merged
from events.selection import Selection, classes_of, spans
from events.shapes import UNREADABLE, shape_of
from events.sweep import Found
from events.topics import events
from schemas.settings import Settings
from workers.analyst.asking import only
from workers.analyst.bar import Bar
from workers.analyst.export import Exported, Progress, export, ordered
from workers.analyst.folder import Asked
from workers.analyst.lines import Row, rows_of
from workers.analyst.share import SHOWN
from workers.analyst.sinks import JsonLines, Sink, Table, Text, appearing
from workers.operator.terms import Exit, Refused, show_json

AT_ONCE = 1000
"""Events that are decoded and written together."""


@asynccontextmanager
async def reached(settings: Settings, selection: Selection) -> AsyncIterator[tuple[KafkaLog, str]]:
    """The log, with all topics that are asked for, and its id.

    Raises:
        Unavailable: Kafka gives no answer.
        Refused: a topic is missing.
    """
    async with asking(settings.kafka) as cluster:
        there = await cluster.names()
        if missing := [events(context) for context in selection.contexts if events(context) not in there]:
            raise Refused(f"there is no topic {', '.join(missing)}: `orders topics create` makes what is missing")
        log = KafkaLog(settings.kafka)
        try:
            yield log, await cluster.identity()
        finally:
            await log.close()


async def to_folder(
    settings: Settings, selection: Selection, folder: Path, written: str, recorded: bool, as_json: bool
) -> Exported:
    """Add what is new to a folder, and say what it came to.

    Raises:
        Refused, LogError: as export.
    """
    async with reached(settings, selection) as (log, identity):
        with Bar("export", quiet=as_json) as bar:
            done = await export(log, folder, Asked(identity, written, recorded, selection), bar.tell, only(selection))
    if as_json:
        show_json(done)
    else:
        _say(f"{done.added:,} events added in {done.files:,} files, {done.seconds:.1f} s; "
             f"{done.events:,} are in {done.folder}")  # fmt: skip
    _warn(done.unreadable, done.examples)
    return done


async def to_file(
    settings: Settings, selection: Selection, place: Path, written: str, recorded: bool, as_json: bool
) -> None:
    """All that is wanted in one file.

    Raises:
        Refused: it cannot be written.
    """
    began = time.perf_counter()
    async with reached(settings, selection) as (log, _):
        with appearing(place) as out, Bar(place.name, quiet=as_json) as bar:
            pouring = Pouring(log, selection, _sink(written, out, selection, recorded), recorded, bar.tell)
            await pouring.pour()
    seconds = time.perf_counter() - began
    if as_json:
        show_json({"file": str(place), "events": pouring.events, "seconds": seconds, "unreadable": pouring.unreadable})
    else:
        _say(f"{pouring.events:,} events in {place}, {seconds:.1f} s")
    _warn(pouring.unreadable, pouring.examples)


async def to_screen(settings: Settings, selection: Selection, written: str, recorded: bool) -> None:
    """All that is wanted on the standard output.

    Raises:
        Refused: there is nothing of the aggregate or the request that was named.
    """
    out = sys.stdout.buffer
    async with reached(settings, selection) as (log, _):
        # A bar and lines on one terminal are in each other's way: there, it goes when the first lines come.
        with Bar("replay", passing=sys.stdout.isatty()) as bar:
            pouring = Pouring(log, selection, _sink(written, out, selection, recorded), recorded, bar.tell, bar.pause)
            try:
                await pouring.pour()
            except BrokenPipeError:  # who reads, as `head` does, has had enough
                os.dup2(os.open(os.devnull, os.O_WRONLY), out.fileno())
                return
    out.flush()
    if not pouring.events and (named := selection.stream or selection.correlation):
        raise Refused(f"the log has nothing of {named!r}: is it right?", Exit.UNKNOWN)
    _warn(pouring.unreadable, pouring.examples)


def _sink(written: str, out: BinaryIO, selection: Selection, recorded: bool) -> Sink:
    if written == "text":
        return Text(out)
    if written == "jsonl":
        return JsonLines(out)
    classes = classes_of(selection)
    single = selection.types and len(classes) == 1 and not recorded
    return Table(out, written, shape_of(classes[0]).schema if single else None)


class Pouring:
    """Events on their way from the log into a sink, in the order of time; `first` is called before the first."""

    def __init__(
        self,
        log: KafkaLog,
        selection: Selection,
        sink: Sink,
        recorded: bool,
        tell: Callable[[Progress], None],
        first: Callable[[], None] = lambda: None,
    ) -> None:
        self._log, self._selection, self._sink, self._tell, self._first = log, selection, sink, tell, first
        self._columns = Columns(recorded=recorded)
        self._waiting: list[tuple[Place, Found]] = []
        self.events = 0
        self.unreadable, self.examples = 0, list[str]()

    async def pour(self) -> None:
        """All of it.

        Raises:
            LogError: the log cannot be read.
            Refused: the customer is unknown.
        """
        there = await spans(self._log, self._selection, only(self._selection))
        come, goal = dict.fromkeys(there, 0), sum(span.end for span in there.values())

        def tell(place: Place, offset: int) -> None:
            come[place] = offset
            self._tell(Progress(sum(come.values()), goal, self.events))

        belonging = await ordered(self._log, self._selection)
        async for one in merged(self._log, self._selection, there, belonging, tell):
            self._waiting.append(one)
            if len(self._waiting) >= AT_ONCE:
                self._flush()
        self._flush()
        self._sink.close()

    def _flush(self) -> None:
        if not self._waiting:
            return
        if not self.events:
            self._first()
        by_place: dict[Place, list[Found]] = defaultdict(list)
        for place, found in self._waiting:
            by_place[place].append(found)
        rows: dict[tuple[str, int, int], Row] = {}
        for place, several in by_place.items():
            for row in rows_of(self._columns, place, several):
                rows[place.topic, place.partition, row["log_position"]] = row
                if row["type"] == UNREADABLE:
                    self.unreadable += 1
                    said = f"{place.topic}/{place.partition} at {row['log_position']}: {row['reason']}"
                    self.examples += [said] if len(self.examples) < SHOWN else []
        self._sink.take([rows[place.topic, place.partition, found.offset] for place, found in self._waiting])
        self.events += len(self._waiting)
        self._waiting = []


def _say(words: str) -> None:
    Console(stderr=True, soft_wrap=True, highlight=False).print(words)


def _warn(unreadable: int, examples: list[str]) -> None:
    if unreadable:
        some = "".join(f"\n  {each}" for each in examples)
        more = f"\n  and {unreadable - len(examples):,} more" if unreadable > len(examples) else ""
        _say(f"{unreadable:,} cannot be read by this code; they have the type `{UNREADABLE}`:{some}{more}")
