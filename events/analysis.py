"""Analysis is the history in a notebook, in three lines, as Arrow tables:

    from events.analysis import History
    placed = History().table("order.placed", since="2017-10-10")
    placed.to_pandas()                              # or polars.from_arrow(placed), or duckdb.sql("FROM placed")

It reads what counts of the log, by readers of its own: nothing is moved or changed. Of long histories an export by
`orders replay --format parquet` is the quicker source: its files have the same columns.
"""

import asyncio
import json
import threading
import warnings
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import aclosing, suppress
from datetime import datetime
from queue import Empty, Full, Queue
from typing import Any, NamedTuple, TypeVar

import pyarrow as pa

from events.columns import Columns
from events.errors import Undecodable
from events.event import Event
from events.fence import Fence
from events.kafka import KafkaLog
from events.log import Place
from events.merged import merged, time_of, wanted
from events.moments import time_in
from events.registry import EVENTS, OUTCOMES, event_codec
from events.selection import Selection, keeper, orders_of, spans
from events.shapes import UNREADABLE, shape_of
from events.sweep import Found
from schemas.settings import Settings

T = TypeVar("T")

AT_ONCE = 20_000
"""Events that become columns together."""
AHEAD = 4
"""Results that are read before somebody takes them."""


class Happened(NamedTuple):
    """An event, when and to whom it happened, and where it lies; `version` is 0 for outcomes."""

    at: datetime
    stream: str
    version: int
    event: Event
    place: Place
    position: int
    correlation: str


class History:
    """The history on the Kafka at `kafka` (host:port); else where the environment says, or a local run has it.

    What is left empty wants all. Times are ISO 8601, in UTC where they name no zone; the end is excluded. `stream` is
    one aggregate, `correlation` one request, `customer` whose orders.

    Each method may raise:
        ValueError: there is no such type or time; the message says what there is.
        Unavailable: Kafka gives no answer.
    """

    def __init__(self, kafka: str = "") -> None:
        self.kafka = kafka or _kafka()

    def types(self) -> list[str]:
        """The types of events that there can be."""
        return list(_types())

    def schema(self, type: str) -> Any:  # noqa: A002  the word that everybody has for it
        """The columns (pyarrow.Schema) of a type, such as "order.placed": those of every event, then its own."""
        return shape_of(_class_of(type)).schema

    def table(
        self,
        type: str,  # noqa: A002
        since: str = "",
        until: str = "",
        stream: str = "",
        correlation: str = "",
        customer: str = "",
    ) -> Any:
        """The events of one type as a pyarrow.Table, in the order of time; amounts are integers in minor units."""
        found = pa.Table.from_batches(
            self.batches(type, since, until, stream, correlation, customer), self.schema(type)
        )
        return found.sort_by([("at", "ascending"), ("log_partition", "ascending"), ("log_position", "ascending")])

    def batches(
        self,
        type: str,  # noqa: A002
        since: str = "",
        until: str = "",
        stream: str = "",
        correlation: str = "",
        customer: str = "",
    ) -> Iterator[Any]:
        """The same as pyarrow.RecordBatches, as they are read: for what fits into no memory."""
        cls = _class_of(type)
        contexts = tuple(name for name, classes in EVENTS.items() if cls in classes) or tuple(EVENTS)
        tags = tuple(event_codec.tags(cls))
        asked = Selection(contexts, tags, stream, correlation, customer, _time(since), _time(until))
        return _taken(lambda: _batches(self.kafka, asked))

    def events(
        self,
        *types: str,
        since: str = "",
        until: str = "",
        stream: str = "",
        correlation: str = "",
        customer: str = "",
    ) -> Iterator[Happened]:
        """Events as objects, of some types or of all, in the order of time over all contexts."""
        tags = tuple(tag for each in types for tag in event_codec.tags(_class_of(each)))
        asked = Selection(tuple(EVENTS), tags, stream, correlation, customer, _time(since), _time(until))
        return _taken(lambda: _events(self.kafka, asked))


