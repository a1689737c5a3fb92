"""Agents are what the Faust streams do with each record; Faust itself stays in app.py.

One record is settled before the next begins: handled, found not to count, or parked. What that leads to is written out
a few times a second for all of them together, and only then are they acked: what was not comes again, here or at
another worker, and everything an agent does may be done twice.
"""

import asyncio
import logging
import time
import traceback
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Iterator, MutableMapping, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple, Protocol

import msgspec
from msgspec.structs import replace

from events import tracing
from events.envelope import Envelope
from events.errors import Fenced, Unavailable, Undecodable
from events.event import Event
from events.failpoints import reach
from events.fence import Fence, Verdict
from events.log import Draft, Log, Place, Record, scan
from events.registry import command_codec, event_codec
from events.topics import commands, events
from schemas.values import Command
from workers.reacting import asked
from workers.reactor import batches
from workers.statistics import MINUTE, Row, Window, minute_of, row_of
from workers.together import together
from workers.traced import reacted

logger = logging.getLogger(__name__)

ATTEMPTS = 3
FIRST_PAUSE, LONGEST_PAUSE = 0.1, 5.0
RETAINED = 60
"""Minutes of statistics that are kept open for late events."""
REMEMBERED = 64
"""Claims kept per partition: a replay from before the oldest reads them from the log again."""

Claims = MutableMapping[str, list[list[Any]]]
"""By place, the latest claims that took effect: [offset, epoch, writer] each. In a worker, a Faust table.

The last may be a mark: the same claim once more, as it is still in force at a later offset.
"""

MARKED = 512
"""Offsets from one entry of a claims table to the next: so many records, at most, are read again by who resumes."""

NOBODY: list[Any] = [-1, 0, ""]
"""The claim before the first."""


class Parked(NamedTuple):
    """A record that cannot be handled: who gave up on it, where it lies, its bytes, and why."""

    agent: str
    place: Place
    record: Record
    reason: str
    attempts: int


class Windows(Protocol):
    """Minutes by source; in a worker, a windowed Faust table."""

    def put(self, source: str, start: float, window: dict[str, Any]) -> None: ...
    def drop(self, source: str, start: float) -> None: ...
    def items(self) -> Iterator[tuple[str, float, dict[str, Any]]]: ...


class Tables(Protocol):
    """The state that an agent keeps where Faust resumes."""

    @property
    def claims(self) -> Claims: ...
    @property
    def windows(self) -> Windows: ...


Park = Callable[[Parked], Awaitable[None]]
Ours = Callable[[], bool]
"""Says whether the record in hand is still this worker's to settle."""


class Held(NamedTuple):
    """A record that is settled, and not acked yet."""

    place: Place
    offset: int
    ours: Ours
    ack: Callable[[], object]


class Agent(ABC):
    """One stream's reader. `park` is awaited until it succeeds; `transient` adds to the errors that mean "wait"."""

    name: str
    pace = 0.2
    """Seconds between two flushes."""

    def __init__(
        self, log: Log, topics: Sequence[str], park: Park, transient: tuple[type[Exception], ...] = ()
    ) -> None:
        self._held: list[Held] = []
        self.log, self.topics, self.park = log, tuple(topics), park
        self.transient: tuple[type[Exception], ...] = (Unavailable, Fenced, OSError, *transient)
        self.assigned: frozenset[Place] = frozenset()
        self.positions: dict[Place, int] = {}
        self.running, self.reachable, self.waiting_for = False, True, ""

    @property
    def healthy(self) -> bool:
        """Whether records are being settled: the stream runs, sees the log, and waits for nobody."""
        return self.running and self.reachable and not self.waiting_for

    def open(self, tables: Tables) -> None:
        """Begin anew on these tables; what memory held belongs to a former life."""
        self._effective = Effective(self.log, tables.claims)
        self.assigned, self.positions, self.waiting_for = frozenset(), {}, ""
        self._held = []

    def resume(self, places: frozenset[Place]) -> None:
        """These partitions are ours now, their tables restored."""
        self._effective.resume()
        self.assigned = places
        self.positions = {place: at for place, at in self.positions.items() if place in places}

    @abstractmethod
    async def handle(self, place: Place, offset: int, envelope: Envelope, event: Event) -> None:
        """Take one effective event into account."""

    @abstractmethod
    async def flush(self) -> None:
        """Write out what the events handled so far lead to."""

    def hold(self, held: Held) -> None:
        """Ack this record once what it leads to is written out."""
        self._held.append(held)

    async def background(self) -> None:
        """Flush and ack now and then, until cancelled."""
        while True:
            await asyncio.sleep(self.pace)
            held, self._held = self._held, []
            await self._flush_for_sure()
            for one in held:
                if one.ours():
                    self.positions[one.place] = one.offset + 1
                    one.ack()

    async def _flush_for_sure(self) -> None:
        pause = FIRST_PAUSE
        while True:
            try:
                await self.flush()
            except self.transient as error:
                self._wait_for(error)
            else:
                self.waiting_for = ""
                return
            await asyncio.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE)

    async def settle(self, place: Place, record: Record, ours: Ours) -> bool:
        """Handle a record or park it; False if it was given up because it is not ours any more."""
        attempt, pause = 1, FIRST_PAUSE
        while ours():
            try:
                await self._attempt(place, record, attempt)
            except self.transient as error:
                self._wait_for(error)  # the world is down: nothing is wrong with the record
            except Exception as error:
                logger.warning("%s: attempt %d on %s: %r", self.name, attempt, _at(place, record), error)
                attempt += 1
            else:
                return True
            await asyncio.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE)
        return False

    async def _attempt(self, place: Place, record: Record, attempt: int) -> None:
        try:
            if await self._effective.counts(place, record):
                envelope = Envelope.read(record.headers)
                event = event_codec.decode(envelope.type, record.value)
                await self.handle(place, record.offset, envelope, event)
        except self.transient:
            raise
        except Exception as error:
            # Bytes that make no sense will make none the second time.
            if attempt < ATTEMPTS and not isinstance(error, Undecodable):
                raise
            await self.park(Parked(self.name, place, record, _why(error), attempt))
            logger.error("%s: parked %s: %r", self.name, _at(place, record), error)

    def _wait_for(self, error: Exception) -> None:
        if not self.waiting_for:
            logger.warning("%s: waiting: %r", self.name, error)
        self.waiting_for = repr(error)


