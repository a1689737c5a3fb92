"""Snapshots are a cache of a partition's fold in Postgres: aggregates, and the resume point they belong to.

Nothing here is a truth: delete it, and the owner reads its partition from the start.
"""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from projections.postgres import Database


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
        """Where the partition's snapshots stand."""
        rows = await self._database.fetch(
            "SELECT next, epoch, writer, handled FROM resume_points WHERE partition = %(p)s", {"p": partition}
        )
        return ResumePoint(**rows[0]) if rows else None

    async def pending(self, partition: int) -> dict[str, bytes]:
        """The aggregates that leave something to be done."""
        rows = await self._database.fetch(
            "SELECT stream, entity FROM snapshots WHERE partition = %(p)s AND pending", {"p": partition}
        )
        return {row["stream"]: row["entity"] for row in rows}

    async def load(self, streams: Iterable[str]) -> dict[str, bytes]:
        """Those of the aggregates that there are."""
        rows = await self._database.fetch(
            "SELECT stream, entity FROM snapshots WHERE stream = ANY(%(streams)s)", {"streams": list(streams)}
        )
        return {row["stream"]: row["entity"] for row in rows}

    async def flush(self, partition: int, point: ResumePoint, entities: Mapping[str, tuple[bytes, bool]]) -> bool:
        """Write changed aggregates (encoded, pending or not) with their resume point; False if a later one is there.

        The comparison keeps a former owner, awake again, from putting old states over new ones.
        """
        async with self._database.transaction() as connection:
            moved = await connection.execute(
                """INSERT INTO resume_points AS r VALUES (%s, %s, %s, %s, %s)
                   ON CONFLICT (partition) DO UPDATE SET next = excluded.next, epoch = excluded.epoch,
                     writer = excluded.writer, handled = excluded.handled
                   WHERE r.next <= excluded.next AND r.epoch <= excluded.epoch""",
                [partition, point.next, point.epoch, point.writer, point.handled],
            )
            if not moved.rowcount:
                return False
            streams = list(entities)
            await connection.execute(
                """INSERT INTO snapshots
                   SELECT stream, %s, entity, pending FROM unnest(%s::text[], %s::bytea[], %s::bool[])
                     AS t(stream, entity, pending)
                   ON CONFLICT (stream) DO UPDATE SET entity = excluded.entity, pending = excluded.pending""",
                [partition, streams, [entities[s][0] for s in streams], [entities[s][1] for s in streams]],
            )
            return True
