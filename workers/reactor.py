"""Reactor reads what other contexts have recorded, and asks of its own context what the table of reactions says.

At least once and in order: its commands carry an origin that follows from the event, and the writer drops a repeat.
A command for a partition that is ours goes straight to the writer beside us; any other takes the way over the topic.
Why that is safe: docs/decisions/0007-reactions-beside-their-writer.md.
"""

import asyncio
import base64
import logging
import time
import traceback
from collections.abc import Awaitable, Callable, Iterable, Sequence

from aggregates.stage import Incoming
from events import topics
from events.envelope import Envelope
from events.errors import Fenced, LogError, Undecodable
from events.failpoints import reach
from events.fence import Fence, Verdict
from events.ids import derive
from events.log import Draft, Log, Place, Position, Record
from events.registry import EVENTS, command_codec, event_codec
from schemas.parking import ParkRecord
from schemas.values import Command
from workers.inbox import Inbox, Receipt
from workers.policy import Reaction
from workers.together import together

logger = logging.getLogger(__name__)

NOWHERE = Inbox("", ())

KEEP_EVERY = 1.0
"""Seconds between two notes of the position; what lies between is sent again after a restart, and dropped."""


class Reactor:
    """The reactions of one context."""

    def __init__(
        self,
        log: Log,
        context: str,
        reactions: Sequence[Reaction],
        inbox: Callable[[], Awaitable[Inbox]] | None = None,
    ) -> None:
        self._log, self._context, self._group = log, context, f"{context}.reactions"
        self._inbox = inbox
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
                await asyncio.sleep(0.1 if isinstance(fault, Fenced) else 0.5)

    async def _follow(self, partitions: Iterable[int]) -> None:
        places = [Place(topics.events(name), p) for name in self._sources for p in partitions]
        if not places:
            await asyncio.Event().wait()
        kept = await self._log.committed(self._group)
        # In this order: what a former reactor has sent over the topic and we do not send again, goes in before ours.
        inbox = await self._inbox() if self._inbox else NOWHERE
        self.fences = {place: _fence(kept.get(place)) for place in places}
        reader = await self._log.reader({place: fence.next for place, fence in self.fences.items()})
        try:
            noted = time.monotonic()
            moved: set[Place] = set()
            sent: list[Receipt] = []
            while True:
                found = await reader.batch(timeout=KEEP_EVERY)
                asked = [one for place, records in found.items() for one in self._react(place, records)]
                if asked:
                    reach("reaction.sending")
                sent += await self._bring(asked, inbox)
                if asked:
                    reach("reaction.sent")
                moved.update(found)
                if moved and time.monotonic() - noted > KEEP_EVERY:
                    await together(*sent)  # the position may follow only what is recorded
                    reach("reaction.noting")
                    await self._log.commit(self._group, {place: _position(self.fences[place]) for place in moved})
                    reach("reaction.noted")
                    noted, moved, sent = time.monotonic(), set(), []
        finally:
            await reader.close()

    def _react(self, place: Place, records: Iterable[Record]) -> Iterable[Incoming]:
        fence = self.fences[place]
        for record in records:
            if fence.judge(record.offset, record.headers) is Verdict.EFFECTIVE:
                reaction = self._reactions.get(record.headers.get("ce_type", b""))
                if reaction is not None:
                    yield from asked_by(self._context, place, record, reaction)

    async def _bring(self, asked: Iterable[Incoming], inbox: Inbox) -> list[Receipt]:
        """Bring commands to our writer, and wait for the acks of those that go to another's."""
        by_partition: dict[int, list[Incoming]] = {}
        for one in asked:
            by_partition.setdefault(one.partition, []).append(one)
        afar = by_partition.keys() - inbox.partitions
        receipts = [await inbox.put(p, by_partition[p]) for p in by_partition.keys() & inbox.partitions]
        await together(*(self._append(p, by_partition[p]) for p in afar))
        return receipts

    async def _append(self, partition: int, asked: Sequence[Incoming]) -> None:
        place = Place(topics.commands(self._context), partition)
        for batch in batches([draft_of(one) for one in asked]):
            await self._log.append(place, batch)
            reach("reaction.appended")


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


def asked_by(context: str, place: Place, record: Record, reaction: Reaction) -> list[Incoming]:
    """The commands that a context gives itself because of a record: ids and origins follow from the record."""
    cause, commands = reaction_of(context, place, record, reaction)
    return [asked(context, place, record.offset, i, cause, command) for i, command in enumerate(commands)]


def reaction_of(context: str, place: Place, record: Record, reaction: Reaction) -> tuple[Envelope, Sequence[Command]]:
    """What a context asks of itself because of a record; what cannot be understood is asked to be parked."""
    try:
        cause = Envelope.read(record.headers)
    except Undecodable as error:
        unread = Envelope.unread(f"{place.topic}/{place.partition}", record.offset, record.key)
        return unread, [park_of(context, place, record, str(error))]
    try:
        return cause, reaction.react(event_codec.decode(cause.type, record.value))
    except Undecodable as error:
        reason = str(error)
    except Exception:
        logger.exception("bug in the reaction of %s to %s, correlation %s", context, cause.type, cause.correlation)
        reason = traceback.format_exc(limit=-3)
    return cause, [park_of(context, place, record, reason)]


def asked(context: str, place: Place, offset: int, index: int, cause: Envelope, command: Command) -> Incoming:
    """A command that follows from an event."""
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
    return Incoming(envelope, command, topics.commands(context), topics.partition_asked(command))


def draft_of(one: Incoming) -> Draft:
    """A command, which must be there, as a record for its topic."""
    if one.command is None:
        raise ValueError("no command")
    return Draft(one.command.stream, command_codec.encode(one.command), one.envelope.headers())


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
