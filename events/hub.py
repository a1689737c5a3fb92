"""Hub is a log whose readers share consumers, one a topic: what many of them follow is fetched and unpacked once.

A reader that begins behind the others first catches up by itself, up to the place where the hub was when it joined;
from there on the hub hands it what it reads. A reader that does not keep up is let go of, and joins again later.
One consumer for all topics would be fewer still, but every fetch names all its partitions, and Python spells them out.
"""

import asyncio
import contextlib
import logging
import time
from collections import deque
from collections.abc import Mapping, Sequence

from events.errors import LogError, Truncated, Unavailable
from events.log import Draft, Log, Place, Position, Reader, Record
from events.sweep import Sweep, sweep

logger = logging.getLogger(__name__)

LONGEST_PAUSE = {"events": 0.5, "commands": 0.05}
"""Seconds between two fetches of a topic that brings nothing but what this process has written, by the topic's kind.

Events come from elsewhere only when a partition has changed hands; commands also come from the API.
"""

PATIENCE = 20_000
"""Records that may wait for one reader before the hub lets go of it."""


class Hub:
    """As the log it stands on, but for its readers."""

    def __init__(self, log: Log) -> None:
        self._log = log
        self._feeds: dict[str, Feed] = {}

    async def append(self, place: Place, drafts: Sequence[Draft]) -> int:
        """As Log.append; once it is written, those here who follow the place have it without a fetch."""
        base = await self._log.append(place, drafts)
        if feed := self._feeds.get(place.topic):
            feed.written(place, base, drafts)
        return base

    async def bounds(self, place: Place) -> tuple[int, int]:
        """As Log.bounds."""
        return await self._log.bounds(place)

    async def committed(self, group: str) -> dict[Place, Position]:
        """As Log.committed."""
        return await self._log.committed(group)

    async def commit(self, group: str, positions: Mapping[Place, Position]) -> None:
        """As Log.commit."""
        await self._log.commit(group, positions)

    async def reader(self, positions: Mapping[Place, int]) -> "Member":
        """As Log.reader."""
        for place, position in positions.items():
            first, end = await self._log.bounds(place)
            if not first <= position <= end:
                raise Truncated(f"{place} has {first} to {end}, not {position}")
        return Member(self, dict(positions))

    async def sweep(self, place: Place, start: int) -> Sweep:
        """As Sweeps.sweep: who reads history shares with nobody."""
        return await sweep(self._log, place, start)

    async def private(self, positions: Mapping[Place, int]) -> Reader:
        """A reader that shares with nobody."""
        return await self._log.reader(positions)

    def feeds(self, member: "Member") -> list["Feed"]:
        """The feeds of the topics that a reader follows."""
        topics = sorted({place.topic for place in member.positions})
        return [self._feeds.setdefault(topic, Feed(self._log, topic)) for topic in topics]


class Feed:
    """One topic's consumer, for all who follow the topic."""

    def __init__(self, log: Log, topic: str) -> None:
        self._log, self._topic = log, topic
        self._members: set[Member] = set()
        self._next: dict[Place, int] = {}
        self._ahead: set[Place] = set()
        self._task: asyncio.Task[None] | None = None
        self._changing = asyncio.Lock()

    async def join(self, member: "Member") -> None:
        """Hand this reader every record from our place on; what lies before, it reads itself."""
        async with self._changing:
            try:
                places = [place for place in member.positions if place.topic == self._topic]
                if missing := [place for place in places if place not in self._next]:
                    await self._stop()
                    for place in missing:
                        self._next[place] = (await self._log.bounds(place))[1]
                for place in places:
                    member.joined[place] = max(self._next[place], member.positions[place])
                self._members.add(member)
            finally:
                self._begin()

    async def leave(self, member: "Member") -> None:
        """Hand this reader nothing any more; a place that nobody follows is not read."""
        self.let_go(member)
        async with self._changing:
            followed = {place for other in self._members for place in other.positions}
            if set(self._next) - followed:
                try:
                    await self._stop()
                    self._next = {place: at for place, at in self._next.items() if place in followed}
                finally:
                    self._begin()

    def let_go(self, member: "Member") -> None:
        """Hand this reader nothing any more, for now."""
        self._members.discard(member)

    def _begin(self) -> None:
        if self._task is None and self._members:
            self._task = asyncio.create_task(self._run())

    async def _stop(self) -> None:
        # Whoever leaves may be cancelled while the consumer closes: the others must not wait for a feed that has ended.
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    def written(self, place: Place, base: int, drafts: Sequence[Draft]) -> None:
        """Hand out what this process has just written, if nothing lies between it and what was handed out before."""
        if self._next.get(place) == base:
            now = int(time.time() * 1000)
            records = [
                Record(offset, draft.key.encode(), draft.value, dict(draft.headers), now)
                for offset, draft in enumerate(drafts, base)
            ]
            self._hand_out(place, records)
            self._ahead.add(place)

    def _hand_out(self, place: Place, records: list[Record]) -> None:
        self._next[place] = records[-1].offset + 1
        for member in list(self._members):
            member.take(place, records)

    async def _run(self) -> None:
        try:
            reader = await self._log.reader(self._next)
            try:
                await self._follow(reader)
            finally:
                await reader.close()
        except Exception as error:
            if self._task is not asyncio.current_task():
                return  # another has taken our place
            if not isinstance(error, LogError):
                logger.exception("the feed of %s ends", self._topic)
            self._task, self._next = None, {}
            members, self._members = self._members, set()
            for member in members:
                member.lost(error if isinstance(error, LogError) else Unavailable(repr(error)))

    async def _follow(self, reader: Reader) -> None:
        pause, longest = 0.0, LONGEST_PAUSE.get(self._topic.rpartition(".")[2], 0.05)
        while True:
            # What we have handed out ourselves need not be unpacked again; and while all that comes is our own,
            # there is no hurry to fetch the next of it.
            for place in self._ahead & self._next.keys():  # nobody may follow it any more
                reader.seek(place, self._next[place])
            self._ahead.clear()
            news = False
            for place, records in (await reader.batch(2000)).items():
                if new := [record for record in records if record.offset >= self._next[place]]:
                    self._hand_out(place, new)
                    news = True
            pause = 0.0 if news else min(max(2 * pause, 0.002), longest)
            await asyncio.sleep(pause)


