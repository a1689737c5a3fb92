"""Rebuild fills a version of a read model from the log beside the live one, proves it, and lets readers see it.

It reads the log by readers of no group, folds with `project`, and writes to the new version's own tables: there is
nothing here by which a mail could be sent, a card charged or a command given, so no replay can do it. Where it stands
is committed with the rows; whatever ends it, the next one goes on from there.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextlib import asynccontextmanager

from msgspec import Struct

from events import topics
from events.errors import Truncated
from events.fence import Fence
from events.log import Log
from projections.build import Build
from projections.reading import history
from projections.recorded import Step
from projections.table import Fault
from projections.versions import Version, Versions, fences, put_positions
from projections.view import Model
from workers.together import together

CHUNK = 20_000
"""Records between two commits while far behind."""
NEAR = 2_000
"""Records behind at which what is left takes less than a moment."""
FAR = 100_000
"""Records behind from which on it pays to start processes beside this one."""

EVERY = tuple(range(topics.PARTITIONS))


class Stopped(Exception):
    """The rebuild cannot go on, and has kept what it had: the same command goes on from there."""


class Busy(Exception):
    """Somebody else builds this read model."""


class Progress(Struct, frozen=True):
    """How far a partition is: the next offset, the offset to reach, records a second, all that were read."""

    partition: int
    next: int
    goal: int
    rate: float
    read: int


Tell = Callable[[Progress], None]
Help = Callable[[Version, Mapping[int, int], Mapping[int, int], Tell], Awaitable[None]]
"""help(version, how far each partition is behind, the offsets to reach, tell): bring it forward, as far as it goes."""


class Pace:
    """At most so many records a second, over all partitions; without a rate, as fast as it goes.

    `chunk` is records between two commits, a second's worth at most: fewer of them write fewer rows twice.
    """

    def __init__(self, rate: float | None) -> None:
        self.rate, self._due = rate, time.monotonic()
        self.chunk = CHUNK if rate is None else max(200, min(CHUNK, int(rate)))

    async def spend(self, records: int) -> None:
        """Wait until so many more may have been read."""
        if self.rate:
            self._due = max(self._due, time.monotonic() - 0.5) + records / self.rate
            await asyncio.sleep(self._due - time.monotonic())


def nothing(_: Progress) -> None:
    """Tell nobody."""


class Rebuild:
    """The filling of one version."""

    def __init__(
        self, log: Log, versions: Versions, version: Version, pace: Pace, tell: Tell, helped: Help | None = None
    ) -> None:
        self._log, self._versions, self._pace, self._tell, self._help = log, versions, pace, tell, helped
        self._build = Build(versions, version)
        self._model = self._build.model
        self.version = version
        self.positions: dict[int, Fence] = {}
        self._began: dict[int, tuple[float, int]] = {}

    async def open(self) -> None:
        """Find out where it stands."""
        self.positions = await self._build.positions(EVERY)
        self._began = {p: (time.monotonic(), fence.next) for p, fence in self.positions.items()}

    async def fill(self, upto: Mapping[int, int] | None = None) -> None:
        """Come close to the live checkpoint, or to these offsets exactly; then make the indexes.

        Raises:
            Stopped: an event cannot be taken in, or history is missing.
        """
        while True:
            goals = upto or await self.live()
            behind = {p: goal - self.positions[p].next for p, goal in goals.items()}
            if self._help and sum(behind.values()) > FAR:
                await self._help(self.version, behind, goals, self._tell)
                await self.open()
            await self.advance(goals)
            if upto or sum(behind.values()) < NEAR:
                break
        await self._versions.index(self.version)

    async def live(self) -> dict[int, int]:
        """The context's checkpoint: a version is never built further than what the live ones have."""
        rows = await self._versions.database.fetch("SELECT * FROM checkpoints")
        found = fences(rows)
        return {p: found[p].next if p in found else 0 for p in EVERY}

    async def advance(self, goals: Mapping[int, int]) -> None:
        """Come to these offsets: all partitions beside each other, or at a rate one after the other.

        Raises:
            Stopped: as fill().
        """
        try:
            if self._pace.rate:  # one core's work at a time: the other is for those who read
                for partition, goal in goals.items():
                    await self._advance(partition, goal)
            else:
                await together(*(self._advance(p, goal) for p, goal in goals.items()))
        except Fault as fault:
            await self._versions.state(self.version, "stopped", fault.reason)
            raise Stopped(str(fault)) from fault
        except Truncated as gap:
            await self._versions.state(self.version, "stopped", f"history is missing: {gap}")
            raise Stopped(f"history is missing: {gap}") from gap

    async def _advance(self, partition: int, goal: int) -> None:
        since = self.positions[partition]
        async for step in history(self._log, self._model, partition, since, goal, self._pace.chunk):
            try:
                await self._write(step, goal)
            except Fault as fault:
                # What comes before the event that cannot be taken in is kept: after a fix, that one is the first.
                async for part in history(self._log, self._model, partition, step.before, fault.position, CHUNK):
                    await self._write(part, goal)
                raise
            await self._pace.spend(step.after.next - step.before.next)

    async def _write(self, step: Step, goal: int) -> None:
        began, start = self._began[step.partition]
        read = step.after.next - start
        rate = read / max(time.monotonic() - began, 0.001)
        await self._build.apply(step, goal, rate)
        self.positions[step.partition] = step.after
        self._tell(Progress(step.partition, step.after.next, goal, rate, read))


