"""Paper is a database that only writes down what it was asked, transaction by transaction."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import pairwise
from typing import Any


class Answer:
    """To every question: one row was changed, and none is found."""

    rowcount = 1

    async def fetchall(self) -> list[dict[str, Any]]:
        return []


class Connection:
    """One transaction."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    async def execute(self, statement: str, _: object = None) -> Answer:
        self.asked.append(statement)
        return Answer()

    @asynccontextmanager
    async def pipeline(self) -> AsyncIterator[None]:
        yield


class Paper:
    """`committed` are the transactions in the order of their ends, each as the tables that it has written to."""

    def __init__(self) -> None:
        self.committed: list[set[str]] = []

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Connection]:
        connection = Connection()
        yield connection
        self.committed.append({table for statement in connection.asked for table in written(statement)})

    transaction = connection


TABLES = ("checkpoints", "orders_v1", "history_v1", "resume_points", "snapshots")


def written(statement: str) -> list[str]:
    """The tables that a statement writes to."""
    if "move_checkpoints" in statement:
        return ["checkpoints"]
    words = statement.split()
    changed = [word for before, word in pairwise(words) if before in ("INTO", "UPDATE")]
    return [table for table in TABLES if table in changed]