def _types() -> dict[str, type[Event]]:
    known = [*(cls for classes in EVENTS.values() for cls in classes), *OUTCOMES]
    return {cls.tag: cls for cls in known}


def _class_of(name: str) -> type[Event]:
    """order.placed, or order.placed.v1."""
    for tag, cls in _types().items():
        if name in (tag, tag.rpartition(".v")[0], *event_codec.tags(cls)):
            return cls
    raise ValueError(f"there is no type {name!r}; there are: {', '.join(_types())}")


def _time(text: str) -> str:
    if not text:
        return ""
    try:
        return time_in(text).isoformat()
    except ValueError:
        raise ValueError(f"{text!r} is no time: write 2017-10-10 or 2017-10-10T12:00:00Z") from None


def _kafka() -> str:
    """As the command line finds it."""
    settings = Settings()
    if not settings.model_fields_set & {"kafka", "postgres"}:
        with suppress(OSError, ValueError, KeyError, TypeError):
            return str(json.loads((settings.home / "launcher.json").read_text())["servers"]["kafka"])
    return settings.kafka


async def _batches(kafka: str, asked: Selection) -> AsyncIterator[Any]:
    log, columns = KafkaLog(kafka), Columns()
    unread: list[str] = []

    def converted(place: Place, waiting: list[Found]) -> Iterator[Any]:
        for kind, batch in columns.of(place.partition, waiting):
            if kind == UNREADABLE:
                unread.extend(f"{place.topic}/{place.partition}: {row['reason']}" for row in batch.to_pylist())
            else:
                yield batch

    try:
        there = await spans(log, asked)
        ordered = await orders_of(log, asked.customer) if asked.customer else None
        for place, span in there.items():
            keep, waiting = keeper(asked, span.start, ordered), []
            async for found in wanted(log, place, Fence(), span, asked, keep):
                waiting += found
                if len(waiting) >= AT_ONCE:
                    for batch in converted(place, waiting):
                        yield batch
                    waiting = []
            for batch in converted(place, waiting):
                yield batch
    finally:
        await log.close()
    if unread:
        warnings.warn(f"{len(unread)} could not be read and are left out: {unread[0]}", stacklevel=2)


async def _events(kafka: str, asked: Selection) -> AsyncIterator[Happened]:
    log, unread = KafkaLog(kafka), 0
    try:
        there = await spans(log, asked)
        ordered = await orders_of(log, asked.customer) if asked.customer else None
        async with aclosing(merged(log, asked, there, ordered)) as found:  # type: ignore[type-var]
            async for place, each in found:
                try:
                    event, correlation = each.event(), each.envelope.correlation
                except Undecodable:
                    unread += 1
                    continue
                yield Happened(time_of(each), each.stream, each.version, event, place, each.offset, correlation)
    finally:
        await log.close()
    if unread:
        warnings.warn(f"{unread} could not be read and are left out", stacklevel=2)


def _taken(source: Callable[[], AsyncIterator[T]]) -> Iterator[T]:
    """What is read by a thread with an event loop of its own: a notebook has one already, which must not be held up."""
    came: Queue[tuple[bool, Any]] = Queue(AHEAD)
    enough = threading.Event()

    async def read() -> None:
        async with aclosing(source()) as results:  # type: ignore[type-var]
            async for result in results:
                while not enough.is_set():
                    with suppress(Full):
                        came.put((True, result), timeout=0.1)
                        break
                if enough.is_set():
                    return

    def run() -> None:
        fault = None
        try:
            asyncio.run(read())
        except BaseException as error:
            fault = error
        while not enough.is_set():
            with suppress(Full):
                came.put((False, fault), timeout=0.1)
                break

    thread = threading.Thread(target=run, name="history", daemon=True)
    thread.start()
    try:
        while True:
            try:
                more, result = came.get(timeout=0.5)
            except Empty:
                continue
            if not more:
                if result is not None:
                    raise result
                return
            yield result
    finally:
        enough.set()
        thread.join()
