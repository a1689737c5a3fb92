"""Sweep is the quick way through history: the records of a partition that count, decoded only when somebody asks.

For rebuilds, verification and analysts, who read far more than they keep. The rules are those of fence.py, the result
that of fenced.catch_up, record for record; but records come in lists, and what a reader does not look at is not made.

    fence = Fence()
    async for found in effective(log, Place("order.events", 0), fence, end):
        for each in found:
            fold(each.event())
"""

from collections.abc import AsyncIterator, Collection, Iterable, Sequence
from datetime import datetime
from typing import Protocol, runtime_checkable

from msgspec import Struct, structs

from events.envelope import Envelope
from events.errors import Unavailable, Undecodable
from events.event import Event
from events.fence import CLAIM, Fence, Verdict
from events.log import Log, Place, Reader, Record
from events.registry import event_codec

BATCH = 2000
"""Records that are handed out together, about."""


class Found(Struct, gc=False):
    """A record of history. `rest` is what has not been looked at: its headers as they lie in the batch, or all of it.

    type: its tag; stream: the aggregate; version: of the aggregate, 0 for outcomes; time: ISO 8601; body: JSON;
    timestamp: milliseconds since 1970. Where its headers cannot be read, `reason` says why, the type is empty, and the
    stream is what the key says.
    """

    offset: int
    type: str
    stream: str
    version: int
    time: str
    body: bytes
    epoch: int
    writer: str
    timestamp: int
    rest: str | Record
    reason: str = ""

    @classmethod
    def of(cls, record: Record) -> "Found":
        """A record that has been unpacked already."""
        try:
            e = Envelope.read(record.headers)
        except Undecodable as error:
            stream = record.key.decode(errors="replace")
            return cls(record.offset, "", stream, 0, "", record.value, -1, "", record.timestamp, record, str(error))
        return cls(
            record.offset,
            e.type,
            e.subject,
            e.version,
            e.time,
            record.value,
            e.epoch,
            e.writer,
            record.timestamp,
            record,
        )

    @property
    def record(self) -> Record:
        """The whole record, as a Reader brings it."""
        if isinstance(self.rest, Record):
            return self.rest
        return Record(self.offset, self.stream.encode(), self.body, headers_in(self.rest), self.timestamp)

    @property
    def envelope(self) -> Envelope:
        """All of its circumstances.

        Raises:
            Undecodable: for the reason given.
        """
        return Envelope.read(self.record.headers)

    @property
    def correlation(self) -> str:
        """The request that began it.

        Raises:
            Undecodable: for the reason given.
        """
        if type(self.rest) is not str:
            return self.envelope.correlation
        at = _subject_ends(self, self.rest)
        return self.rest[at + 13 : at + 49]

    @property
    def at(self) -> datetime:
        """The time as a datetime."""
        return datetime.fromisoformat(self.time)

    def event(self) -> Event:
        """What happened.

        Raises:
            Undecodable: the headers or the body cannot be read, or nobody here knows the type.
        """
        if self.reason:
            raise Undecodable(self.reason)
        return event_codec.fresh(self.type, self.body)


class Sweep(Protocol):
    """Follows one place from a position on, as a Reader does."""

    async def batch(self, timeout: float = 1.0) -> Iterable[list[Found]]:
        """The next records in order, in lists; nothing after `timeout` seconds without one."""

    async def position(self) -> int:
        """The offset that is read next."""

    async def close(self) -> None:
        """Let go."""


@runtime_checkable
class Sweeps(Protocol):
    """A log that knows a quicker way to read far than its readers are."""

    async def sweep(self, place: Place, start: int) -> Sweep:
        """Begin at a position.

        Raises:
            Truncated: the place begins after it.
            Unavailable: the log cannot be reached.
        """


async def sweep(log: Log, place: Place, start: int) -> Sweep:
    """The quickest way that a log has."""
    if isinstance(log, Sweeps):
        return await log.sweep(place, start)
    return _Followed(place, await log.reader({place: start}))


