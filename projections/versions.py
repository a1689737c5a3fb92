"""Versions are the tables of a context's read models: each read model may have several, and readers see the live one.

A version is a table of its own, such as `orders_v3`, made by some version of the projection's code. The live one stands
behind the read model's name, a database view. A version that is *joined* moves with the context's one checkpoint, as
most do: a batch is then one commit for all of them. Any other stands apart, with checkpoints of its own, and is brought
up by whoever builds it. To switch is to point the name elsewhere while no partition's checkpoint can move.
"""

import logging
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

from msgspec import Struct

from events.fence import Fence
from projections.postgres import Connection, Database, Lacking, extend
from projections.table import Table, table_of
from projections.view import Model, ddl, indexes, totals_table

logger = logging.getLogger(__name__)

LOCK = 7210
"""The advisory lock of those who change which tables there are."""

DDL = """
DO $$ BEGIN
  -- From before there were versions: all of it comes back from the log.
  IF to_regclass('checkpoints') IS NOT NULL AND to_regclass('view_versions') IS NULL THEN
    DROP TABLE checkpoints;
    DROP TABLE IF EXISTS orders, products, payments, users, notifications, history, outcomes, dead_letters;
  END IF;
END $$;
CREATE TABLE IF NOT EXISTS checkpoints (
  partition int PRIMARY KEY, next bigint NOT NULL, epoch bigint NOT NULL, writer text NOT NULL, ignored bigint NOT NULL,
  generation bigint NOT NULL DEFAULT 0
);
CREATE OR REPLACE FUNCTION move_checkpoints(steps json) RETURNS void LANGUAGE plpgsql AS $$
DECLARE moved int;
BEGIN
  UPDATE checkpoints AS c SET next = r.next, epoch = r.epoch, writer = r.writer, ignored = r.ignored
  FROM json_to_recordset(steps)
    AS r(partition int, before bigint, generation bigint, next bigint, epoch bigint, writer text, ignored bigint)
  WHERE c.partition = r.partition AND c.next = r.before AND c.generation = r.generation;
  GET DIAGNOSTICS moved = ROW_COUNT;
  IF moved <> json_array_length(steps) THEN
    RAISE serialization_failure USING MESSAGE = 'somebody else has moved a checkpoint';
  END IF;
END $$;
CREATE TABLE IF NOT EXISTS view_versions (
  name text NOT NULL, number int NOT NULL, code int NOT NULL, live boolean NOT NULL, joined boolean NOT NULL,
  state text NOT NULL, said text NOT NULL DEFAULT '', upto jsonb, made_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (name, number)
);
CREATE UNIQUE INDEX IF NOT EXISTS one_live_version ON view_versions (name) WHERE live;
CREATE TABLE IF NOT EXISTS view_positions (
  name text NOT NULL, number int NOT NULL, partition int NOT NULL, next bigint NOT NULL, epoch bigint NOT NULL,
  writer text NOT NULL, ignored bigint NOT NULL, goal bigint NOT NULL DEFAULT 0, rate double precision NOT NULL
  DEFAULT 0, seen_at timestamptz NOT NULL DEFAULT now(), PRIMARY KEY (name, number, partition)
);
CREATE TABLE IF NOT EXISTS parked_views (
  name text NOT NULL, number int NOT NULL, key text NOT NULL, partition int NOT NULL, position bigint NOT NULL,
  reason text NOT NULL, waiting bigint NOT NULL DEFAULT 0, at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (name, number, key)
);
"""

VERSIONS = """
SELECT v.*, coalesce((SELECT sum(waiting) + count(*) FROM parked_views AS p WHERE (p.name, p.number) = (v.name, v.number)),
  0)::bigint AS parked
FROM view_versions AS v ORDER BY name, number
"""  # noqa: E501
POSITIONS = """
SELECT name, number, partition, next, goal, rate, seen_at FROM view_positions ORDER BY name, number, partition
"""
PARKED = "SELECT * FROM parked_views WHERE name = %(name)s ORDER BY at, key"


class Version(Struct, frozen=True):
    """One version: its table's number and the version of the code that it is made by.

    state: `building`, `ready` (as far as its positions say), `joining` (a worker has its code), `paused`, `stopped` (by
    an event, see `said`), `refused` (its rows differ from the live ones) or `wrong` (they are not what its code makes
    of the log). upto: the offsets, by partition, at which it ends if it is not to come to the present.
    """

    name: str
    number: int
    code: int
    live: bool
    joined: bool
    state: str
    said: str
    upto: dict[str, int] | None
    made_at: datetime
    parked: int = 0

    @property
    def table(self) -> str:
        return f"{self.name}_v{self.number}"


class Unknown(Exception):
    """There is no such read model or version."""


class Refusal(Exception):
    """What was asked for would harm what readers see."""


