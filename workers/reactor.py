"""Reactor reads what other contexts have recorded, and asks of its own context what the table of reactions says.

At least once and in order: its commands carry an origin that follows from the event, and the writer drops a repeat.
A command for a partition that is ours goes straight to the writer beside us; any other takes the way over the topic.
Why that is safe: docs/decisions/0007-reactions-beside-their-writer.md.

An event that a reaction cannot take is set aside by the writer beside us, and later ones of its aggregate behind it;
what the writer releases is read from its log: docs/decisions/0008-dead-letters-keep-their-order.md.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Protocol

from msgspec import Struct
from msgspec.structs import replace

from aggregates.letters import NONE, Letters
from aggregates.repository import Repository
from aggregates.stage import Incoming, Paused
from events import topics
from events.envelope import CLIENT, Envelope
from events.errors import Fenced, LogError
from events.failpoints import reach
from events.fence import Fence, Verdict
from events.fenced import Owner
from events.letter import LetterReleased, hearing
from events.log import Draft, Log, Place, Position, Record, scan
from events.registry import EVENTS, command_codec
from schemas.parking import ParkEvent
from schemas.values import Command
from workers.inbox import Inbox, Receipt
from workers.pausing import Pauses, TryAgain
from workers.policy import Reaction
from workers.reacting import asked_by, behind, draft_of, released_by, table_of
from workers.together import together

logger = logging.getLogger(__name__)

NOWHERE = Inbox("", ())

KEEP_EVERY = 1.0
"""Seconds between two notes of the position; what lies between is sent again after a restart, and dropped."""

_RELEASED = LetterReleased.tag.encode()


class Beside(Protocol):
    """What a reactor asks of the writer beside it: what has been set aside, how far its log has come, and whether the
    writer works there at all, or stands still."""

    released: int
    working: bool

    @property
    def owner(self) -> Owner: ...
    @property
    def repository(self) -> Repository: ...


class Run(Struct):
    """One tenure of the writer: where it takes commands, and how far its log was read for what it has released."""

    inbox: Inbox
    beside: Mapping[int, Beside]
    own: dict[Place, Fence]
    asked: list[Incoming] = []
    sent: list[Receipt] = []


class Reactor:
    """The reactions of one context."""

    def __init__(
        self,
        log: Log,
        context: str,
        reactions: Sequence[Reaction],
        inbox: Callable[[], Awaitable[Inbox]] | None = None,
        beside: Callable[[], Mapping[int, Beside]] = dict,
        pauses: bool = False,
    ) -> None:
        self._log, self._context, self._group = log, context, f"{context}.reactions"
        self._inbox, self._beside = inbox, beside
        self._reactions = table_of(reactions)
        self._sources = [name for name, types in EVENTS.items() if any(r.event in types for r in reactions)]
        self.fences: dict[Place, Fence] = {}
        self.pauses = Pauses(self._group, pauses)

    async def run(self, partitions: frozenset[int]) -> None:
        """React to these partitions of every context that we listen to, until cancelled."""
        self.pauses.begin_again()
        while True:
            try:
                await self._follow(partitions)
            except Paused as stopped:
                self.pauses.stop(stopped)
            except TryAgain:
                self.pauses.begin_again()
            except LogError as fault:
                logger.warning("%s reactions begin again: %s", self._context, fault)
                await asyncio.sleep(0.1 if isinstance(fault, Fenced) else 0.5)

    async def _follow(self, partitions: frozenset[int]) -> None:
        places = [Place(topics.events(name), p) for name in self._sources for p in partitions]
        if not places:
            await asyncio.Event().wait()
        kept = await self._log.committed(self._group)
        # In this order: what a former reactor has sent over the topic and we do not send again, goes in before ours.
        run = await self._begun(kept)
        # Where we stand still nothing is heard; where the writer does, what it is asked waits in its topic.
        heard = (partitions if self._inbox is None else run.beside.keys()) - self.pauses.why.keys()
        self.fences = {place: _fence(kept.get(place)) for place in places if place.partition in heard}
        if not self.fences:
            await self.pauses.due()
        # What had been released before comes before what is heard now.
        await self._hear_released(run)
        reader = await self._log.reader({place: fence.next for place, fence in self.fences.items()})
        try:
            noted = time.monotonic()
            moved: set[Place] = set()
            while True:
                found = await reader.batch(timeout=KEEP_EVERY)
                run.inbox.check()
                self.pauses.check()
                await self._hear(run, found)
                await self._hear_released(run)
                moved.update(found)
                if moved and time.monotonic() - noted > KEEP_EVERY:
                    await self._note(run, moved)
                    noted, moved = time.monotonic(), set()
        finally:
            await reader.close()

    async def _begun(self, kept: Mapping[Place, Position]) -> Run:
        inbox = await self._inbox() if self._inbox else NOWHERE
        beside = dict(self._beside())
        own = {tenure.owner.place: _fence(kept.get(tenure.owner.place)) for tenure in beside.values()}
        return Run(inbox, beside, own)

    async def _hear(self, run: Run, found: Mapping[Place, Sequence[Record]]) -> None:
        for place, records in found.items():
            if (tenure := run.beside.get(place.partition)) is None:
                run.asked += self._react(place, records)
                continue
            for record, reaction in self._heard(place, records):
                await self._take(run, tenure, place, record, reaction)
        await self._send(run)

    def _react(self, place: Place, records: Iterable[Record]) -> Iterable[Incoming]:
        for record, reaction in self._heard(place, records):
            yield from asked_by(self._context, place, record, reaction)

    def _heard(self, place: Place, records: Iterable[Record]) -> Iterable[tuple[Record, Reaction]]:
        """Those that count and that we listen to."""
        fence = self.fences[place]
        for record in records:
            if fence.judge(record.offset, record.headers) is Verdict.EFFECTIVE:
                reaction = self._reactions.get(record.headers.get("ce_type", b""))
                if reaction is not None:
                    yield record, reaction

    async def _take(self, run: Run, tenure: Beside, place: Place, record: Record, reaction: Reaction) -> None:
        """React to one event, unless one before it waits, of the same aggregate."""
        letters = self._letters(tenure, record)
        if letters != NONE:
            if f"{place.topic}/{place.partition}/{record.offset}/0" in letters.heard:
                return  # it has been set aside, and we begin before it; what has become of it is told by our own log
            if letters.open:
                await self._park(run, tenure, behind(self._context, place, record))
                return
            await self._hear_released(run)
            if self._letters(tenure, record).open:  # released, and set aside again
                await self._park(run, tenure, behind(self._context, place, record))
                return
        asked = asked_by(self._context, place, record, reaction)
        if len(asked) == 1 and isinstance(asked[0].command, ParkEvent):
            await self._park(run, tenure, asked[0])
        else:
            run.asked += asked

    def _letters(self, tenure: Beside, record: Record) -> Letters:
        subject = (record.headers.get("ce_subject") or record.key).decode(errors="replace")
        return self._kept(tenure, hearing(self._context, subject))

    def _kept(self, tenure: Beside, about: str) -> Letters:
        entity = tenure.repository.entities.get(about)
        return entity.letters if entity else NONE

    async def _park(self, run: Run, tenure: Beside, one: Incoming) -> None:
        """Have it set aside, and wait until it is: what comes next of its aggregate must find it there."""
        await self._send(run)
        partition = tenure.owner.place.partition
        if self.pauses.on and isinstance(one.command, ParkEvent) and one.command.reason:
            raise Paused(partition, one.command.reason)
        if not tenure.working:
            raise Paused(partition, "its writer stands still, and nobody could set an event aside")
        await together(*await self._bring([one], run.inbox))
        while not tenure.repository.handled.has(one.envelope.origin):  # it went over the topic
            run.inbox.check()
            await asyncio.sleep(0.005)

    async def _hear_released(self, run: Run) -> None:
        """React to what our own writer has released, in the order of its log, before anything else."""
        for tenure in run.beside.values():
            place = tenure.owner.place
            fence = run.own[place]
            while fence.next < tenure.released:  # more may be released while we read
                async for records in scan(self._log, place, fence.next, tenure.released):
                    for record in records:
                        effective = fence.judge(record.offset, record.headers) is Verdict.EFFECTIVE
                        if effective and record.headers.get("ce_type") == _RELEASED:
                            await self._take_released(run, tenure, place, record)
        await self._send(run)

    async def _take_released(self, run: Run, tenure: Beside, place: Place, record: Record) -> None:
        letters = self._kept(tenure, record.key.decode())
        if f"{place.topic}/{place.partition}/{record.offset}/0" in letters.heard:
            return
        asked = released_by(self._context, place, record, self._reactions, waits=bool(letters.open))
        if len(asked) == 1 and isinstance(asked[0].command, ParkEvent):
            await self._park(run, tenure, asked[0])
        else:
            run.asked += asked

    async def _send(self, run: Run) -> None:
        """Bring what has been asked so far."""
        asked, run.asked = run.asked, []
        if asked:
            reach("reaction.sending")
        run.sent += await self._bring(asked, run.inbox)
        if asked:
            reach("reaction.sent")

    async def _note(self, run: Run, moved: Iterable[Place]) -> None:
        # Nothing that was released is left unread up to here, so the way from where we last looked need not be read.
        own = {
            tenure.owner.place: replace(tenure.owner.fence)
            for tenure in run.beside.values()
            if run.own[tenure.owner.place].next >= tenure.released
        }
        positions = {place: _position(self.fences[place]) for place in moved}
        sent, run.sent = run.sent, []
        await together(*sent)  # the position may follow only what is recorded
        reach("reaction.noting")
        await self._log.commit(self._group, positions | {place: _position(fence) for place, fence in own.items()})
        reach("reaction.noted")
        run.own |= own

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


async def ask(log: Log, context: str, command: Command, command_id: str, cause: str) -> None:
    """Put a command on a context's topic, in a client's name: the aggregate remembers its id, and takes it once.

    Raises:
        LogError: nobody knows whether it was written.
    """
    envelope = Envelope(command_id, command.tag, context, "", command.stream, cause, cause, CLIENT)
    place = Place(topics.commands(context), topics.partition_asked(command))
    await log.append(place, [Draft(command.stream, command_codec.encode(command), envelope.headers())])


def _fence(kept: Position | None) -> Fence:
    """Where we left off: the claim in force there is kept beside the offset. Without it, from the start."""
    if kept is None:
        return Fence()
    epoch, _, writer = kept.note.partition(" ")
    return Fence(kept.offset, int(epoch), writer) if epoch.isdigit() else Fence()


def _position(fence: Fence) -> Position:
    return Position(fence.next, f"{fence.epoch} {fence.writer}")
