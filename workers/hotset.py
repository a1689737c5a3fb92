"""HotSet keeps one partition's aggregates in memory, and the rest in snapshots that follow the log."""

import logging

import msgspec

from aggregates.decider import Decider
from aggregates.repository import Entity, Handled, NotLoaded, Repository
from events.fence import Fence
from events.log import Record
from projections.postgres import DatabaseUnavailable
from projections.snapshots import ResumePoint, Snapshots

logger = logging.getLogger(__name__)

LIMIT = 200_000
"""Aggregates of a partition that stay in memory."""


class _Row(msgspec.Struct):
    """An Entity as a snapshot has it: its state's type follows from the stream."""

    state: msgspec.Raw
    version: int
    correlation: str
    causation: str
    seen: tuple[str, ...]


class HotSet:
    """The aggregates of one partition; without snapshots, all of them are in memory, folded from the start."""

    def __init__(self, decider: Decider, partition: int, snapshots: Snapshots | None, limit: int = LIMIT) -> None:
        self._decider, self._partition, self._snapshots, self._limit = decider, partition, snapshots, limit
        self.repository = Repository(decider)
        self._unfolded: list[Record] = []

    async def restore(self) -> Fence:
        """Begin where the snapshots stand: with what is pending in memory, and the place to read on from."""
        point = await self._snapshots.resume_point(self._partition) if self._snapshots else None
        if self._snapshots is None or point is None:
            return Fence()
        self.repository.complete = False
        self.repository.handled = msgspec.json.decode(point.handled, type=Handled)
        pending = await self._snapshots.pending(self._partition)
        self.repository.put(pending, {stream: self._decode(stream, row) for stream, row in pending.items()})
        return Fence(point.next, point.epoch, point.writer)

    def fold(self, record: Record) -> None:
        """Take in an effective record; while snapshots may be needed for it, it waits for settle()."""
        if self.repository.complete:
            self.repository.fold(record)
        else:
            self._unfolded.append(record)

    async def settle(self) -> None:
        """Fold what waits, with the snapshots that it needs."""
        await self.prefetch({record.key.decode() for record in self._unfolded})
        for record in self._unfolded:
            try:
                self.repository.fold(record)
            except NotLoaded as missing:
                await self.prefetch({missing.stream})
                self.repository.fold(record)
        self._unfolded = []

    async def prefetch(self, streams: set[str]) -> None:
        """Bring aggregates into memory."""
        repository = self.repository
        if repository.complete or self._snapshots is None:
            return
        missing = [stream for stream in streams if stream not in repository.entities]
        if missing:
            found = await self._snapshots.load(missing)
            repository.put(missing, {stream: self._decode(stream, row) for stream, row in found.items()})

    async def flush(self, fence: Fence) -> None:
        """Write what has changed; never ahead of the log, for `fence` and the states are of the same moment."""
        repository = self.repository
        if self._snapshots is None or not repository.dirty:
            return
        dirty, repository.dirty = repository.dirty, set()
        point = ResumePoint(fence.next, fence.epoch, fence.writer, msgspec.json.encode(repository.handled))
        entities = {stream: repository.entities[stream] for stream in dirty}
        try:
            rows = {stream: (msgspec.json.encode(entity), self._pending(entity)) for stream, entity in entities.items()}
            if not await self._snapshots.flush(self._partition, point, rows):
                logger.warning("%s/%d: later snapshots are there already", self._decider.context, self._partition)
        except DatabaseUnavailable as fault:
            repository.dirty |= dirty
            logger.warning("%s/%d: snapshots wait: %s", self._decider.context, self._partition, fault)
            return
        self._evict()

    def _pending(self, entity: Entity) -> bool:
        return bool(self._decider.todos(entity.state))

    def _evict(self) -> None:
        """Let go of those that changed longest ago; their snapshots are up to date."""
        repository = self.repository
        excess = len(repository.entities) - self._limit
        if excess <= 0:
            return
        repository.complete = False
        old = [stream for stream in repository.entities if stream not in repository.dirty][:excess]
        for stream in old:
            if not self._pending(repository.entities[stream]):
                del repository.entities[stream]

    def _decode(self, stream: str, row: bytes) -> Entity:
        kept = msgspec.json.decode(row, type=_Row)
        state = msgspec.json.decode(kept.state, type=type(self._decider.initial_of(stream)))
        return Entity(state, kept.version, kept.correlation, kept.causation, kept.seen)
