"""Recorded is what a read model is made from: records that count, decoded, and where a reader of them stands."""

from collections.abc import Sequence

from msgspec import Struct

from events.envelope import Envelope
from events.errors import Undecodable
from events.event import Event
from events.fence import CLAIM, Fence, Verdict
from events.log import Record
from events.registry import event_codec


class Effective(Struct, frozen=True):
    """An effective record, decoded; `event` is None where that was impossible, and `reason` says why."""

    record: Record
    envelope: Envelope | None
    event: Event | None
    reason: str = ""

    @classmethod
    def of(cls, record: Record) -> "Effective":
        """Decode a record as far as possible."""
        try:
            envelope = Envelope.read(record.headers)
        except Undecodable as error:
            return cls(record, None, None, str(error))
        try:
            return cls(record, envelope, event_codec.decode(envelope.type, record.value))
        except Undecodable as error:
            return cls(record, envelope, None, str(error))


class Step(Struct, frozen=True):
    """A batch of one partition, and the checkpoints before and after it."""

    partition: int
    before: Fence
    after: Fence
    batch: Sequence[Effective]


def judged(fence: Fence, record: Record) -> Effective | None:
    """The record if it counts, or if it is no message at all: that goes to the dead letters."""
    verdict = fence.judge(record.offset, record.headers)
    if verdict is Verdict.EFFECTIVE:
        return Effective.of(record)
    if verdict is Verdict.IGNORED and record.headers.get("ce_type") != CLAIM.encode():
        try:
            Envelope.read(record.headers)
        except Undecodable as error:
            return Effective(record, None, None, str(error))
    return None