class Versions:
    """The versions of one context's read models, of which this code can keep those in `models`."""

    def __init__(self, database: Database, models: Sequence[Model]) -> None:
        self.database = database
        self.models = {(model.name, model.version): model for model in models}
        self._installed = False

    def newest(self, name: str) -> Model:
        """The read model as this code has it.

        Raises:
            Unknown: it has none of that name.
        """
        found = [model for model in self.models.values() if model.name == name]
        if not found:
            raise Unknown(name)
        return max(found, key=lambda model: model.version)

    async def install(self) -> None:
        """Make a first version of what has none, where that can be joined: nothing has been read yet.

        One that the server cannot have yet is left out, and said: the others go on, and it can be rebuilt later.
        """
        if self._installed:
            return
        if {version.name for version in await self.all()} >= {name for name, _ in self.models}:
            self._installed = True
            return
        async with self.changing() as (connection, checkpoints):
            known = {version.name for version in await self.all(connection)}
            fresh = not any(fence.next for fence in checkpoints.values())
            for name in sorted({name for name, _ in self.models} - known) if fresh else ():
                try:
                    version = await self.make(connection, self.newest(name), live=True, joined=True)
                except Lacking as no:
                    logger.error("there is no read model %s for now: %s; then `orders projections rebuild %s`",
                                 name, no, name)  # fmt: skip
                    continue
                await self._finish(connection, version)
                await point(connection, version)
        self._installed = True

    async def all(self, connection: Connection | None = None) -> list[Version]:
        """Every version of every read model."""
        if connection is None:
            rows = await self.database.fetch(VERSIONS)
        else:
            rows = await (await connection.execute(VERSIONS)).fetchall()
        return [Version(**row) for row in rows]

    async def joined(self) -> list[Table]:
        """The tables that move with the context's checkpoint, as far as this code can keep them.

        What it cannot keep stands apart from here on, as far as it has come, until somebody builds it further.
        """
        tables, strange = await self._sorted()
        if strange:
            async with self.changing() as (connection, checkpoints):
                for version in strange:
                    await self.part(connection, version, checkpoints, "ready")
        return tables

    async def _sorted(self) -> tuple[list[Table], list[Version]]:
        async with self.database.transaction() as connection:
            await connection.execute("SELECT pg_advisory_xact_lock_shared(%s)", [LOCK])
            joined = [version for version in await self.all(connection) if version.joined]
            rows = await (await connection.execute("SELECT name, number, key FROM parked_views")).fetchall()
        known = [version for version in joined if (version.name, version.code) in self.models]
        tables = [
            table_of(
                self.models[version.name, version.code],
                version.table,
                [row["key"] for row in rows if (row["name"], row["number"]) == (version.name, version.number)],
            )
            for version in known
        ]
        return tables, [version for version in joined if version not in known]

    @asynccontextmanager
    async def changing(self) -> AsyncIterator[tuple[Connection, dict[int, Fence]]]:
        """A transaction in which no checkpoint moves and no other tables come or go; with the checkpoints.

        Whoever writes with the joined tables finds its generation gone afterwards, and looks again which they are.
        """
        async with self.database.transaction() as connection:
            await connection.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
            rows = await connection.execute("SELECT * FROM checkpoints ORDER BY partition FOR UPDATE")
            yield connection, fences(await rows.fetchall())
            await connection.execute("UPDATE checkpoints SET generation = generation + 1")

    @asynccontextmanager
    async def making(self) -> AsyncIterator[Connection]:
        """A transaction in which no other tables come or go, and which nobody who moves a checkpoint notices."""
        async with self.database.transaction() as connection:
            await connection.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
            yield connection

    async def make(self, connection: Connection, model: Model, *, live: bool = False, joined: bool = False) -> Version:
        """A new version: an empty table, without indexes but its key.

        Raises:
            Lacking: the server has not what it needs; nothing was made.
        """
        for extension in model.extensions:
            await extend(connection, extension)
        last = max((v.number for v in await self.all(connection) if v.name == model.name), default=0)
        state = "ready" if joined else "building"
        await connection.execute(
            "INSERT INTO view_versions (name, number, code, live, joined, state) VALUES (%s, %s, %s, %s, %s, %s)",
            [model.name, last + 1, model.version, live, joined, state],
        )
        version = next(v for v in await self.all(connection) if (v.name, v.number) == (model.name, last + 1))
        await connection.execute(ddl(model, version.table))
        return version

    async def _finish(self, connection: Connection, version: Version) -> None:
        for index in indexes(self.models[version.name, version.code], version.table):
            await connection.execute(index)

    async def index(self, version: Version) -> None:
        """Create a version's indexes, those that are not there yet."""
        async with self.database.transaction() as connection:
            await connection.execute("SET LOCAL maintenance_work_mem = '256MB'")
            for index in indexes(self.models[version.name, version.code], version.table):
                await connection.execute(index.replace("INDEX", "INDEX IF NOT EXISTS", 1))

    async def part(
        self, connection: Connection, version: Version, checkpoints: Mapping[int, Fence], state: str
    ) -> None:
        """Let a joined version stand apart, at these checkpoints."""
        await self._say(connection, version, joined=False, state=state)
        await put_positions(connection, version, checkpoints)

    async def join(self, connection: Connection, version: Version) -> None:
        """Let a version move with the context's checkpoint, which it has reached."""
        await self._say(connection, version, joined=True, state="ready")
        await connection.execute(
            "DELETE FROM view_positions WHERE (name, number) = (%s, %s)", [version.name, version.number]
        )

    async def switch(
        self, connection: Connection, version: Version, checkpoints: Mapping[int, Fence]
    ) -> Version | None:
        """Make a version that stands at these checkpoints the live one, and give back the one that was.

        If the running workers keep one of the same code, this one takes its place beside the others, and that one
        stands apart from here on. Otherwise they keep what they can, and this one waits for a worker with its code.
        """
        ours = [v for v in await self.all(connection) if v.name == version.name]
        former = next((v for v in ours if v.live), None)
        kept = next((v for v in ours if v.joined and v.code == version.code), None)
        mark = "UPDATE view_versions SET live = %s WHERE (name, number) = (%s, %s)"
        if former is not None:
            await connection.execute(mark, [False, former.name, former.number])
        await connection.execute(mark, [True, version.name, version.number])
        await self._say(connection, version, joined=version.joined, state="ready")
        await point(connection, version)
        if kept is not None and kept.number != version.number:
            await self.part(connection, kept, checkpoints, "ready")
            await self.join(connection, version)
        return former

    async def state(self, version: Version, state: str, said: str = "") -> None:
        """Note how a version stands, and why."""
        async with self.database.transaction() as connection:
            await self._say(connection, version, joined=version.joined, state=state, said=said)

    async def _say(self, connection: Connection, version: Version, *, joined: bool, state: str, said: str = "") -> None:
        await connection.execute(
            "UPDATE view_versions SET joined = %s, state = %s, said = %s WHERE (name, number) = (%s, %s)",
            [joined, state, said, version.name, version.number],
        )

    async def upto(self, connection: Connection, version: Version, ends: Mapping[int, int]) -> None:
        """Note that a version ends at these offsets."""
        await connection.execute(
            """UPDATE view_versions
               SET upto = (SELECT jsonb_object_agg(p, n) FROM unnest(%s::int[], %s::bigint[]) AS t(p, n))
               WHERE (name, number) = (%s, %s)""",
            [list(ends), list(ends.values()), version.name, version.number],
        )

    async def drop(self, version: Version) -> None:
        """Drop a version's table.

        Raises:
            Refusal: readers see it.
        """
        async with self.making() as connection:
            now = next(
                (v for v in await self.all(connection) if (v.name, v.number) == (version.name, version.number)), None
            )
            if now is None:
                return
            if now.live:
                raise Refusal(f"{now.table} is live: switch to another version first")
            await connection.execute(f"DROP TABLE {now.table}")
            await connection.execute(f"DROP TABLE IF EXISTS {totals_table(now.table)}")
            for event in ("inserted", "updated", "deleted"):
                await connection.execute(f"DROP FUNCTION IF EXISTS {now.table}_{event}()")
            for table in ("view_versions", "view_positions", "parked_views"):
                await connection.execute(
                    f"DELETE FROM {table} WHERE (name, number) = (%s, %s)",  # noqa: S608
                    [now.name, now.number],
                )


