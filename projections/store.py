"""Store applies a batch of recorded events to one context's read models, in one transaction with the checkpoint."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from msgspec import json, structs
from psycopg.errors import SerializationFailure

from events.failpoints import reach
from events.fence import Fence
from projections.journals import journals
from projections.postgres import Connection, Database
from projections.recorded import Step
from projections.table import Keyed, Table
from projections.versions import Versions, fences
from projections.view import Projection


class Moved(Exception):
    """Somebody else has moved the checkpoint, or changed which tables move with it: read it again."""


class Store:
    """The read models of one context; for one projector at a time, as it remembers what it has written."""

    def __init__(
        self, database: Database, context: str, projections: Sequence[Projection], versions: Versions | None = None
    ) -> None:
        self._database = database
        self.versions = versions or Versions(database, (*projections, *journals(context)))
        self._tables: list[Table] = []
        self._generations: dict[int, int] = {}

    async def checkpoints(self, partitions: Iterable[int]) -> dict[int, Fence]:
        """How far each partition has been read, with the claim in force there. What was remembered is forgotten."""
        asked = list(partitions)
        await self.versions.install()
        async with self._database.transaction() as connection:
            await connection.execute(
                "INSERT INTO checkpoints SELECT p, 0, 0, '', 0 FROM unnest(%s::int[]) AS p ON CONFLICT DO NOTHING",
                [asked],
            )
        # In this order: whoever changes the tables raises the generation with them, and we would see neither or both.
        kept = await self._kept(asked)
        self._tables = await self.versions.joined()
        return {partition: kept.get(partition, Fence()) for partition in asked}  # somebody may delete them right now

    async def check(self, checkpoints: Mapping[int, Fence]) -> None:
        """See that the checkpoints are these: a crash of the server may have taken the last of them, with their rows.

        Raises:
            Moved: they are not; ask for the checkpoints, and begin again.
            DatabaseUnavailable: nobody knows.
        """
        generations = self._generations
        if await self._kept(list(checkpoints)) != checkpoints or self._generations != generations:
            raise Moved

    async def _kept(self, partitions: list[int]) -> dict[int, Fence]:
        rows = await self._database.fetch("SELECT * FROM checkpoints WHERE partition = ANY(%(p)s)", {"p": partitions})
        self._generations = {row["partition"]: row["generation"] for row in rows}
        return fences(rows)

    async def apply(self, steps: Sequence[Step]) -> None:
        """Bring the read models from one checkpoint to the next: all partitions of it, or nothing.

        Raises:
            Moved: a checkpoint was not what its step begins with; ask for the checkpoints, and begin again.
            DatabaseUnavailable: nothing was changed; the same.
        """
        try:
            await self._apply(steps)
        except BaseException:
            for table in self._tables:
                table.forget()
            raise

    async def _apply(self, steps: Sequence[Step]) -> None:
        batch = [(step.partition, item) for step in steps for item in step.batch]
        async with self._database.connection() as connection:
            changes = [(table, await table.changed(connection, batch)) for table in self._tables]
            try:
                # One trip to the server for all of it: that is where a small batch's time goes. It is a transaction.
                async with connection.pipeline():
                    await self._move(connection, steps)
                    for table, changed in changes:
                        await _put(connection, table.upsert, [change.row for change in changed])
                    for table in self._tables:
                        if isinstance(table, Keyed) and (table.faults or table.waiting):
                            await _park(connection, table)
                    reach("view.committing")
            except SerializationFailure:
                raise Moved from None
        reach("view.committed")

    async def _move(self, connection: Connection, steps: Sequence[Step]) -> None:
        """Move the checkpoints, or fail with all that goes along.

        Its row lock makes two projectors of one partition take turns; the second then finds it moved.
        """
        rows = [
            {
                "partition": step.partition,
                "before": step.before.next,
                "generation": self._generations.get(step.partition, 0),
                **structs.asdict(step.after),
            }
            for step in steps
        ]
        await connection.execute(MOVE, [json.encode(rows).decode()])


MOVE = "SELECT move_checkpoints(%s::json)"


async def _put(connection: Connection, statement: str, rows: Sequence[Mapping[str, Any]]) -> None:
    """Hand over rows as one JSON document: many times cheaper than value by value."""
    if rows:
        await connection.execute(statement, [json.encode(rows).decode()])


async def _park(connection: Connection, table: Keyed) -> None:
    """Note which keys an event could not be taken into, and how many events wait behind it."""
    name, _, number = table.name.rpartition("_v")
    for fault in table.faults:
        await connection.execute(
            "INSERT INTO parked_views (name, number, key, partition, position, reason) VALUES (%s, %s, %s, %s, %s, %s)"
            " ON CONFLICT DO NOTHING",
            [name, int(number), fault.key, fault.partition, fault.position, fault.reason],
        )
    for key, count in table.waiting.items():
        await connection.execute(
            "UPDATE parked_views SET waiting = waiting + %s WHERE (name, number, key) = (%s, %s, %s)",
            [count, name, int(number), key],
        )