class Effective:
    """Which records count (docs/fenced-log.md, rule 2), wherever a stream resumes.

    Faust may resume before the last claim it has seen, so one current claim is not enough: a record is judged by the
    claim in force at its own offset. Claims are rare, so remembering them costs nothing per record.
    The table is a cache, restored as of any moment: it knows no further than its last entry. What lies between there
    and the first record is read from the log, which is the truth; a mark now and then keeps that way short.
    """

    def __init__(self, log: Log, claims: Claims) -> None:
        self._log, self._claims = log, claims
        self._complete: set[Place] = set()

    def resume(self) -> None:
        """Others may have read on in the meantime."""
        self._complete.clear()

    async def counts(self, place: Place, record: Record) -> bool:
        """Whether a record is effective; remembers it if it is a claim."""
        key = str_of(place)
        known = self._claims.get(key) or [NOBODY]
        if known[0][0] > record.offset:
            known = [NOBODY]
            self._complete.discard(place)
        if place not in self._complete:
            known = self._claims[key] = await self._read(place, known, record)
            self._complete.add(place)
        _, epoch, writer = next(claim for claim in reversed(known) if claim[0] <= record.offset)
        fence = Fence(record.offset, epoch, writer)
        verdict = fence.judge(record.offset, record.headers)
        ahead = record.offset - known[-1][0]
        if (verdict is Verdict.CLAIM and ahead > 0) or ahead >= MARKED:
            kept = known[:-1] if known[-1][1:] in [claim[1:] for claim in known[-2:-1]] else known  # the last mark
            self._claims[key] = [*kept, [record.offset, fence.epoch, fence.writer]][-REMEMBERED:]
        return verdict is Verdict.EFFECTIVE

    async def _read(self, place: Place, known: list[list[Any]], record: Record) -> list[list[Any]]:
        """What is known, and all claims from there up to a record, from the log."""
        at, epoch, writer = known[-1]
        fence, found = Fence(at + 1, epoch, writer), list(known)
        async for records in scan(self._log, place, fence.next, record.offset):
            found += [
                [each.offset, fence.epoch, fence.writer]
                for each in records
                if fence.judge(each.offset, each.headers) is Verdict.CLAIM
            ]
        logger.info("%s: %d claims read again from the log", str_of(place), len(found) - len(known))
        return found[-REMEMBERED:]


React = Callable[[Event], Sequence[Command]]
Flush = Callable[[Sequence[Row]], Awaitable[None]]
Clock = Callable[[], datetime]


def utc_now() -> datetime:
    return datetime.now(UTC)


TOLD = (events("order"), events("payment"), events("user"))
"""Whose events customers are told of; what little they are told of products, a reactor hears (workers/process.py)."""


class Notify(Agent):
    """Sends the commands that events of other contexts ask for; `react` says which, as the reaction tables do.

    Commands go through the log's own producer, which is idempotent as Faust's is not, and every one is awaited: a
    command that is sent again has the same id and origin, and the context's writer drops it.
    """

    def __init__(
        self,
        log: Log,
        react: React,
        park: Park,
        topics: Sequence[str] = TOLD,
        target: str = commands("notification"),
        clock: Clock = utc_now,
        transient: tuple[type[Exception], ...] = (),
        name: str = "notification",
    ) -> None:
        super().__init__(log, topics, park, transient)
        self.name, self._react, self._target, self._clock = name, react, target, clock
        self._unsent: dict[int, list[Draft]] = {}

    def open(self, tables: Tables) -> None:
        """As Agent.open."""
        super().open(tables)
        self._unsent = {}

    async def handle(self, place: Place, offset: int, envelope: Envelope, event: Event) -> None:
        """Note each command, in order."""
        commands = self._react(event)
        if commands and tracing.on():
            envelope = reacted(self.name, place, offset, envelope, commands, time.time_ns())
        for index, command in enumerate(commands):
            one = asked(self.name, place, offset, index, envelope, command)
            told = replace(one.envelope, time=self._clock().isoformat())
            draft = Draft(command.stream, command_codec.encode(command), told.headers())
            self._unsent.setdefault(one.partition, []).append(draft)

    async def flush(self) -> None:
        """Send the commands; those of a partition in the order of their events."""
        await together(*(self._send(partition) for partition in list(self._unsent)))

    async def _send(self, partition: int) -> None:
        waiting = self._unsent[partition]
        while batch := next(iter(batches(waiting)), None):
            reach("agent.sending")
            await self.log.append(Place(self._target, partition), batch)
            reach("agent.sent")
            del waiting[: len(batch)]


