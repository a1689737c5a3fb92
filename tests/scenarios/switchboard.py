"""Switchboard is a log that tests can disturb: commands sent twice, acks lost, a word at the right moment."""

from collections.abc import Awaitable, Callable, Mapping, Sequence

from aggregates.stage import Incoming
from events.errors import Fenced, Unavailable
from events.log import Draft, Log, Place, Position, Reader
from workers.inbox import Inbox, Receipt

Then = Callable[[], Awaitable[object]]


class Switchboard:
    """A log before another.

    twice: every batch of commands is appended, or handed over, twice. far: reactions go over the topic, as if their
    writers were in another process. lost_acks: so many commits are written, and nobody hears of it.
    failures: so many commits are not written.
    """

    def __init__(self, log: Log) -> None:
        self.log = log
        self.twice = self.far = False
        self.lost_acks = 0
        self.failures = 0
        self._moments: dict[tuple[str, str], Then] = {}
        self._at_it = 0

    @property
    def waiting(self) -> bool:
        """Whether a word is still to be said: others may see a moment in the log before we do."""
        return bool(self._moments or self._at_it)

    def forget(self) -> None:
        """What is not said by now never will be."""
        self._moments.clear()

    def at(self, tag: str, correlation: str, then: Then) -> None:
        """Do something, once, right after an event of this type and correlation is recorded."""
        self._moments[tag, correlation] = then

    async def append(self, place: Place, drafts: Sequence[Draft]) -> int:
        """As Log.append."""
        if place.topic.endswith(".commands"):
            return await self._append_commands(place, drafts)
        if self.failures:
            self.failures -= 1
            raise Unavailable("scripted failure")
        base = await self.log.append(place, drafts)
        for draft in drafts:
            await self._moment(dict(draft.headers))
        if self.lost_acks:
            self.lost_acks -= 1
            raise Fenced("scripted loss of an ack")
        return base

    async def _append_commands(self, place: Place, drafts: Sequence[Draft]) -> int:
        base = await self.log.append(place, drafts)
        if self.twice:
            await self.log.append(place, drafts)
        return base

    async def _moment(self, headers: Mapping[str, bytes]) -> None:
        moment = headers["ce_type"].decode(), headers.get("correlation", b"").decode()
        if then := self._moments.pop(moment, None):
            self._at_it += 1
            try:
                await then()
            finally:
                self._at_it -= 1

    async def bounds(self, place: Place) -> tuple[int, int]:
        """As Log.bounds."""
        return await self.log.bounds(place)

    async def reader(self, positions: Mapping[Place, int]) -> Reader:
        """As Log.reader."""
        return await self.log.reader(positions)

    async def committed(self, group: str) -> dict[Place, Position]:
        """As Log.committed."""
        return await self.log.committed(group)

    async def commit(self, group: str, positions: Mapping[Place, Position]) -> None:
        """As Log.commit."""
        await self.log.commit(group, positions)


class Door(Inbox):
    """An inbox behind a switchboard, for reactions."""

    def __init__(self, inbox: Inbox, board: Switchboard) -> None:
        self._inbox, self._board = inbox, board

    @property
    def partitions(self) -> frozenset[int]:  # type: ignore[override]
        """As Inbox.partitions."""
        return frozenset() if self._board.far else self._inbox.partitions

    async def put(self, partition: int, incoming: Sequence[Incoming]) -> Receipt:
        """As Inbox.put."""
        receipt = await self._inbox.put(partition, incoming)
        return await self._inbox.put(partition, incoming) if self._board.twice else receipt

    def check(self) -> None:
        """As Inbox.check."""
        self._inbox.check()
