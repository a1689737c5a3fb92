"""Broker is where the topics are; a client is one process's way there, on which anything may get lost or come late."""

import asyncio
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Protocol

from events.errors import Fenced, TooLarge, Truncated, Unavailable
from events.fence import CLAIM
from events.log import Draft, Place, Position, Record
from events.memory import MemoryLog
from events.topics import MAX_BATCH_BYTES
from tests.scenarios.world import now
from tests.simulation.chance import Chance

PATIENCE = 1.0
"""Seconds that a client waits for an answer."""

LATE = (1.0, 9.0)
"""Seconds after which a batch still arrives that its sender has given up."""

Answer = asyncio.Future[int]


class Process(Protocol):
    """Whose way it is; `cut` is whether it reaches nobody."""

    name: str
    cut: bool

    async def awake(self) -> None:
        """Go on when the process does; never if it is dead."""


class Broker:
    """The topics in memory, what is on its way to them, and who follows."""

    def __init__(self, chance: Chance) -> None:
        self.log, self.up, self.on_the_way = MemoryLog(), True, 0
        self.followers: defaultdict[Place, list[Follower]] = defaultdict(list)
        self.kept: defaultdict[str, list[dict[Place, Position]]] = defaultdict(list)
        self._chance = chance

    def send(self, sender: str, place: Place, drafts: Sequence[Draft], after: float, answer: Answer | None) -> None:
        """A batch is on its way: whatever becomes of its sender, it arrives so many seconds later."""
        self.on_the_way += 1
        asyncio.get_running_loop().call_later(after, self._arrived, sender, place, drafts, answer)

    def _arrived(self, sender: str, place: Place, drafts: Sequence[Draft], answer: Answer | None) -> None:
        self.on_the_way -= 1
        if not self.up:
            if answer:
                asyncio.get_running_loop().call_later(PATIENCE, _fail, answer)
            return
        base = self.write(sender, place, drafts)
        if answer:
            asyncio.get_running_loop().call_later(self._chance.delay(), _resolve, answer, base)

    def write(self, sender: str, place: Place, drafts: Sequence[Draft]) -> int:
        """A batch has arrived; the offset of its first record."""
        base = now(self.log.append(place, drafts))
        if self._chance.say:
            self._chance.say(f"{sender} wrote {place.topic}/{place.partition}/{base}: {_told(drafts)}")
        for follower in self.followers[place]:
            follower.wake()
        return base