class Member:
    """One of a hub's readers; `positions` are the offsets that it hands out next."""

    def __init__(self, hub: Hub, positions: dict[Place, int]) -> None:
        self._hub, self.positions = hub, positions
        self._own: Reader | None = None
        self.joined: dict[Place, int] = {}
        self._waiting: deque[tuple[Place, list[Record]]] = deque()
        self._count = 0
        self._more = asyncio.Event()
        self._member, self._behind = False, True
        self._fault: LogError | None = None

    async def batch(self, max_records: int = 500, timeout: float = 1.0) -> dict[Place, list[Record]]:
        """As Reader.batch."""
        if self._fault:
            raise self._fault
        if self._behind:
            return await self._catch_up(max_records, timeout)
        if not self._waiting:
            if not self._member:
                await self._begin_again()
                return {}
            self._more.clear()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._more.wait(), timeout)
            if self._fault:
                raise self._fault
        return self._taken(max_records)

    def seek(self, place: Place, offset: int) -> None:
        """As Reader.seek."""
        self.positions[place] = offset
        self._waiting.clear()
        self._count = 0
        self._member, self._behind = False, True

    async def position(self, place: Place) -> int:
        """As Reader.position."""
        return self.positions[place] if self._own is None else await self._own.position(place)

    async def close(self) -> None:
        """As Reader.close."""
        await self._leave()
        await self._drop_own()

    def take(self, place: Place, records: list[Record]) -> None:
        """The hub has read these."""
        if place not in self.positions or not self._member:
            return
        if records[0].offset < (start := self.joined[place]):
            records = [record for record in records if record.offset >= start]
        if records:
            self._waiting.append((place, records))
            self._count += len(records)
            self._more.set()
        if self._count > PATIENCE:
            for feed in self._hub.feeds(self):
                feed.let_go(self)
            self._member = False

    def lost(self, fault: LogError) -> None:
        """The hub can read no more."""
        self._fault = fault
        self._more.set()

    async def _catch_up(self, max_records: int, timeout: float) -> dict[Place, list[Record]]:
        if not self._member:
            await self._drop_own()
            self._member = True
            for feed in self._hub.feeds(self):
                await feed.join(self)
        if all(at >= self.joined[place] for place, at in self.positions.items()):
            self._behind = False
            await self._drop_own()
            return self._taken(max_records)
        if self._own is None:
            self._own = await self._hub.private(self.positions)
        found = await self._own.batch(max_records, timeout)
        before = {
            place: [record for record in records if record.offset < self.joined[place]]
            for place, records in found.items()
        }
        return self._noted({place: records for place, records in before.items() if records})

    async def _begin_again(self) -> None:
        """We did not keep up, and have now handed out what had been read for us: catch up by ourselves."""
        self._behind = True
        await self._leave()

    async def _leave(self) -> None:
        for feed in self._hub.feeds(self):
            await feed.leave(self)

    async def _drop_own(self) -> None:
        if self._own is not None:
            await self._own.close()
            self._own = None

    def _taken(self, max_records: int) -> dict[Place, list[Record]]:
        found: dict[Place, list[Record]] = {}
        count = 0
        while self._waiting and count < max_records:
            place, records = self._waiting.popleft()
            if len(records) > (room := max_records - count):
                self._waiting.appendleft((place, records[room:]))
                records = records[:room]
            found.setdefault(place, []).extend(records)
            count += len(records)
        self._count -= count
        return self._noted(found)

    def _noted(self, found: dict[Place, list[Record]]) -> dict[Place, list[Record]]:
        for place, records in found.items():
            self.positions[place] = records[-1].offset + 1
        return found