async def point(connection: Connection, version: Version) -> None:
    """Let the read model's name mean this version. Whoever reads is waited for, and waits, for a moment."""
    await connection.execute("SET LOCAL lock_timeout = '2s'")
    found = await connection.execute("SELECT to_regclass(%s) IS NOT NULL AS summed", [totals_table(version.table)])
    row = await found.fetchone()
    names = {version.name: version.table}
    if row and row["summed"]:
        names[totals_table(version.name)] = totals_table(version.table)
    for name in (version.name, totals_table(version.name)):
        await connection.execute(f"DROP VIEW IF EXISTS {name}")
    for name, table in names.items():
        await connection.execute(f"CREATE VIEW {name} AS SELECT * FROM {table}")  # noqa: S608


def fences(rows: Iterable[Mapping[str, Any]]) -> dict[int, Fence]:
    """Checkpoints by partition."""
    return {row["partition"]: Fence(row["next"], row["epoch"], row["writer"], row["ignored"]) for row in rows}


async def put_positions(connection: Connection, version: Version, checkpoints: Mapping[int, Fence]) -> None:
    """Write where a version that stands apart has come to."""
    for partition, fence in checkpoints.items():
        await connection.execute(
            """INSERT INTO view_positions (name, number, partition, next, epoch, writer, ignored, goal)
               VALUES (%s, %s, %s, %s, %s, %s, %s, %s) ON CONFLICT (name, number, partition) DO UPDATE SET
               next = excluded.next, epoch = excluded.epoch, writer = excluded.writer, ignored = excluded.ignored""",
            [version.name, version.number, partition, fence.next, fence.epoch, fence.writer, fence.ignored, fence.next],
        )
