"""Snapshots that are written while somebody empties their table: one waits for the other, and not each for each."""

import asyncio

import pytest

from projections.postgres import Database
from projections.registry import COMMON
from projections.snapshots import ResumePoint, Snapshots
from tests.system.house import wait_until

pytestmark = [pytest.mark.anyio, pytest.mark.infra]

BLOCKED = "SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"


async def empty(database: Database) -> None:
    async with database.connection() as connection:
        await connection.execute("TRUNCATE snapshots")


async def test_a_flush_and_a_truncate_do_not_wait_for_each_other(postgres: str) -> None:
    database = Database(postgres, "snapshots", size=5)
    await database.create(COMMON)
    snapshots, first, second = Snapshots(database), ResumePoint(1, 1, "w", b""), ResumePoint(2, 1, "w", b"")

    async def blocked(count: int) -> bool:
        return len(await database.fetch(BLOCKED)) == count

    try:
        await snapshots.flush(0, None, first, {"order-1": (b"{}", False)})
        async with database.transaction() as connection:
            await connection.execute("SELECT FROM resume_points FOR UPDATE")
            flush = asyncio.create_task(snapshots.flush(0, first, second, {"order-1": (b"{}", False)}))
            await wait_until(lambda: blocked(1), 10, "the flush waits for its resume point")
            emptied = asyncio.create_task(empty(database))
            await wait_until(lambda: blocked(2), 10, "who empties the table waits")

        assert await flush
        await emptied
        assert await snapshots.resume_point(0) is None
    finally:
        await database.close()
