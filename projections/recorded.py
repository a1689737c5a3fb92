"""Recorded is what a read model is made from: records that count, decoded, and where a reader of them stands."""

from collections.abc import Iterable
from datetime import datetime
from typing import Protocol

from msgspec import Struct

from events.envelope import Envelope
from events.event import Event
from events.fence import Fence
from events.log import Record


class Item(Protocol):
    """A record that counts, decoded; `event` is None where that was impossible, and `reason` says why."""

    @property
    def offset(self) -> int: ...
    @property
    def type(self) -> str: ...
    @property
    def version(self) -> int:
        """Of its aggregate; 0 for outcomes, and where its headers cannot be read."""

    @property
    def at(self) -> datetime: ...
    @property
    def event(self) -> Event | None: ...
    @property
    def reason(self) -> str: ...
    @property
    def envelope(self) -> Envelope | None: ...
    @property
    def record(self) -> Record: ...


class Effective(Struct, frozen=True):
    """An item whose record was unpacked and decoded at once."""

    record: Record
    envelope: Envelope | None
    event: Event | None
    reason: str = ""

    @property
    def offset(self) -> int:
        return self.record.offset

    @property
    def type(self) -> str:
        return self.envelope.type if self.envelope else ""

    @property
    def version(self) -> int:
        return self.envelope.version if self.envelope else 0

    @property
    def at(self) -> datetime:
        assert self.envelope is not None  # noqa: S101  only of what could be read
        return self.envelope.at


class Step(Struct, frozen=True):
    """A batch of one partition, and the checkpoints before and after it."""

    partition: int
    before: Fence
    after: Fence
    batch: Iterable[Item]
