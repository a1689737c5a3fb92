"""A connection whose pipeline failed is not used again: psycopg takes for prepared what the server has skipped."""

import psycopg
import pytest

from projections.postgres import Connection, Database

pytestmark = [pytest.mark.anyio, pytest.mark.infra]

OFTEN = 5
"""How many times psycopg sends a statement before it prepares it."""


async def ask(connection: Connection, *before: str) -> None:
    async with connection.pipeline():
        for statement in before:
            await connection.execute(statement)
        await connection.execute("SELECT %(number)s::int", {"number": 1})


async def test_what_was_to_be_prepared_in_a_pipeline_that_failed_can_be_asked_again(postgres: str) -> None:
    database = Database(postgres, "connections", size=1)
    await database.create("")
    try:
        for _ in range(OFTEN):
            async with database.connection() as connection:
                await ask(connection)
        with pytest.raises(psycopg.errors.DivisionByZero):
            async with database.connection() as connection:
                await ask(connection, "SELECT 1 / 0")
        async with database.connection() as connection:
            await ask(connection)
    finally:
        await database.close()
