"""Tables are one context's database in memory: what the projector's store and the snapshots ask of Postgres.

The store is the real one, on a connection that knows its statements. The snapshots are a twin of the real ones, which
do more of their thinking in SQL. Transactions commit at one moment; a statement sees what others have committed.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

import msgspec
from psycopg.errors import SerializationFailure

from projections import store
from projections.postgres import Database, DatabaseUnavailable
from projections.registry import PROJECTIONS
from projections.snapshots import ResumePoint, Snapshots
from projections.table import Keyed
from projections.view import Projection
from tests.first_versions import tables as first_tables
from tests.simulation.broker import Process
from tests.simulation.chance import Chance


class Row(NamedTuple):
    """A row of a read model."""

    view: Any
    version: int
    partition: int
    position: int


class Tables:
    """What is in one context's database."""

    def __init__(self, context: str) -> None:
        self.up = True
        self.forget_views(context)
        self.snapshots: dict[str, tuple[int, str, bool]] = {}
        self.points: dict[int, tuple[ResumePoint, int]] = {}
        self.resumed: Counter[int] = Counter()

    def __copy__(self) -> "Tables":
        kept = object.__new__(Tables)
        kept.views = {name: dict(rows) for name, rows in self.views.items()}
        kept.rows = {name: dict(rows) for name, rows in self.rows.items()}
        kept.checkpoints, kept.snapshots, kept.points = dict(self.checkpoints), dict(self.snapshots), dict(self.points)
        return kept

    def back_to(self, kept: "Tables") -> None:
        """What was committed since is gone; all of it, as there is one log of commits."""
        self.__dict__.update(kept.__dict__)

    def delete_snapshots(self, streams: Iterable[str]) -> None:
        """As the trigger on the table has it: where one is deleted, the resume point goes with it."""
        for stream in streams:
            partition, _, _ = self.snapshots.pop(stream)
            self.points.pop(partition, None)

    def forget_views(self, context: str) -> None:
        """All that the projector has written is gone."""
        self.views: dict[str, dict[str, Row]] = {projection.name: {} for projection in PROJECTIONS[context]}
        self.rows: dict[str, dict[Any, dict[str, Any]]] = {name: {} for name in KEYS}
        self.checkpoints: dict[int, dict[str, Any]] = {}


KEYS = {
    "history": ("partition", "position"),
    "outcomes": ("command_id", "again"),
    "dead_letters": ("partition", "position"),
    "prices": ("partition", "position"),
}
"""By what each journal tells its rows apart, those of one context alone included."""


class Line:
    """One process's way to a database, on which answers may get lost."""

    def __init__(self, tables: Tables, process: Process, chance: Chance) -> None:
        self.tables, self._process, self.chance = tables, process, chance

    async def reach(self) -> None:
        """A statement is on its way.

        Raises:
            DatabaseUnavailable: it does not arrive.
        """
        await self._process.awake()
        await asyncio.sleep(self.chance.delay())
        await self._process.awake()
        if self._process.cut or not self.tables.up or self.chance.happens("database refused"):
            raise DatabaseUnavailable("no connection")

    async def answered(self) -> None:
        """The answer comes back.

        Raises:
            DatabaseUnavailable: it does not; what was done is done.
        """
        if self.chance.happens("database unanswered"):
            raise DatabaseUnavailable("no answer")
        await asyncio.sleep(self.chance.delay())
        await self._process.awake()


class MemoryDatabase(Database):
    """The database as the store sees it."""

    def __init__(self, line: Line, context: str, projections: Sequence[Projection]) -> None:
        self._line = line
        made = first_tables(context, projections)
        keyed = [table for table in made if isinstance(table, Keyed)]
        self._upserts = {table.upsert: table.model for table in keyed}
        self._selects = {table._select: table.model for table in keyed}
        self._inserts = {table.upsert: table.model.name for table in made if not isinstance(table, Keyed)}

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Any]:
        """As Database.connection."""
        yield Connection(self._line, self._upserts, self._selects, self._inserts)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Any]:
        """As Database.transaction."""
        async with self.connection() as connection, connection.pipeline():
            yield connection

    async def fetch(self, statement: str, params: Mapping[str, Any] | None = None) -> list[dict[str, Any]]:
        """As Database.fetch; only checkpoints are asked for outside a transaction."""
        assert statement.startswith("SELECT * FROM checkpoints"), statement
        await self._line.reach()
        assert params
        return [dict(self._line.tables.checkpoints[p]) for p in params["p"] if p in self._line.tables.checkpoints]


