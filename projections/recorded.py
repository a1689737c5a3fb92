"""Recorded is what a read model is made from: records that count, decoded, and where a reader of them stands."""

from collections.abc import Sequence

from msgspec import Struct

from events.envelope import Envelope
from events.event import Event
from events.fence import Fence
from events.log import Record


class Effective(Struct, frozen=True):
    """An effective record, decoded; `event` is None where that was impossible, and `reason` says why."""

    record: Record
    envelope: Envelope | None
    event: Event | None
    reason: str = ""


class Step(Struct, frozen=True):
    """A batch of one partition, and the checkpoints before and after it."""

    partition: int
    before: Fence
    after: Fence
    batch: Sequence[Effective]