async def effective(
    log: Log,
    place: Place,
    fence: Fence,
    end: int,
    tags: Collection[str] | None = None,
    batch: int = BATCH,
    patience: float = 30.0,
    noise: bool = False,
) -> AsyncIterator[list[Found]]:
    """The records that count from the fence's position up to `end`; of types other than `tags`, if given, none.

    The fence moves along: whenever a list is handed out, it stands behind the last record of it. A record whose headers
    cannot be read is handed out whatever the tags are, as it might be anything. With `noise`, those come too which do
    not count because they are no messages at all: what belongs with the dead letters.

    Raises:
        Truncated: the place begins after the fence's position.
        Unavailable: the log cannot be reached, or nothing came for `patience` seconds.
    """
    if fence.next >= end:
        return
    wanted = None if tags is None else {*tags, ""}
    source = await sweep(log, place, fence.next)
    ahead, waited, start = structs.replace(fence), 0.0, fence.next
    try:
        while start < end:
            kept: list[Found] = []
            came = False
            for found in await source.batch(timeout=1.0):
                came = True
                start = found[-1].offset + 1
                kept += _counted(ahead, found, end, wanted, noise)
                if len(kept) >= batch:
                    _move(fence, ahead)
                    yield kept
                    kept = []
            _move(fence, ahead)
            if kept:
                yield kept
            waited = 0.0 if came else waited + 1.0
            if waited > patience:
                raise Unavailable(f"{place}: nothing at {start}, and {end} is the end")
            if not came:
                start = max(start, await source.position())
    finally:
        await source.close()


def _counted(fence: Fence, records: list[Found], end: int, wanted: Collection[str] | None, noise: bool) -> list[Found]:
    """Those that count and are wanted; nearly all have the writer in force, and are judged by that alone."""
    if records[-1].offset >= end:
        records = [found for found in records if found.offset < end]
    kept = []
    epoch, writer = fence.epoch, fence.writer
    for found in records:
        known = found.writer == writer and found.epoch == epoch and type(found.rest) is str
        if known or fence.judge(found.offset, found.record.headers) is Verdict.EFFECTIVE:
            if wanted is None or found.type in wanted:
                kept.append(found)
        else:
            epoch, writer = fence.epoch, fence.writer
            if noise and found.reason and found.record.headers.get("ce_type") != CLAIM.encode():
                kept.append(found)
    if records:
        fence.next = records[-1].offset + 1
    return kept


def _move(fence: Fence, to: Fence) -> None:
    fence.next, fence.epoch, fence.writer, fence.ignored = to.next, to.epoch, to.writer, to.ignored


def headers_in(text: str) -> dict[str, bytes]:
    """The headers of a record whose names and values are ASCII and shorter than 64 bytes, as they lie in a batch."""
    headers = {}
    at = 1
    while at < len(text):
        name_end = at + 1 + ord(text[at]) // 2
        value_end = name_end + 1 + ord(text[name_end]) // 2
        headers[text[at + 1 : name_end]] = text[name_end + 1 : value_end].encode()
        at = value_end
    return headers


def circumstances(rows: Sequence[Found]) -> tuple[Sequence[str], ...]:
    """Ids, correlations, causations and origins of records.

    Raises:
        Undecodable: the headers of one cannot be read.
    """
    texts = [row.rest for row in rows if type(row.rest) is str]
    if len(texts) < len(rows):
        said = [row.envelope for row in rows]
        return tuple(zip(*((e.id, e.correlation, e.causation, e.origin) for e in said), strict=True))
    lying = [(text, _subject_ends(row, text)) for row, text in zip(rows, texts, strict=True)]
    return (
        [text[27:63] for text in texts],
        [text[at + 13 : at + 49] for text, at in lying],
        [text[at + 60 : at + 96] for text, at in lying],
        [text[at + 104 : at + 104 + (ord(text[at + 103]) >> 1)] for text, at in lying],
    )


def _subject_ends(found: Found, text: str) -> int:
    """Where, in headers as events/unpack.py knows them: all names and values are preceded by their length, doubled."""
    source = 82 + len(found.type)
    return source + 22 + (ord(text[source]) >> 1) + len(found.time) + len(found.stream)


class _Followed:
    """A sweep with an ordinary reader."""

    def __init__(self, place: Place, reader: Reader) -> None:
        self._place, self._reader = place, reader

    async def batch(self, timeout: float = 1.0) -> Iterable[list[Found]]:
        found = await self._reader.batch(BATCH, timeout)
        return [[Found.of(record) for record in records] for records in found.values()]

    async def position(self) -> int:
        return await self._reader.position(self._place)

    async def close(self) -> None:
        await self._reader.close()
