"""Snapshots are a cache of a partition's fold in Postgres: aggregates, and the resume point they belong to.

Nothing here is a truth: delete it, and the owner reads its partition from the start. What is left of it must then not
be taken for the whole: a resume point counts its aggregates, every use of one checks that it is still the same, and a
trigger lets none outlive a deletion of its aggregates.
"""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from msgspec import json

from events.failpoints import reach
from projections.postgres import Connection, Database


class ResumePoint(NamedTuple):
    """Where a fold stands: the next offset, the claim in force there, and the inputs handled (encoded)."""

    next: int
    epoch: int
    writer: str
    handled: bytes


class Snapshots:
    """The snapshots of one context."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def resume_point(self, partition: int) -> ResumePoint | None:
        """Where the partition's snapshots stand; None if there are none, or not all of them."""
        rows = await self._database.fetch(
            """SELECT next, epoch, writer, handled FROM resume_points
               WHERE partition = %(p)s AND aggregates = (SELECT count(*) FROM snapshots WHERE partition = %(p)s)""",
            {"p": partition},
        )
        return ResumePoint(**rows[0]) if rows else None

    async def forget(self, partition: int) -> None:
        """Delete what there is of a partition."""
        async with self._database.transaction() as connection:
            await connection.execute("DELETE FROM resume_points WHERE partition = %s", [partition])
            await connection.execute("DELETE FROM snapshots WHERE partition = %s", [partition])

    async def drop(self) -> int:
        """Delete all there is, and say how many; owners find out at their next load or flush."""
        async with self._database.transaction() as connection:
            await connection.execute("DELETE FROM resume_points")
            return (await connection.execute("DELETE FROM snapshots")).rowcount

    async def pending(self, partition: int) -> dict[str, str]:
        """The aggregates that leave something to be done."""
        rows = await self._database.fetch(
            "SELECT stream, entity::text FROM snapshots WHERE partition = %(p)s AND pending", {"p": partition}
        )
        return {row["stream"]: row["entity"] for row in rows}

    async def load(self, partition: int, streams: Iterable[str], point: ResumePoint) -> dict[str, str] | None:
        """Those of the aggregates that there are; None if the resume point is not `point` any more."""
        rows = await self._database.fetch(
            """SELECT stream, entity::text FROM resume_points AS r
               LEFT JOIN snapshots AS s ON s.stream = ANY(%(streams)s)
               WHERE r.partition = %(p)s AND r.next = %(next)s AND r.writer = %(writer)s""",
            {"p": partition, "streams": list(streams), "next": point.next, "writer": point.writer},
        )
        return {row["stream"]: row["entity"] for row in rows if row["stream"]} if rows else None

    async def flush(
        self,
        partition: int,
        before: ResumePoint | None,
        after: ResumePoint,
        entities: Mapping[str, tuple[bytes, bool]],
    ) -> bool:
        """Write changed aggregates (as JSON, pending or not) with their resume point, all or nothing.

        False if the resume point is not `before` any more: somebody else owned the partition in the meantime, or
        somebody deleted it, and then the changed ones alone would not be the whole.
        """
        async with self._database.transaction() as connection:
            # The table before its resume point, as TRUNCATE takes them: else each would wait for the other.
            await connection.execute("LOCK TABLE snapshots IN ROW EXCLUSIVE MODE")
            if not await self._move(connection, partition, before, after):
                return False
            # One JSON document for all is many times cheaper to hand over than arrays or rows.
            document = b",".join(
                b'{"s":%b,"e":%b,"p":%b}' % (json.encode(stream), entity, b"true" if pending else b"false")
                for stream, (entity, pending) in entities.items()
            )
            written = await connection.execute(
                """INSERT INTO snapshots
                   SELECT s, %s, e, p FROM json_to_recordset(%s::json) AS t(s text, e json, p bool)
                   ON CONFLICT (stream) DO UPDATE SET entity = excluded.entity, pending = excluded.pending
                   RETURNING (xmax = 0) AS new""",
                [partition, (b"[%b]" % document).decode()],
            )
            new = sum(row["new"] for row in await written.fetchall())
            await connection.execute(
                "UPDATE resume_points SET aggregates = aggregates + %s WHERE partition = %s", [new, partition]
            )
            reach("snapshot.committing")
            return True

    async def _move(
        self, connection: Connection, partition: int, before: ResumePoint | None, after: ResumePoint
    ) -> bool:
        values: list[Any] = [after.next, after.epoch, after.writer, after.handled, partition]
        if before is None:
            moved = await connection.execute(
                """INSERT INTO resume_points (next, epoch, writer, handled, partition) VALUES (%s, %s, %s, %s, %s)
                   ON CONFLICT DO NOTHING""",
                values,
            )
        else:
            moved = await connection.execute(
                """UPDATE resume_points SET next = %s, epoch = %s, writer = %s, handled = %s
                   WHERE partition = %s AND next = %s AND writer = %s""",
                [*values, before.next, before.writer],
            )
        return bool(moved.rowcount)
