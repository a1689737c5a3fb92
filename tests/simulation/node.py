"""Node is one process of the system: some contexts on the real workers' code, and what befalls the process."""

import asyncio
from collections.abc import Iterator
from contextvars import copy_context
from typing import Protocol

from msgspec.structs import replace

from aggregates.decider import Todo
from events.hub import Hub
from events.log import Log
from projections.registry import PROJECTIONS
from projections.store import Store
from schemas.settings import Settings
from tests.first_versions import FirstVersions
from tests.scenarios.till import Till
from tests.simulation.bank import Bank, Mailbox, Post
from tests.simulation.broker import Broker, Client
from tests.simulation.chance import Chance
from tests.simulation.clock import PROCESS, now
from tests.simulation.group import Group
from tests.simulation.stream import Claims, Stream
from tests.simulation.tables import Line, MemoryDatabase, MemorySnapshots, Tables
from workers.compose import parts_of
from workers.context import Assign, Context, Parts


class Outside(Protocol):
    """What all processes share."""

    chance: Chance
    settings: Settings
    broker: Broker
    till: Till
    mailbox: Mailbox
    unwilling: set[str]
    forgetful: set[str]
    groups: dict[str, Group]
    tables: dict[str, Tables]
    claims: list[Claims]
    snapshots: bool
    hubs: bool
    streams: bool


class Node:
    """`name` stays over a restart; a node lives once."""

    def __init__(self, outside: Outside, name: str, contexts: tuple[str, ...]) -> None:
        self.name, self.names = name, contexts
        self.cut = self.dead = self.paused = False
        self.skew = 0.0
        self._outside, self._resumed = outside, asyncio.Event()
        self._client = Client(outside.broker, self, outside.chance)
        self.log: Log = Hub(self._client) if outside.hubs else self._client
        bank = Bank(outside.till, outside.unwilling, outside.forgetful, self, outside.chance)
        parts = parts_of(outside.settings, bank, Post(outside.mailbox, self, outside.chance))
        self.streams: list[Stream] = []
        self.contexts = {each: self._context(parts[each]) for each in contexts}
        self.tasks: list[asyncio.Task[None]] = []

    def _context(self, parts: Parts) -> Context:
        name = parts.decider.context
        if name == "notification" and self._outside.streams:
            group = self._outside.groups["stream"]
            self.streams.append(Stream(self._outside, group, self, self._client, parts.reactions))
            parts = replace(parts, reactions=())
        line = Line(self._outside.tables[name], self, self._outside.chance)
        projections = PROJECTIONS[name]
        database = MemoryDatabase(line, name, projections)
        store = Store(database, name, projections, FirstVersions(name, projections))
        snapshots = MemorySnapshots(line) if self._outside.snapshots else None

        async def join(assign: Assign) -> None:
            await self._outside.groups[name].join(self, assign)

        return Context(self.log, parts, join, store, snapshots, 0.4, now)

    def start(self) -> None:
        """Begin."""
        self._say("starts")
        inside = copy_context()
        inside.run(PROCESS.set, self)
        loop = asyncio.get_running_loop()
        services: list[Context | Stream] = [*self.contexts.values(), *self.streams]
        self.tasks = [loop.create_task(service.run(), context=inside) for service in services]

    async def awake(self) -> None:
        """Go on when the process does; never if it is dead."""
        while self.paused:
            await self._resumed.wait()
        if self.dead:
            raise asyncio.CancelledError

    def kill(self) -> None:
        """It does nothing more; what it has sent is on its way."""
        self._say("is killed")
        self.dead = True
        self.resume()
        self._unheard()
        for task in self.tasks:
            task.cancel()

    async def stop(self) -> None:
        """It ends in due form."""
        self._say("stops")
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)
        self.dead = True

    def pause(self) -> None:
        """It stands still, and does not know it."""
        self._say("is paused")
        self.paused = True
        self._resumed.clear()
        self._unheard()

    def resume(self) -> None:
        """It goes on."""
        self.paused = False
        self._resumed.set()

    def cut_off(self) -> None:
        """It reaches nobody, and nobody it."""
        self._say("is cut off")
        self.cut = True
        self._unheard()

    def _unheard(self) -> None:
        for group in self._outside.groups.values():
            group.watch(self)

    def _say(self, what: str) -> None:
        if self._outside.chance.say:
            self._outside.chance.say(f"{self.name} {what}")

    def todos(self) -> Iterator[Todo]:
        """What is asked of the world outside, or about to be."""
        for context in self.contexts.values():
            for tenure in context.writer.tenures.values():
                for entity in tenure.repository.entities.values():
                    yield from tenure.repository.decider.todos(entity.state)
