"""Reactor reads what other contexts have recorded, and asks of its own context what the table of reactions says.

At least once and in order: its commands carry an origin that follows from the event, and the writer drops a repeat.
"""

import asyncio
import base64
import logging
import time
import traceback
from collections.abc import Iterable, Sequence

from events import topics
from events.envelope import Envelope
from events.errors import LogError, Undecodable
from events.fence import Fence, Verdict
from events.ids import derive
from events.log import Draft, Log, Place, Position, Record
from events.registry import EVENTS, command_codec, event_codec
from schemas.parking import ParkRecord
from schemas.values import Command
from workers.policy import Reaction
from workers.together import together

logger = logging.getLogger(__name__)

KEEP_EVERY = 1.0
"""Seconds between two notes of the position; what lies between is sent again after a restart, and dropped."""


class Reactor:
    """The reactions of one context."""

    def __init__(self, log: Log, context: str, reactions: Sequence[Reaction]) -> None:
        self._log, self._context, self._group = log, context, f"{context}.reactions"
        # By every tag that it was ever recorded under: what lies in the log keeps its old ones.
        self._reactions = {tag.encode(): row for row in reactions for tag in event_codec.tags(row.event)}
        self._sources = [name for name, types in EVENTS.items() if any(r.event in types for r in reactions)]
        self.fences: dict[Place, Fence] = {}

    async def run(self, partitions: frozenset[int]) -> None:
        """React to these partitions of every context that we listen to, until cancelled."""
        while True:
            try:
                await self._follow(partitions)
            except LogError as fault:
                logger.warning("%s reactions begin again: %s", self._context, fault)
                await asyncio.sleep(0.5)

    async def _follow(self, partitions: Iterable[int]) -> None:
        places = [Place(topics.events(name), p) for name in self._sources for p in partitions]
        if not places:
            await asyncio.Event().wait()
        kept = await self._log.committed(self._group)
        self.fences = {place: _fence(kept.get(place)) for place in places}
        reader = await self._log.reader({place: fence.next for place, fence in self.fences.items()})
        try:
            noted = time.monotonic()
            moved: set[Place] = set()
            while True:
                found = await reader.batch(timeout=KEEP_EVERY)
                await self._send([draft for place, records in found.items() for draft in self._react(place, records)])
                moved.update(found)
                if moved and time.monotonic() - noted > KEEP_EVERY:
                    await self._log.commit(self._group, {place: _position(self.fences[place]) for place in moved})
                    noted, moved = time.monotonic(), set()
        finally:
            await reader.close()

    def _react(self, place: Place, records: Iterable[Record]) -> Iterable[tuple[int, Draft]]:
        fence = self.fences[place]
        for record in records:
            if fence.judge(record.offset, record.headers) is Verdict.EFFECTIVE:
                reaction = self._reactions.get(record.headers["ce_type"])
                if reaction is not None:
                    yield from self._drafts(place, record, reaction)

    def _drafts(self, place: Place, record: Record, reaction: Reaction) -> list[tuple[int, Draft]]:
        cause, commands = reaction_of(self._context, place, record, reaction)
        return [command_draft(self._context, place, record.offset, i, cause, c) for i, c in enumerate(commands)]

    async def _send(self, drafts: Sequence[tuple[int, Draft]]) -> None:
        """Append to our commands; advance only when every one is there."""
        by_partition: dict[int, list[Draft]] = {}
        for partition, draft in drafts:
            by_partition.setdefault(partition, []).append(draft)
        await together(*(self._append(p, waiting) for p, waiting in by_partition.items()))

    async def _append(self, partition: int, drafts: list[Draft]) -> None:
        place = Place(topics.commands(self._context), partition)
        for batch in batches(drafts):
            await self._log.append(place, batch)


def batches(drafts: Sequence[Draft]) -> Iterable[list[Draft]]:
    """Cut drafts into batches that fit."""
    batch: list[Draft] = []
    size = 0
    for draft in drafts:
        if batch and size + draft.size() > topics.MAX_BATCH_BYTES // 2:
            yield batch
            batch, size = [], 0
        batch.append(draft)
        size += draft.size()
    if batch:
        yield batch


def reaction_of(context: str, place: Place, record: Record, reaction: Reaction) -> tuple[Envelope, Sequence[Command]]:
    """What a context asks of itself because of a record; what cannot be understood is asked to be parked."""
    cause = Envelope.read(record.headers)
    try:
        return cause, reaction.react(event_codec.decode(cause.type, record.value))
    except Undecodable as error:
        reason = str(error)
    except Exception:
        logger.exception("bug in the reaction of %s to %s, correlation %s", context, cause.type, cause.correlation)
        reason = traceback.format_exc(limit=-3)
    return cause, [park_of(context, place, record, reason)]


def command_draft(
    context: str, place: Place, offset: int, index: int, cause: Envelope, command: Command
) -> tuple[int, Draft]:
    """A command that follows from an event, and the partition it goes to; id and origin follow from the event too."""
    envelope = Envelope(
        id=derive(cause.id, f"{context}/{index}"),
        type=command.tag,
        source=context,
        time=cause.time,
        subject=command.stream,
        correlation=cause.correlation,
        causation=cause.id,
        origin=f"{place.topic}/{place.partition}/{offset}/{index}",
        traceparent=cause.traceparent,
    )
    return topics.partition_asked(command), Draft(command.stream, command_codec.encode(command), envelope.headers())


def park_of(context: str, place: Place, record: Record, reason: str) -> ParkRecord:
    """What a context is asked when a record of another cannot be handled."""
    return ParkRecord(
        about=f"{context}-unknown",
        topic=place.topic,
        partition=place.partition,
        offset=record.offset,
        reason=reason,
        key=base64.b64encode(record.key).decode(),
        value=base64.b64encode(record.value).decode(),
    )


def _fence(kept: Position | None) -> Fence:
    """Where we left off: the claim in force there is kept beside the offset. Without it, from the start."""
    if kept is None:
        return Fence()
    epoch, _, writer = kept.note.partition(" ")
    return Fence(kept.offset, int(epoch), writer) if epoch.isdigit() else Fence()


def _position(fence: Fence) -> Position:
    return Position(fence.next, f"{fence.epoch} {fence.writer}")
