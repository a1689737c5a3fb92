"""Reading says of a record whether it counts, and decodes it as far as possible."""

from collections.abc import AsyncIterator, Iterator, Sequence
from datetime import datetime

from msgspec import Struct
from msgspec.structs import replace

from events import topics
from events.envelope import Envelope
from events.errors import Undecodable
from events.event import Event
from events.fence import CLAIM, Fence, Verdict
from events.log import Log, Place, Record
from events.registry import EVENTS, event_codec
from events.sweep import Found, effective
from projections.recorded import Effective, Step
from projections.view import Model, Projection


def judged(fence: Fence, record: Record) -> Effective | None:
    """The record if it counts, or if it is no message at all: that goes to the dead letters."""
    verdict = fence.judge(record.offset, record.headers)
    if verdict is Verdict.EFFECTIVE:
        return decoded(record)
    if verdict is Verdict.IGNORED and record.headers.get("ce_type") != CLAIM.encode():
        try:
            Envelope.read(record.headers)
        except Undecodable as error:
            return Effective(record, None, None, str(error))
    return None


def decoded(record: Record) -> Effective:
    """A record that counts, as far as it can be decoded."""
    try:
        envelope = Envelope.read(record.headers)
    except Undecodable as error:
        return Effective(record, None, None, str(error))
    try:
        return Effective(record, envelope, event_codec.decode(envelope.type, record.value))
    except Undecodable as error:
        return Effective(record, envelope, None, str(error))


class Swept(Struct, frozen=True, gc=False):
    """An item of a sweep through history: of its circumstances, only what is asked for is unpacked."""

    found: Found
    event: Event | None
    reason: str = ""

    @property
    def offset(self) -> int:
        return self.found.offset

    @property
    def type(self) -> str:
        return self.found.type

    @property
    def version(self) -> int:
        return self.found.version

    @property
    def at(self) -> datetime:
        return self.found.at

    @property
    def record(self) -> Record:
        return self.found.record

    @property
    def envelope(self) -> Envelope | None:
        return None if self.found.reason else self.found.envelope


class Unread(Struct, frozen=True):
    """Items that are decoded while they are gone through: thousands at once would fill caches, and be slower."""

    found: Sequence[Found]

    def __iter__(self) -> Iterator[Swept]:
        return map(_swept, self.found)


async def history(log: Log, model: Model, partition: int, since: Fence, end: int, chunk: int) -> AsyncIterator[Step]:
    """What a read model takes in of a partition, from one checkpoint up to an offset, in steps of so many records.

    Raises:
        Truncated, Unavailable: as events.sweep.effective.
    """
    place = Place(topics.events(model.context), partition)
    fence, before = replace(since), replace(since)
    keyed = isinstance(model, Projection)
    waiting: list[Found] = []
    async for found in effective(log, place, fence, end, _tags(model) if keyed else None, chunk, noise=not keyed):
        waiting += found
        if len(waiting) >= chunk:
            yield Step(partition, before, replace(fence), Unread(waiting))
            before, waiting = replace(fence), []
    if fence.next > before.next:
        yield Step(partition, before, replace(fence), Unread(waiting))


def _tags(model: Model) -> list[str]:
    return [tag for event in EVENTS[model.context] for tag in event_codec.tags(event)]


def _swept(found: Found) -> Swept:
    try:
        return Swept(found, found.event())
    except Undecodable as error:
        return Swept(found, None, str(error))
