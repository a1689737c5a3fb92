"""Stream is what Faust does for an agent: records in order per partition, from where they were acked, at least once.

The agent is the real one. Faust's table is a copy that is restored wherever the stream resumes; it may be of another
moment than the acks, as its changelog and they are kept apart.
"""

import asyncio
from collections.abc import Sequence
from copy import deepcopy
from functools import partial
from typing import Any, NamedTuple, Protocol

from events.errors import LogError
from events.event import Event
from events.log import Place, Position, Reader
from schemas.values import Command
from tests.simulation.broker import Client
from tests.simulation.chance import Chance
from tests.simulation.clock import now
from tests.simulation.group import Group, Process
from workers.agents import Held, Notify, Parked, Windows
from workers.policy import Reaction

NAME = "stream"
ACKED_EVERY = 1.0

Claims = dict[str, list[list[Any]]]


class Tables(NamedTuple):
    """The agent's state."""

    claims: Claims
    windows: Windows


class NoWindows:
    """A table that is not used."""

    def get(self, source: str, start: float) -> None:
        """Nothing."""

    def put(self, source: str, start: float, window: dict[str, Any]) -> None:
        """Nothing."""

    def drop(self, source: str, start: float) -> None:
        """Nothing."""

    def items(self) -> Any:
        """Nothing."""
        return iter(())


class Changelog(Protocol):
    """Where tables are kept."""

    claims: list[Claims]


class Stream:
    """The stream of one process, for the context of notifications."""

    def __init__(
        self, changelog: Changelog, group: Group, process: Process, client: Client, reactions: Sequence[Reaction]
    ) -> None:
        def react(event: Event) -> list[Command]:
            return [command for row in reactions if type(event) is row.event for command in row.react(event)]

        self._changelog, self._group, self._process, self._client = changelog, group, process, client
        self._chance: Chance = client.chance
        self._agent = Notify(client, react, _never, clock=now)
        self._task: asyncio.Task[None] | None = None

    async def run(self) -> None:
        """Take part until cancelled."""
        try:
            await self._group.join(self._process, self._assigned)
        finally:
            await self._assigned(frozenset())

    async def _assigned(self, partitions: frozenset[int]) -> None:
        if self._task:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None
        if partitions:
            self._task = asyncio.create_task(self._run(partitions))

    async def _run(self, partitions: frozenset[int]) -> None:
        while True:
            try:
                await self._follow([Place(topic, p) for topic in self._agent.topics for p in partitions])
            except LogError:
                await asyncio.sleep(0.5)

    async def _follow(self, places: list[Place]) -> None:
        kept = await self._client.committed(NAME)
        claims = deepcopy(self._chance.one_of([self._changelog.claims[-1], *self._changelog.claims[-3:]]))
        self._agent.open(Tables(claims, NoWindows()))
        self._agent.resume(frozenset(places))
        positions = {place: kept[place].offset if place in kept else 0 for place in places}
        reader = await self._client.reader(positions)
        beside = asyncio.create_task(self._agent.background())
        try:
            await self._read(reader, claims, positions)
        finally:
            beside.cancel()
            await asyncio.gather(beside, return_exceptions=True)
            await reader.close()

    async def _read(self, reader: Reader, claims: Claims, positions: dict[Place, int]) -> None:
        loop = asyncio.get_running_loop()
        noted = loop.time()
        while True:
            for place, records in (await reader.batch(50, timeout=ACKED_EVERY)).items():
                for record in records:
                    await self._agent.settle(place, record, _ours)
                    acked = partial(positions.__setitem__, place, record.offset + 1)
                    self._agent.hold(Held(place, record.offset, _ours, acked))
            if loop.time() - noted >= ACKED_EVERY:
                self._changelog.claims.append(deepcopy(claims))
                await self._client.commit(NAME, {place: Position(at, "") for place, at in positions.items()})
                noted = loop.time()


def _ours() -> bool:
    return True


async def _never(parked: Parked) -> None:
    raise AssertionError(f"{parked} makes sense")
