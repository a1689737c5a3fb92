"""MemoryLog is the log's in-memory twin: production code with the same contract as Kafka, for sagas in milliseconds."""

import asyncio
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from contextlib import suppress

from events.errors import TooLarge, Truncated
from events.log import Draft, Place, Position, Record
from events.topics import MAX_BATCH_BYTES


class MemoryLog:
    """Topics in lists. `first` moves a place's start, as retention would."""

    def __init__(self) -> None:
        self.records: dict[Place, list[Record]] = defaultdict(list)
        self.first: dict[Place, int] = defaultdict(int)
        self.positions: dict[str, dict[Place, Position]] = defaultdict(dict)
        self._grown = asyncio.Event()

    async def append(self, place: Place, drafts: Sequence[Draft]) -> int:
        """As Log.append."""
        if sum(draft.size() for draft in drafts) > MAX_BATCH_BYTES:
            raise TooLarge
        held = self.records[place]
        base = len(held)
        now = int(time.time() * 1000)
        for offset, draft in enumerate(drafts, base):
            headers = {name: value or b"" for name, value in draft.headers}  # a stranger's may have no value
            held.append(Record(offset, draft.key.encode(), draft.value, headers, now))
        self._grown.set()
        self._grown = asyncio.Event()
        return base

    async def bounds(self, place: Place) -> tuple[int, int]:
        """As Log.bounds."""
        return self.first[place], len(self.records[place])

    async def reader(self, positions: Mapping[Place, int]) -> "MemoryReader":
        """As Log.reader."""
        for place, position in positions.items():
            if position < self.first[place]:
                raise Truncated(f"{place} begins at {self.first[place]}, after {position}")
        return MemoryReader(self, dict(positions))

    async def committed(self, group: str) -> dict[Place, Position]:
        """As Log.committed."""
        return dict(self.positions[group])

    async def commit(self, group: str, positions: Mapping[Place, Position]) -> None:
        """As Log.commit."""
        self.positions[group].update(positions)

    async def grown(self, timeout: float) -> None:
        """Wait until something is appended, `timeout` seconds at most."""
        # Not wait_for: before Python 3.12 it swallows a cancellation that comes together with the event.
        with suppress(TimeoutError):
            async with asyncio.timeout(timeout):
                await self._grown.wait()


class MemoryReader:
    """A reader of the twin."""

    def __init__(self, log: MemoryLog, positions: dict[Place, int]) -> None:
        self._log, self._positions = log, positions

    async def batch(self, max_records: int = 500, timeout: float = 1.0) -> dict[Place, list[Record]]:
        """As Reader.batch."""
        if not (found := self._take(max_records)):
            await self._log.grown(timeout)
            found = self._take(max_records)
        return found

    def _take(self, max_records: int) -> dict[Place, list[Record]]:
        found = {}
        for place, start in self._positions.items():
            if not self._log.first[place] <= start <= len(self._log.records[place]):
                raise Truncated(f"{place} does not reach {start}")
            if records := self._log.records[place][start : start + max_records]:
                found[place] = records
                self._positions[place] = records[-1].offset + 1
        return found

    def seek(self, place: Place, offset: int) -> None:
        """As Reader.seek."""
        self._positions[place] = offset

    async def position(self, place: Place) -> int:
        """As Reader.position."""
        return self._positions[place]

    async def close(self) -> None:
        """As Reader.close."""
