"""Writer owns partitions of one context: it reads commands, decides, appends, and only then knows.

    read a micro-batch → decide on staged state → append it as one batch per partition → advance the state

Whatever goes wrong with an append, the writer forgets everything and claims its partitions again.
"""

import asyncio
import logging
import random
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import nullcontext
from datetime import UTC, datetime

from msgspec.structs import replace

from aggregates.decider import Decider, Todo
from aggregates.repository import LOCAL, Entity, NotLoaded, Repository
from aggregates.stage import Incoming, Paused, Stage
from events import topics, tracing
from events.envelope import ASKING, CLIENT, Envelope
from events.errors import LogError, Undecodable
from events.failpoints import reach
from events.fenced import Owner, claim
from events.ids import derive
from events.letter import LetterReleased
from events.log import Log, Place, Reader, Record
from events.registry import COMMANDS, command_codec
from projections.postgres import DatabaseUnavailable
from schemas.parking import EVERYWHERE
from schemas.values import Command
from workers.effects import Effect, Effects
from workers.hotset import HotSet
from workers.inbox import Inbox
from workers.pausing import Pauses, TryAgain
from workers.together import end, together
from workers.traced import Decisions

logger = logging.getLogger(__name__)

MICRO_BATCH = 500
"""Commands decided upon between two appends, per partition; more only wait in the topic."""

LARGEST = 200_000
"""Bytes of a command's body; what one command records must fit into half a batch."""

Clock = Callable[[], datetime]


def now_utc() -> datetime:
    """The time, in UTC."""
    return datetime.now(UTC)


class Tenure:
    """One partition while it is ours; unless `working`, it stands still."""

    def __init__(self, partition: int, owner: Owner, hot: HotSet, working: bool = True) -> None:
        self.partition, self.owner, self.hot, self.working = partition, owner, hot, working
        self.released = owner.fence.next

    @property
    def repository(self) -> Repository:
        return self.hot.repository

    def note(self, base: int, commit: Sequence[tuple[Envelope, bytes]]) -> None:
        """Note where events lie that go back to the reactions: `released` is the offset behind the last of them."""
        for offset, (envelope, _) in enumerate(commit, base):
            if envelope.type == LetterReleased.tag:
                self.released = offset + 1