@asynccontextmanager
async def building(versions: Versions, model: Model, patience: float = 0) -> AsyncIterator[None]:
    """The right to build a read model, for one at a time; `patience` is how many seconds it is waited for.

    Raises:
        Busy: somebody else has it.
    """
    deadline = time.monotonic() + patience
    while True:
        async with versions.database.alone(f"{model.context}.{model.name}") as alone:
            if alone:
                yield
                return
        if time.monotonic() >= deadline:
            raise Busy(f"somebody else builds {model.name} just now; `orders projections list` shows how far it is")
        await asyncio.sleep(0.1)


async def begun(versions: Versions, model: Model, again: bool, accept: bool = False) -> tuple[Version, bool]:
    """The version to fill, and whether it was begun earlier: one that is unfinished, or a new one.

    Only the newest is gone on with, and one that was refused for its rows by those alone who accept them.
    """
    states = ("building", "stopped", "refused") if accept else ("building", "stopped")
    newest = max((v for v in await versions.all() if v.name == model.name), key=lambda v: v.number, default=None)
    apart = newest is not None and not (newest.live or newest.joined or newest.upto)
    if newest and apart and not again and newest.code == model.version and newest.state in states:
        await versions.state(newest, "building")
        return newest, True
    async with versions.making() as connection:
        return await versions.make(connection, model), False


async def switch(rebuild: Rebuild, versions: Versions) -> Version | None:
    """Let readers see this version, which is close; the one that they saw is given back.

    For as long as this takes, some milliseconds, nobody's checkpoint moves: so this one stands where the others do.
    """
    await rebuild.advance(await rebuild.live())
    async with versions.changing() as (connection, checkpoints):
        await rebuild.advance({p: fence.next for p, fence in checkpoints.items()})
        return await versions.switch(connection, rebuild.version, checkpoints)


async def rejoin(rebuild: Rebuild, versions: Versions) -> None:
    """Let a version that is close move with the context's checkpoint again."""
    await rebuild.advance(await rebuild.live())
    async with versions.changing() as (connection, checkpoints):
        await rebuild.advance({p: fence.next for p, fence in checkpoints.items()})
        await versions.join(connection, rebuild.version)


async def stand_apart(versions: Versions, version: Version) -> None:
    """Let a joined version stand where it is: readers see it as of now."""
    async with versions.changing() as (connection, checkpoints):
        await versions.part(connection, version, checkpoints, "paused")


async def copied(versions: Versions, model: Model, but: Iterable[int]) -> Version:
    """A new version with the live one's rows and checkpoints of all partitions but these, which begin from nothing."""
    left = list(but)
    async with versions.changing() as (connection, checkpoints):
        live = next(v for v in await versions.all(connection) if v.name == model.name and v.live)
        made = await versions.make(connection, model)
        columns = ", ".join(model.columns)
        await connection.execute(
            f"INSERT INTO {made.table} ({columns}) SELECT {columns} FROM {live.table} WHERE partition <> ALL(%s)",  # noqa: S608
            [left],
        )
        await put_positions(connection, made, {p: f for p, f in checkpoints.items() if p not in left})
        return made
