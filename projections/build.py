"""Build brings a version that stands apart up to date, batch by batch, each with its checkpoint in one transaction.

It writes to that version's own tables and to nothing else: what readers see cannot be touched by it.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from msgspec import json
from psycopg.types.json import set_json_dumps

from events.fence import Fence
from projections.postgres import Connection
from projections.recorded import Step
from projections.store import Moved
from projections.table import Table, table_of
from projections.versions import Version, Versions, fences

set_json_dumps(json.encode)

SEVERAL = 200
"""Fresh rows from which on they go by binary COPY, and not as a document."""

_TYPES = {"int": "int4", "bigint": "int8", "boolean": "bool", "double": "float8"}


class Build:
    """A version under construction."""

    def __init__(self, versions: Versions, version: Version) -> None:
        self.versions, self.version = versions, version
        self.model = versions.models[version.name, version.code]
        self._tables: dict[int, Table] = {}

    async def positions(self, partitions: Iterable[int]) -> dict[int, Fence]:
        """How far each partition has come. What was remembered is forgotten."""
        self._tables.clear()
        name, number = self.version.name, self.version.number
        async with self.versions.database.transaction() as connection:
            await connection.execute(
                """INSERT INTO view_positions (name, number, partition, next, epoch, writer, ignored)
                   SELECT %s, %s, p, 0, 0, '', 0 FROM unnest(%s::int[]) AS p ON CONFLICT DO NOTHING""",
                [name, number, list(partitions)],
            )
            found = await connection.execute(
                "SELECT * FROM view_positions WHERE (name, number) = (%s, %s)", [name, number]
            )
            return fences(await found.fetchall())

    async def apply(self, step: Step, goal: int, rate: float) -> int:
        """Bring one partition from one checkpoint to the next, and return how many rows were written.

        Raises:
            Fault: the projection's code raises; nothing was changed.
            Moved: somebody else builds this version, or has dropped it.
        """
        table = self._tables.get(step.partition)
        if table is None:
            table = self._tables[step.partition] = table_of(self.model, self.version.table)
        try:
            async with self.versions.database.connection() as connection:
                # Before the transaction, which would be idle meanwhile: who else has moved in between, is found out.
                changed = await table.changed(connection, ((step.partition, item) for item in step.batch))
                fresh = [change.row for change in changed if change.fresh]
                again = [change.row for change in changed if not change.fresh]
                if len(fresh) < SEVERAL:
                    fresh, again = [], fresh + again
                async with connection.transaction():
                    await self._move(connection, step, goal, rate)
                    await copy(connection, table, fresh)
                    if again:
                        await connection.execute(table.upsert, [json.encode(again).decode()])
        except BaseException:
            table.forget()
            raise
        return len(changed)

    async def _move(self, connection: Connection, step: Step, goal: int, rate: float) -> None:
        after = step.after
        moved = await connection.execute(
            """UPDATE view_positions SET next = %s, epoch = %s, writer = %s, ignored = %s, goal = %s, rate = %s,
               seen_at = now() WHERE (name, number, partition, next) = (%s, %s, %s, %s)""",
            [
                *(after.next, after.epoch, after.writer, after.ignored, goal, rate),
                *(self.version.name, self.version.number, step.partition, step.before.next),
            ],
        )
        if moved.rowcount != 1:
            raise Moved


async def copy(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Hand over rows that are not there yet, by binary COPY: the fastest way that there is."""
    if not rows:
        return
    kinds = [kind.split()[0] for kind in table.model.columns.values()]
    names = ", ".join(table.columns)
    async with (
        connection.cursor() as cursor,
        cursor.copy(f"COPY {table.name} ({names}) FROM STDIN (FORMAT BINARY)") as into,
    ):
        into.set_types([_TYPES.get(kind, kind) for kind in kinds])
        for row in rows:
            await into.write_row([row[column] for column in table.columns])