class Writer:
    """The writer of one context; `pace_seconds` lie between the starts of two commits, for what is in no hurry."""

    def __init__(
        self,
        log: Log,
        decider: Decider,
        handlers: Mapping[str, Effect],
        hot_set: Callable[[int], HotSet],
        flush_seconds: float = 2.0,
        clock: Clock = now_utc,
        pace_seconds: float = 0.0,
        pauses: bool = False,
    ) -> None:
        self._log, self._decider, self._clock, self._pace = log, decider, clock, pace_seconds
        self._handlers, self._hot_set, self._flush_seconds = handlers, hot_set, flush_seconds
        self._context = decider.context
        self.pauses = Pauses(f"{decider.context}.writer", pauses)
        self._commands = topics.commands(decider.context)
        self.tenures: dict[int, Tenure] = {}
        self.ready = asyncio.Event()
        self._inbox = Inbox(self._context, ())
        self._read: dict[int, int] = {}

    async def inbox(self) -> Inbox:
        """Where to bring commands without a way over the topic; what lies there at the moment has gone in before.

        Raises:
            Fenced: the writer begins again in the meantime.
            Unavailable: the log cannot be reached.
        """
        await self.ready.wait()
        inbox = self._inbox
        for partition in inbox.partitions:
            _, end = await self._log.bounds(Place(self._commands, partition))
            while self._read[partition] < end:
                inbox.check()
                await asyncio.sleep(0.005)
        inbox.check()
        return inbox

    async def run(self, partitions: frozenset[int]) -> None:
        """Own these partitions until cancelled; a fence or a fault only makes us begin again."""
        pause = 0.1
        self.pauses.begin_again()
        while True:
            began = time.monotonic()
            try:
                await self._own(partitions)
            except Paused as stopped:
                self.pauses.stop(stopped)
            except TryAgain:
                self.pauses.begin_again()
            except (LogError, DatabaseUnavailable) as fault:
                pause = 0.1 if time.monotonic() - began > 5 else min(pause * 2, 2.0)
                logger.warning("%s writer begins again in about %.1f s: %s", self._context, pause, fault)
                # Two who fence each other in step would get nothing done.
                await asyncio.sleep(pause * random.uniform(0.5, 1.5))

    async def _own(self, partitions: frozenset[int]) -> None:
        if not partitions:
            await self.pauses.due()
        # Where we stand still, the partition is ours all the same: what reactions hear there is for others, too.
        working = partitions - self.pauses.why.keys()
        inbox = self._inbox = Inbox(self._context, working)

        async def answered(stream: str, todo: Todo, command: Command) -> None:
            await inbox.put(topics.partition_asked(command), [self._local(stream, todo, command)])

        effects = Effects(self._decider, self._handlers, answered)
        tasks: list[asyncio.Task[None]] = []
        reader: Reader | None = None
        try:
            self.tenures = {t.partition: t for t in await together(*map(self._claim, sorted(partitions)))}
            self._look_at_pending(working, effects)
            self._read = {p: self.tenures[p].repository.handled.position + 1 for p in working}
            reader = await self._log.reader({Place(self._commands, p): at for p, at in self._read.items()})
            tasks = [
                asyncio.create_task(self._pump(reader, inbox)),
                asyncio.create_task(self._flush_now_and_then()),
                asyncio.create_task(self._work(inbox, effects)),
                asyncio.create_task(effects.keep_time()),
            ]
            if self.pauses.why:
                tasks.append(asyncio.create_task(self.pauses.due()))
            self.ready.set()
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
            for task in done:
                task.result()
        finally:
            self.ready.clear()
            inbox.close()
            effects.stop()
            await end(tasks)
            if reader is not None:
                await reader.close()

    async def _claim(self, partition: int) -> Tenure:
        hot = self._hot_set(partition)
        fence = await hot.restore()
        owner = await claim(self._log, Place(topics.events(self._context), partition), fence, hot.fold)
        await hot.settle()
        logger.info("%s/%d is ours, epoch %d, at offset %d", self._context, partition, owner.epoch, owner.fence.next)
        return Tenure(partition, owner, hot, partition not in self.pauses.why)

    def _look_at_pending(self, partitions: Iterable[int], effects: Effects) -> None:
        for partition in partitions:
            for stream, entity in self.tenures[partition].repository.entities.items():
                effects.look(stream, entity)

    async def _pump(self, reader: Reader, inbox: Inbox) -> None:
        """Read ahead while the worker decides; the inbox's room holds us back."""
        while True:
            for place, records in (await reader.batch(MICRO_BATCH)).items():
                reach("writer.polled")
                await inbox.put(place.partition, [self._decoded(place, record) for record in records])
                self._read[place.partition] = records[-1].offset + 1

    def _decoded(self, place: Place, record: Record) -> Incoming:
        try:
            envelope = Envelope.read(record.headers)
        except Undecodable as error:
            return self._undecoded(place, record, None, str(error))
        if sum(map(len, record.headers.values())) > ASKING:
            return self._undecoded(place, record, None, f"headers longer than {ASKING} bytes")
        if len(record.value) > LARGEST:
            return self._undecoded(place, record, envelope, f"larger than {LARGEST} bytes")
        try:
            command = command_codec.decode(envelope.type, record.value)
        except Undecodable as error:
            known = command_codec.types.get(envelope.type) in COMMANDS[self._context]
            mendable = known and record.key == envelope.subject.encode()
            return self._undecoded(place, record, envelope, str(error), mendable)
        if reason := self._misplaced(place, command):
            return self._undecoded(place, record, envelope, reason)
        return Incoming(envelope, command, place.topic, place.partition, record.offset, record.key, record.value)

    def _misplaced(self, place: Place, command: Command) -> str:
        """Why a command is not for us here; obeyed all the same, there would be two aggregates of one name."""
        if isinstance(command, EVERYWHERE):
            return ""
        if not isinstance(command, COMMANDS[self._context]):
            return f"{command.tag} is not for {self._context}"
        asked = topics.partition_asked(command)
        return "" if asked == place.partition else f"{command.stream} lives in partition {asked}"

    def _undecoded(
        self, place: Place, record: Record, envelope: Envelope | None, reason: str, mendable: bool = False
    ) -> Incoming:
        if envelope is None:
            envelope = Envelope.unread(f"{place.topic}/{place.partition}", record.offset, record.key)
        # Its origin is nothing to go by: a senseless one would make later commands of that source look like repeats.
        if not mendable or envelope.origin != CLIENT:
            envelope = replace(envelope, origin=LOCAL)
        return Incoming(envelope, None, *place, record.offset, record.key, record.value, reason, mendable)

    def _local(self, stream: str, todo: Todo, command: Command) -> Incoming:
        """An effect's answer as a command: no hop over the topic, for if it gets lost the effect is asked again."""
        partition = topics.partition_asked(command)
        entity = self.tenures[partition].repository.entities.get(stream, Entity(None))
        envelope = Envelope(
            id=derive(f"{stream}/{todo.key or todo.step}/{entity.version}", "answer"),
            type=command.tag,
            source=self._context,
            time=self._clock().isoformat(),
            subject=stream,
            correlation=entity.correlation,
            causation=entity.causation,
            origin=LOCAL,
            traceparent=tracing.here() or entity.traceparent,
        )
        return Incoming(envelope, command, self._commands, partition)

    async def _work(self, inbox: Inbox, effects: Effects) -> None:
        loop = asyncio.get_running_loop()
        while True:
            waiting, began = await inbox.take(MICRO_BATCH), loop.time()
            await together(*(self._commit(self.tenures[p], todo, effects) for p, todo in waiting.items()))
            inbox.done()
            if self._pace:
                await asyncio.sleep(began + self._pace - loop.time())

    async def _commit(self, tenure: Tenure, incoming: list[Incoming], effects: Effects) -> None:
        streams = {one.command.stream for one in incoming if one.command is not None and self._is_ours(one.command)}
        await tenure.hot.prefetch(streams)
        while incoming:
            stage = Stage(tenure.repository, tenure.owner, self._clock(), self.pauses.on)
            told = Decisions(self._context, tenure.owner.place, stage) if tracing.on() else None
            with told or nullcontext():
                done, stopped = await self._decide(tenure, stage, incoming, told)
                await tenure.hot.prefetch(
                    {f"{self._context}-unknown"}
                )  # a flush may have put it out of memory just now
                stage.handled(max((one.offset for one in incoming[:done]), default=-1))
                if stage.commit:
                    reach("writer.decided")
                    with told.append() if told else nullcontext():
                        base = await tenure.owner.append(stage.commit)
                    reach("writer.written")
                    tenure.note(base, stage.commit)
            # Rule 3: only now has it happened.
            tenure.repository.advance(stage.entities, (envelope for envelope, _ in stage.commit))
            reach("writer.advanced")
            for stream, entity in stage.entities.items():
                effects.look(stream, entity)
            if stopped is not None:
                raise stopped  # what came before it is recorded
            incoming = incoming[done:]

    def _is_ours(self, command: Command) -> bool:
        return self._decider.has(command.stream)

    async def _decide(
        self, tenure: Tenure, stage: Stage, incoming: list[Incoming], told: Decisions | None
    ) -> tuple[int, Paused | None]:
        """Stage as many as surely fit into one batch, and say how many; and at what we stand still, if so."""
        for done, one in enumerate(incoming):
            if stage.full:
                return done, None
            try:
                await self._handle(tenure, stage, one if told is None else told.begin(one))
            except Paused as stopped:
                if told is not None:
                    told.paused()
                return done, stopped
            if told is not None:
                told.decided(one)
        return len(incoming), None

    async def _handle(self, tenure: Tenure, stage: Stage, one: Incoming) -> None:
        while True:
            try:
                return stage.handle(one)
            except NotLoaded as missing:
                await tenure.hot.prefetch({missing.stream})

    async def _flush_now_and_then(self) -> None:
        while True:
            await asyncio.sleep(self._flush_seconds)
            for tenure in self.tenures.values():
                await tenure.hot.flush(tenure.owner.fence)