class Statistics(Agent):
    """Counts orders and money per minute of event time, and hands the changed rows to `flush` every second."""

    def __init__(
        self,
        log: Log,
        flush: Flush,
        park: Park,
        topics: Sequence[str] = (events("order"), events("payment")),
        every_seconds: float = 1.0,
        transient: tuple[type[Exception], ...] = (),
        name: str = "statistics",
    ) -> None:
        super().__init__(log, topics, park, transient)
        self.name, self.pace, self._show = name, every_seconds, flush
        self._open: dict[tuple[str, float], Window] = {}
        self._unsaved: set[tuple[str, float]] = set()
        self._unshown: dict[tuple[str, float], Row] = {}

    def open(self, tables: Tables) -> None:
        """As Agent.open."""
        super().open(tables)
        self._windows = tables.windows

    def resume(self, places: frozenset[Place]) -> None:
        """As Agent.resume; every window that is still open is shown again, as a crash may have come before."""
        super().resume(places)
        ours = {str_of(place) for place in places}
        kept = {(source, start): window for source, start, window in self._windows.items() if source in ours}
        self._open = {key: msgspec.convert(window, Window) for key, window in kept.items()}
        self._unsaved = set()
        self._unshown |= {key: row_of(key[1], key[0], window) for key, window in self._open.items()}

    async def handle(self, place: Place, offset: int, envelope: Envelope, event: Event) -> None:
        """Count the event in its minute, once: a record that comes again is not above `upto`."""
        source, start = str_of(place), minute_of(envelope.at)
        window = self._open.get((source, start)) or Window()
        if offset <= window.upto or not window.add(event):
            return
        if (source, start) not in self._open and not self._has_room(source, start):
            return
        window.upto = offset
        self._open[source, start] = window
        self._unsaved.add((source, start))

    def _has_room(self, source: str, start: float) -> bool:
        """Make room for a new window; False if its time has passed, as a row begun anew would lack what it had."""
        starts = [each for key, each in self._open if key == source]
        oldest = max([start, *starts]) - RETAINED * MINUTE
        for each in starts:
            if each < oldest:
                del self._open[source, each]
                self._windows.drop(source, each)
        self._unsaved &= self._open.keys()
        return start >= oldest

    async def flush(self) -> None:
        """Save the changed windows, and show them; rows that were not taken are kept for the next time."""
        unsaved, self._unsaved = self._unsaved, set()
        for source, start in unsaved:
            window = self._open[source, start]
            self._windows.put(source, start, msgspec.to_builtins(window))
            self._unshown[source, start] = row_of(start, source, msgspec.convert(msgspec.to_builtins(window), Window))
        unshown, self._unshown = self._unshown, {}
        try:
            if unshown:
                await self._show(list(unshown.values()))
        except Exception as error:
            self._unshown = {**unshown, **self._unshown}
            logger.warning("%s: %d rows not flushed: %r", self.name, len(unshown), error)


class Stalled(Exception):
    """The stream stands still while its head moves on."""


class Watchdog:
    """Notices a consumer that has stopped without a word: its position stays although the head lies beyond."""

    def __init__(self, patience_seconds: float) -> None:
        self._patience = patience_seconds
        self._since: dict[Place, tuple[int, float]] = {}

    def look(self, lags: dict[Place, tuple[int, int]], now: float) -> None:
        """Take (position, head) of every place into account at a moment in seconds.

        Raises:
            Stalled: if one has not moved for too long.
        """
        seen = {place: at for place, at in self._since.items() if place in lags and lags[place][0] == at[0]}
        for place, (position, head) in lags.items():
            if position >= head:
                seen.pop(place, None)
            elif now - seen.setdefault(place, (position, now))[1] >= self._patience:
                raise Stalled(f"{str_of(place)} stands at {position}, the head is {head}")
        self._since = seen


def str_of(place: Place) -> str:
    """A place as one word, such as `order.events/3`."""
    return f"{place.topic}/{place.partition}"


def _at(place: Place, record: Record) -> str:
    return f"{str_of(place)}/{record.offset}"


def _why(error: Exception) -> str:
    """The bottom of a traceback: enough to find the line, and never the whole world."""
    return "".join(traceback.format_exception(error, limit=-3))[-4000:]
