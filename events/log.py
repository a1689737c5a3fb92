"""Log is the port: topics of partitions of records, as Kafka has them and as the in-memory twin has them.

The port is dumb on purpose. Claims, fences and effective reading stand above it, once, in fenced.py.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import NamedTuple, Protocol

from events.errors import Unavailable


class Place(NamedTuple):
    """One partition of one topic."""

    topic: str
    partition: int


class Draft(NamedTuple):
    """A record to be appended."""

    key: str
    value: bytes
    headers: list[tuple[str, bytes]]

    def size(self) -> int:
        """An upper bound of its bytes in a batch, headers included, with our kind of headers."""
        return len(self.key) + len(self.value) + 800


class Record(NamedTuple):
    """A record as read. `timestamp` is milliseconds since 1970."""

    offset: int
    key: bytes
    value: bytes
    headers: dict[str, bytes]
    timestamp: int


class Position(NamedTuple):
    """How far a group has come, with a note of its own."""

    offset: int
    note: str


class Reader(Protocol):
    """Follows places from positions of its own; it belongs to no consumer group and moves nobody else's position."""

    async def batch(self, max_records: int = 500, timeout: float = 1.0) -> dict[Place, list[Record]]:
        """The next records of any place, in order per place; empty after `timeout` seconds without one."""

    def seek(self, place: Place, offset: int) -> None:
        """Read a place from this offset on next."""

    async def position(self, place: Place) -> int:
        """The offset that is read next; a stranger's transaction leaves offsets that hold no record."""

    async def close(self) -> None:
        """Let go."""


class Log(Protocol):
    """Append-only topics."""

    async def append(self, place: Place, drafts: Sequence[Draft]) -> int:
        """Write the drafts as one batch, atomic and contiguous, and return the offset of the first.

        Raises:
            TooLarge: the batch does not fit.
            Fenced: nobody knows whether it was written.
            Unavailable: it was not written.
        """

    async def bounds(self, place: Place) -> tuple[int, int]:
        """The first offset there is, and the offset that comes next.

        Raises:
            Unavailable: the log cannot be reached.
        """

    async def reader(self, positions: Mapping[Place, int]) -> Reader:
        """A reader that starts at these positions.

        Raises:
            Truncated: a place begins after its position.
            Unavailable: the log cannot be reached.
        """

    async def committed(self, group: str) -> dict[Place, Position]:
        """The positions that a group keeps on the broker: a convenience, never a truth.

        Raises:
            Unavailable: the log cannot be reached.
        """

    async def commit(self, group: str, positions: Mapping[Place, Position]) -> None:
        """Keep positions for a group.

        Raises:
            Unavailable: the log cannot be reached.
        """


async def scan(log: Log, place: Place, start: int, end: int, patience: float = 30.0) -> AsyncIterator[list[Record]]:
    """Read a place from one offset up to, not including, another; then stop.

    Raises:
        Unavailable: nothing came for `patience` seconds.
    """
    if start >= end:
        return
    reader = await log.reader({place: start})
    waited = 0.0
    try:
        while start < end:
            found = await reader.batch(2000, timeout=1.0)
            waited = 0.0 if found else waited + 1.0
            if waited > patience:
                raise Unavailable(f"{place}: nothing at {start}, and {end} is the end")
            for records in found.values():
                start = records[-1].offset + 1
                yield [record for record in records if record.offset < end]
            if not found:
                start = max(start, await reader.position(place))
    finally:
        await reader.close()