class Connection:
    """A connection: the changes of a pipeline happen together, at its end."""

    def __init__(
        self,
        line: Line,
        upserts: Mapping[str, Projection],
        selects: Mapping[str, Projection],
        inserts: Mapping[str, str],
    ) -> None:
        self._line, self._upserts, self._selects, self._inserts = line, upserts, selects, inserts
        self.changes: list[Any] = []
        self._found: list[dict[str, Any]] = []

    @asynccontextmanager
    async def pipeline(self) -> AsyncIterator[None]:
        """As psycopg's; the statements of one pipeline arrive together here."""
        await self._line.reach()
        yield
        for change in self.changes:
            change()
        await self._line.answered()

    async def fetchall(self) -> list[dict[str, Any]]:
        """What the last statement has found."""
        return self._found

    async def execute(self, statement: str, params: Sequence[Any]) -> "Connection":
        """One of the store's statements."""
        tables = self._line.tables
        if projection := self._selects.get(statement):
            await self._line.reach()
            found = (tables.views[projection.name].get(key) for key in params[0])
            self._found = [msgspec.structs.asdict(row.view) for row in found if row]
        elif statement.startswith("INSERT INTO checkpoints"):
            nothing = {"next": 0, "epoch": 0, "writer": "", "ignored": 0, "generation": 0}
            self.changes.append(
                lambda: [tables.checkpoints.setdefault(p, {"partition": p, **nothing}) for p in params[0]]
            )
        elif statement == store.MOVE:
            self._move(msgspec.json.decode(params[0]))
        elif projection := self._upserts.get(statement):
            self._upsert(projection, msgspec.json.decode(params[0]))
        else:
            self._insert(self._inserts[statement], msgspec.json.decode(params[0]))
        return self

    def _move(self, steps: list[dict[str, Any]]) -> None:
        checkpoints = self._line.tables.checkpoints
        moved = [step for step in steps if checkpoints.get(step["partition"], {}).get("next") == step.pop("before")]
        self.changes += [lambda step=step: checkpoints.update({step["partition"]: step}) for step in moved]
        if len(moved) != len(steps):
            raise SerializationFailure

    def _upsert(self, projection: Projection, rows: list[dict[str, Any]]) -> None:
        table = self._line.tables.views[projection.name]
        for row in rows:
            place = row.pop("version"), row.pop("partition"), row.pop("position")
            kept = Row(msgspec.convert(row, projection.view), *place)
            self.changes.append(lambda key=row[projection.key], kept=kept: table.update({key: kept}))

    def _insert(self, name: str, rows: list[dict[str, Any]]) -> None:
        table = self._line.tables.rows[name]
        for row in rows:
            key = tuple(row[column] for column in KEYS[name])
            self.changes.append(lambda key=key, row=row: table.setdefault(key, row))


class MemorySnapshots(Snapshots):
    """The snapshots' twin."""

    def __init__(self, line: Line) -> None:
        self._line, self._tables = line, line.tables

    async def resume_point(self, partition: int) -> ResumePoint | None:
        """As Snapshots.resume_point."""
        await self._line.reach()
        point, aggregates = self._tables.points.get(partition, (None, -1))
        if aggregates != sum(p == partition for p, _, _ in self._tables.snapshots.values()):
            return None
        self._tables.resumed[partition] += 1
        return point

    async def forget(self, partition: int) -> None:
        """As Snapshots.forget: two statements, and others may come between."""
        await self._line.reach()
        self._tables.points.pop(partition, None)
        await self._line.reach()
        for stream in [stream for stream, row in self._tables.snapshots.items() if row[0] == partition]:
            del self._tables.snapshots[stream]
        await self._line.answered()

    async def pending(self, partition: int) -> dict[str, str]:
        """As Snapshots.pending."""
        await self._line.reach()
        return {s: entity for s, (p, entity, pending) in self._tables.snapshots.items() if p == partition and pending}

    async def load(self, partition: int, streams: Iterable[str], point: ResumePoint) -> dict[str, str] | None:
        """As Snapshots.load."""
        await self._line.reach()
        if not self._stands(partition, point):
            return None
        return {s: self._tables.snapshots[s][1] for s in streams if s in self._tables.snapshots}

    async def flush(
        self,
        partition: int,
        before: ResumePoint | None,
        after: ResumePoint,
        entities: Mapping[str, tuple[bytes, bool]],
    ) -> bool:
        """As Snapshots.flush."""
        await self._line.reach()
        if not (self._stands(partition, before) if before else partition not in self._tables.points):
            return False
        aggregates = self._tables.points[partition][1] if before else 0
        new = sum(stream not in self._tables.snapshots for stream in entities)
        self._tables.points[partition] = after, aggregates + new
        self._tables.snapshots |= {s: (partition, entity.decode(), todo) for s, (entity, todo) in entities.items()}
        await self._line.answered()
        return True

    def _stands(self, partition: int, point: ResumePoint) -> bool:
        found, _ = self._tables.points.get(partition, (None, 0))
        return found is not None and (found.next, found.writer) == (point.next, point.writer)
