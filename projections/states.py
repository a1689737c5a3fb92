"""States are what worker processes show of their memory: written on change and once a minute, and missed by nobody."""

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from projections.postgres import Database, DatabaseUnavailable

EVERY, AFRESH = 0.5, 60.0
"""Seconds between two looks at a state, and between two writes of one that stays."""

STATES = """
SELECT process, name, value, since, seen > now() - interval '3 minutes' AS fresh FROM worker_states
ORDER BY name, process
"""
_PUT = """
INSERT INTO worker_states VALUES (%(process)s, %(name)s, %(value)s, now(), now())
ON CONFLICT (process, name) DO UPDATE SET value = excluded.value, seen = excluded.seen,
  since = CASE WHEN worker_states.value = excluded.value THEN worker_states.since ELSE excluded.since END
"""
# What a process that was killed has left behind goes with the next one that ends in order.
_LEAVE = "DELETE FROM worker_states WHERE process = %(process)s OR seen < now() - interval '1 day'"


async def tell(database: Database, process: str, name: str, state: Callable[[], str]) -> None:
    """Keep the row of a process's state as the state is, until cancelled; then there is no row."""
    told, at = "", 0.0
    try:
        while True:
            now, moment = state(), time.monotonic()
            if (now != told or moment > at + AFRESH) and await _done(
                database, _PUT, process=process, name=name, value=now
            ):
                told, at = now, moment
            await asyncio.sleep(EVERY)
    finally:
        await _done(database, _LEAVE, process=process)


async def _done(database: Database, statement: str, **values: Any) -> bool:
    with suppress(DatabaseUnavailable):
        async with database.transaction() as connection:
            await connection.execute(statement, values)
        return True
    return False
