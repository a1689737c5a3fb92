"""HotSet keeps one partition's aggregates in memory, and the rest in snapshots that follow the log."""

import asyncio
import logging
from collections.abc import Mapping
from typing import NoReturn

import msgspec

from aggregates.decider import Decider
from aggregates.letters import NONE, Letters
from aggregates.repository import Entity, Handled, NotLoaded, Repository
from events.errors import Fenced
from events.failpoints import reach
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
    unreadable: str = ""
    letters: Letters = NONE
    traceparent: str = ""


class HotSet:
    """The aggregates of one partition; without snapshots, all of them are in memory, folded from the start."""

    def __init__(self, decider: Decider, partition: int, snapshots: Snapshots | None, limit: int = LIMIT) -> None:
        self._decider, self._partition, self._snapshots, self._limit = decider, partition, snapshots, limit
        self.repository = Repository(decider)
        self._point: ResumePoint | None = None
        self._unfolded: list[Record] = []
        self._asking = asyncio.Lock()  # a flush moves the resume point that a load compares with

    async def restore(self) -> Fence:
        """Begin where the snapshots stand: with what is pending in memory, and the place to read on from."""
        if self._snapshots is None:
            return Fence()
        self._point = point = await self._snapshots.resume_point(self._partition)
        if point is None:
            await self._snapshots.forget(self._partition)
            return Fence()
        self.repository.complete = False
        try:
            self.repository.handled = msgspec.json.decode(point.handled, type=Handled)
            self._take(await self._snapshots.pending(self._partition))
        except msgspec.MsgspecError as error:
            await self._spoiled(error)
        return Fence(point.next, point.epoch, point.writer)

    def fold(self, record: Record) -> None:
        """Take in an effective record; while snapshots may be needed for it, it waits for settle()."""
        if self.repository.complete:
            self.repository.fold(record)
        else:
            self._unfolded.append(record)

    async def settle(self) -> None:
        """Fold what waits, with the snapshots that it needs."""
        streams = {record.key.decode(errors="replace") for record in self._unfolded}
        await self.prefetch({stream for stream in streams if self._decider.has(stream)})
        for record in self._unfolded:
            await self._fold(record)
        self._unfolded = []

    async def _fold(self, record: Record) -> None:
        try:
            self.repository.fold(record)
        except NotLoaded as missing:  # a forged record need not have its subject as its key
            await self.prefetch({missing.stream})
            self.repository.fold(record)

    async def prefetch(self, streams: set[str]) -> None:
        """Bring aggregates into memory.

        Raises:
            Fenced: the snapshots are not ours any more: begin again.
        """
        repository = self.repository
        if repository.complete or self._snapshots is None or self._point is None:
            return
        missing = [stream for stream in streams if stream not in repository.entities]
        if not missing:
            return
        async with self._asking:
            found = await self._snapshots.load(self._partition, missing, self._point)
        if found is None:
            raise Fenced(f"{self._decider.context}/{self._partition}: the snapshots have been moved or deleted")
        try:
            self._take(found)
        except msgspec.MsgspecError as error:
            await self._spoiled(error)
        repository.put([stream for stream in missing if stream not in found], {})

    async def flush(self, fence: Fence) -> None:
        """Write what has changed; never ahead of the log, for `fence` and the states are of the same moment.

        Raises:
            Fenced: the snapshots are not ours any more: begin again.
        """
        repository = self.repository
        if self._snapshots is None or not repository.dirty:
            return
        async with self._asking:
            await self._flush(repository, self._snapshots, fence)
        self._evict()

    async def _flush(self, repository: Repository, snapshots: Snapshots, fence: Fence) -> None:
        dirty, repository.dirty = repository.dirty, set()
        point = ResumePoint(fence.next, fence.epoch, fence.writer, msgspec.json.encode(repository.handled))
        entities = {stream: repository.entities[stream] for stream in dirty}
        rows = {stream: (msgspec.json.encode(entity), self._pending(entity)) for stream, entity in entities.items()}
        try:
            ours = await snapshots.flush(self._partition, self._point, point, rows)
            reach("snapshot.committed")
        except DatabaseUnavailable as fault:
            repository.dirty |= dirty
            logger.warning("%s/%d: snapshots wait: %s", self._decider.context, self._partition, fault)
            return
        if not ours:
            raise Fenced(f"{self._decider.context}/{self._partition}: the snapshots have been moved or deleted")
        self._point = point

    def _take(self, rows: Mapping[str, str]) -> None:
        self.repository.put(rows, {stream: decoded(self._decider, stream, row) for stream, row in rows.items()})

    async def _spoiled(self, error: Exception) -> NoReturn:
        """A snapshot that cannot be read: none of them is needed."""
        if self._snapshots is not None:
            await self._snapshots.forget(self._partition)
        raise Fenced(f"{self._decider.context}/{self._partition}: snapshots were spoiled and are dropped: {error}")

    def _pending(self, entity: Entity) -> bool:
        # Whoever asks whether something waits, or did, must not have to ask the database.
        return entity.letters != NONE or bool(self._decider.todos(entity.state))

    def _evict(self) -> None:
        """Let go of those that changed longest ago; their snapshots are up to date."""
        repository = self.repository
        excess = len(repository.entities) - self._limit
        if excess <= 0 or self._point is None:  # without a resume point there is nothing to come back from
            return
        repository.complete = False
        old = [stream for stream in repository.entities if stream not in repository.dirty][:excess]
        for stream in old:
            if not self._pending(repository.entities[stream]):
                del repository.entities[stream]


def decoded(decider: Decider, stream: str, row: str) -> Entity:
    """An aggregate as its snapshot has it.

    Raises:
        MsgspecError: the snapshot is spoiled.
    """
    kept = msgspec.json.decode(row, type=_Row)
    state = msgspec.json.decode(kept.state, type=type(decider.initial_of(stream)))
    return Entity(
        state,
        kept.version,
        kept.correlation,
        kept.causation,
        kept.seen,
        kept.unreadable,
        kept.letters,
        kept.traceparent,
    )
