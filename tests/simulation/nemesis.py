"""Nemesis is what goes wrong, planned from the seed: with processes, brokers, databases, and the world outside."""

import asyncio
from collections.abc import Awaitable, Callable
from copy import copy
from functools import partial
from typing import Protocol

from events import topics
from events.log import Draft, Place
from tests.simulation.broker import Broker
from tests.simulation.chance import LITTLE, Chance
from tests.simulation.group import Group
from tests.simulation.node import Node
from tests.simulation.tables import Tables

STORMS = {
    "acks": [what for what in LITTLE if what.startswith(("commit", "claim", "append"))],
    "commands": [what for what in LITTLE if what.startswith(("command", "position"))],
    "reads": [what for what in LITTLE if what.startswith(("read", "bounds"))],
    "provider": [what for what in LITTLE if what.startswith("provider")],
    "mail": [what for what in LITTLE if what.startswith("mail")],
    "databases": [what for what in LITTLE if what.startswith("database")],
}
Act = Callable[[], Awaitable[None]]
MONEY = {"authorize", "capture", "void", "refund"}


class Town(Protocol):
    """What can be harmed."""

    chance: Chance
    broker: Broker
    names: tuple[str, ...]
    nodes: dict[str, Node]
    groups: dict[str, Group]
    tables: dict[str, Tables]
    poison: list[tuple[Place, int]]

    def begin(self, name: str) -> None:
        """Start a process of this name, in place of the last."""


class Nemesis:
    """A run's misfortunes."""

    def __init__(self, town: Town, until: float) -> None:
        self._town, self._chance, self._until = town, town.chance, until
        self.acts: dict[str, tuple[int, Act]] = {
            "brokers down": (1, self._outage),
            "clock put": (1, self._clock),
            "cut off": (1, self._cut),
            "database crashed": (1, self._database_crash),
            "database down": (1, self._database_down),
            "killed": (3, self._kill),
            "paused": (2, self._pause),
            "poison": (1, self._poison),
            "positions deleted": (1, self._positions_forgotten),
            "rebalanced": (1, self._rebalance),
            "snapshots spoiled": (1, self._snapshots_spoiled),
            "stopped": (1, self._stop),
            "stranger": (1, self._stranger),
            "views deleted": (1, self._views_lost),
            **{f"storm on {name}": (1, partial(self._storm, name)) for name in STORMS},
        }

    async def strike(self) -> None:
        """Do all that is planned, each at its time, and mend it later."""
        names = self._chance.weather or sorted(self.acts)
        weights = [self.acts[name][0] for name in names]
        few, many = (4, 7) if self._chance.weather else (2, 9)
        chosen = self._chance.random.choices(names, weights, k=self._chance.random.randint(few, many))
        await asyncio.gather(*(self._later(self.acts[name][1]) for name in chosen))

    async def _later(self, act: Act) -> None:
        await asyncio.sleep(self._chance.between(0.5, self._until))
        await act()

    def _node(self) -> Node:
        return self._chance.one_of(list(self._town.nodes.values()))

    def _context(self) -> str:
        return self._chance.one_of(self._town.names)

    async def _wait(self, low: float, high: float) -> None:
        await asyncio.sleep(self._chance.between(low, high))

    async def _kill(self) -> None:
        node = self._node()
        if node.dead:
            return
        busy = any(todo.step in MONEY for todo in node.todos())
        self._chance.count("killed with money under way" if busy else "killed", node.name)
        node.kill()
        await self._wait(0.1, 4)
        self._town.begin(node.name)

    async def _stop(self) -> None:
        node = self._node()
        if not (node.dead or node.paused):
            self._chance.count("stopped", node.name)
            await node.stop()
            await self._wait(0.1, 2)
            self._town.begin(node.name)

    async def _pause(self) -> None:
        node = self._node()
        if not node.dead:
            self._chance.count("paused", node.name)
            node.pause()
            await self._wait(0.5, 8)
            node.resume()

    async def _cut(self) -> None:
        node = self._node()
        if not node.dead:
            self._chance.count("cut off", node.name)
            node.cut_off()
            await self._wait(0.5, 6)
            node.cut = False

    async def _outage(self) -> None:
        self._chance.count("brokers down")
        self._town.broker.up = False
        await self._wait(0.3, 3)
        self._town.broker.up = True

    async def _storm(self, name: str) -> None:
        self._chance.count(f"storm on {name}")
        before = {what: self._chance.rates[what] for what in STORMS[name]}
        self._chance.rates.update({what: self._chance.one_of((0.0, 0.1, 0.4)) for what in before})
        await self._wait(0.5, 6)
        self._chance.rates.update(before)

    async def _rebalance(self) -> None:
        context = self._context()
        self._chance.count("rebalanced", context)
        for _ in range(self._chance.random.randint(1, 3)):
            self._town.groups[context].share_out()
            await self._wait(0, 0.3)

    async def _database_down(self) -> None:
        tables = self._town.tables[self._context()]
        self._chance.count("database down")
        tables.up = False
        await self._wait(0.3, 4)
        tables.up = True

    async def _database_crash(self) -> None:
        """Its last commits were not on the disk yet: synchronous_commit is off."""
        context = self._context()
        tables = self._town.tables[context]
        kept = copy(tables)
        await self._wait(0.05, 1)
        self._chance.count("database crashed", context)
        tables.back_to(kept)

    async def _snapshots_spoiled(self) -> None:
        context = self._context()
        tables, how = self._town.tables[context], self._chance.one_of(("all", "points", "some", "text"))
        self._chance.count("snapshots spoiled", f"{context}: {how}")
        if how == "points":
            tables.points.clear()
        if how in ("all", "some"):
            tables.delete_snapshots([stream for stream in tables.snapshots if how == "all" or self._chance.maybe(0.3)])
        if how == "text":
            tables.snapshots = {stream: (row[0], "[]", row[2]) for stream, row in tables.snapshots.items()}

    async def _views_lost(self) -> None:
        context = self._context()
        self._chance.count("views deleted", context)
        self._town.tables[context].forget_views(context)

    async def _positions_forgotten(self) -> None:
        group = self._chance.one_of(["stream", *(f"{name}.reactions" for name in self._town.names)])
        self._chance.count("positions deleted", group)
        self._town.broker.kept[group].clear()

    async def _stranger(self) -> None:
        """Somebody writes into the history: its owner has to look at what that is, and no reader takes it in."""
        place = Place(topics.events(self._context()), self._chance.random.randrange(topics.PARTITIONS))
        self._chance.count("stranger", f"{place.topic}/{place.partition}")
        headers = self._chance.one_of(([], [("ce_type", b"order.placed.v1")], [("epoch", b"one"), ("writer", b"\xff")]))
        self._town.broker.write("a stranger", place, [Draft("stranger", b"{", headers)])

    async def _poison(self) -> None:
        place = Place(topics.commands(self._context()), self._chance.random.randrange(topics.PARTITIONS))
        self._chance.count("poison", f"{place.topic}/{place.partition}")
        offset = self._town.broker.write("a stranger", place, [Draft("order-x", b"\x00\xff{", [])])
        self._town.poison.append((place, offset))

    async def _clock(self) -> None:
        node = self._node()
        node.skew = self._chance.between(-8, 8)
        self._chance.count("clock put", f"{node.name} {node.skew:+.3f} s")