class Client:
    """One process's log."""

    def __init__(self, broker: Broker, process: Process, chance: Chance) -> None:
        self.broker, self.process, self.chance = broker, process, chance

    async def append(self, place: Place, drafts: Sequence[Draft]) -> int:
        """As Log.append."""
        await self.process.awake()
        if sum(draft.size() for draft in drafts) > MAX_BATCH_BYTES:
            raise TooLarge
        if self.process.cut or self.chance.happens("append refused"):
            await self._wait(self.chance.delay())
            raise Unavailable("no connection")
        what = _kind(place, drafts)
        if self.chance.happens(f"{what} lost"):
            return await self._unanswered(place)
        if self.chance.happens(f"{what} late"):
            self.broker.send(self.process.name, place, drafts, self.chance.between(*LATE), None)
            return await self._unanswered(place)
        if self.chance.happens(f"{what} unacked"):
            self.broker.send(self.process.name, place, drafts, self.chance.delay(), None)
            return await self._unanswered(place)
        answer: Answer = asyncio.get_running_loop().create_future()
        self.broker.send(self.process.name, place, drafts, self.chance.delay(), answer)
        base = await answer
        await self.process.awake()
        if self.process.cut:
            return await self._unanswered(place)
        return base

    async def _unanswered(self, place: Place) -> int:
        await self._wait(PATIENCE)
        raise Fenced(f"{place}: nobody knows")

    async def _wait(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
        await self.process.awake()

    async def _ask(self, fault: str) -> None:
        """A question and its answer, or none."""
        await self.process.awake()
        await self._wait(self.chance.delay())
        if self.process.cut or not self.broker.up or self.chance.happens(fault):
            await self._wait(0.2)
            raise Unavailable("no answer")

    async def bounds(self, place: Place) -> tuple[int, int]:
        """As Log.bounds."""
        await self._ask("bounds broken")
        return now(self.broker.log.bounds(place))

    async def reader(self, positions: Mapping[Place, int]) -> "Follower":
        """As Log.reader."""
        await self._ask("read broken")
        return Follower(self, dict(positions))

    async def committed(self, group: str) -> dict[Place, Position]:
        """As Log.committed; it may be what the group kept some time ago, or nothing."""
        await self._ask("bounds broken")
        kept = self.broker.kept[group]
        if not kept or self.chance.happens("positions old"):
            return dict(self.chance.one_of([{}, *kept]))
        return dict(kept[-1])

    async def commit(self, group: str, positions: Mapping[Place, Position]) -> None:
        """As Log.commit."""
        await self._ask("position lost")
        kept = self.broker.kept[group]
        kept.append({**(kept[-1] if kept else {}), **positions})
        if self.chance.happens("position unacked"):
            raise Unavailable("no answer")


class Follower:
    """A reader. Batches are cut anywhere."""

    def __init__(self, client: Client, positions: dict[Place, int]) -> None:
        self._client, self._broker, self._positions = client, client.broker, positions
        self._news: asyncio.Future[None] | None = None
        for place in positions:
            self._broker.followers[place].append(self)

    def wake(self) -> None:
        """Something has been written."""
        if self._news and not self._news.done():
            self._news.set_result(None)

    async def batch(self, max_records: int = 500, timeout: float = 1.0) -> dict[Place, list[Record]]:
        """As Reader.batch."""
        process, chance = self._client.process, self._client.chance
        await process.awake()
        if chance.happens("read broken"):
            await self._wait(0.2)
            raise Unavailable("connection lost")
        if not self._behind() and not await self._wait(timeout):
            return {}
        await asyncio.sleep(chance.delay())
        await process.awake()
        if process.cut or not self._broker.up:
            await self._wait(timeout)
            return {}
        return self._take(chance.random.randint(1, 3) if chance.maybe(0.2) else max_records)

    def _behind(self) -> bool:
        records = self._broker.log.records
        return any(len(records[place]) > at for place, at in self._positions.items())

    async def _wait(self, seconds: float) -> bool:
        """Whether there is news before so many seconds are over."""
        loop = asyncio.get_running_loop()
        self._news = news = loop.create_future()
        timer = loop.call_later(seconds, self.wake)
        try:
            await news
        finally:
            timer.cancel()
        return self._behind()

    def _take(self, limit: int) -> dict[Place, list[Record]]:
        found = {}
        for place, start in self._positions.items():
            if start > len(self._broker.log.records[place]):
                raise Truncated(f"{place} does not reach {start}")
            if records := self._broker.log.records[place][start : start + limit]:
                found[place] = records
                self._positions[place] = records[-1].offset + 1
        return found

    async def position(self, place: Place) -> int:
        """The offset of the next record of a place."""
        return self._positions[place]

    def seek(self, place: Place, offset: int) -> None:
        """As Reader.seek."""
        self._positions[place] = offset

    async def close(self) -> None:
        """As Reader.close."""
        for place in self._positions:
            if self in self._broker.followers[place]:
                self._broker.followers[place].remove(self)


def _kind(place: Place, drafts: Sequence[Draft]) -> str:
    if place.topic.endswith(".commands"):
        return "command"
    return "claim" if ("ce_type", CLAIM.encode()) in drafts[0].headers else "commit"


def _told(drafts: Sequence[Draft]) -> str:
    told = []
    for draft in drafts:
        headers = dict(draft.headers)
        said = [headers.get(name, b"").decode(errors="replace") for name in ("ce_type", "epoch", "origin")]
        told.append(" ".join(filter(None, (said[0], draft.key, said[1] and f"epoch {said[1]}", said[2]))))
    return "; ".join(told)


def _resolve(answer: Answer, base: int) -> None:
    if not answer.done():
        answer.set_result(base)


def _fail(answer: Answer) -> None:
    if not answer.done():
        answer.set_exception(Fenced("nobody knows"))
