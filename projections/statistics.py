"""Statistics rows are what the live windows add up to, per minute and source partition, for the API to serve."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from projections.postgres import Database


class Figure(NamedTuple):
    """One figure of one minute and source partition; `upto` is the last offset that it counts."""

    minute: datetime
    source: str
    name: str
    currency: str
    upto: int
    value: int


async def keep(database: Database, figures: Sequence[Figure]) -> None:
    """Write figures; each is a total, so the one that counts further wins, however often it comes.

    Raises:
        DatabaseUnavailable: nothing was written.
    """
    async with database.transaction() as connection, connection.cursor() as cursor:
        await cursor.executemany(
            """INSERT INTO statistics AS s VALUES (%s, %s, %s, %s, %s, %s)
               ON CONFLICT (minute, source, name, currency) DO UPDATE
               SET upto = excluded.upto, value = excluded.value WHERE s.upto <= excluded.upto""",
            figures,
        )
