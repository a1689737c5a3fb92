"""Database is one context's Postgres: its tables, its questions, and transactions for those who fill it."""

import logging
import time
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from hashlib import sha256
from typing import Any

import psycopg
from psycopg import AsyncConnection, conninfo, sql
from psycopg.rows import DictRow, dict_row, tuple_row
from psycopg_pool import AsyncConnectionPool, PoolTimeout

logger = logging.getLogger(__name__)
logging.getLogger("psycopg.pool").setLevel(logging.ERROR)

Connection = AsyncConnection[DictRow]

CHECK_EVERY = 1.0
"""Seconds for which a connection is taken for alive; one round trip in three would go into asking, else."""

# A process that is stopped in mid-transaction must not hold up the one that takes over its partitions.
OPTIONS = "-c synchronous_commit=off -c idle_in_transaction_session_timeout=4000"


class DatabaseUnavailable(Exception):
    """The database cannot be reached now."""


class Senseless(Exception):
    """What a person has asked the database makes no sense to it; the message is the server's, with the place."""


class Lacking(Exception):
    """The server lacks an extension that a read model needs; the message names the way out."""


async def extend(connection: Connection, extension: str) -> None:
    """Have an extension in this database; those that come with Postgres (contrib) need no superuser.

    Raises:
        Lacking: the server does not have it, or we may not create it.
    """
    found = await connection.execute("SELECT FROM pg_extension WHERE extname = %s", [extension])
    if found.rowcount:
        return
    name = connection.info.dbname
    try:
        async with connection.transaction():
            await connection.execute(sql.SQL("CREATE EXTENSION IF NOT EXISTS {}").format(sql.Identifier(extension)))
    except (psycopg.errors.FeatureNotSupported, psycopg.errors.UndefinedFile):
        raise Lacking(
            f"this Postgres has no extension {extension}: install its contrib package (such as postgresql-contrib)"
        ) from None
    except psycopg.errors.InsufficientPrivilege:
        raise Lacking(
            f"we may not create the extension {extension}: let the owner of {name}, or a superuser, say "
            f"CREATE EXTENSION {extension} in it"
        ) from None


class _Checked(AsyncConnection[DictRow]):
    """A connection that knows when it was last seen alive, in seconds of the monotonic clock."""

    alive = 0.0


async def _check(connection: Connection) -> None:
    """Ask a connection for a sign of life before it is handed out, unless it gave one a moment ago."""
    if isinstance(connection, _Checked) and time.monotonic() - connection.alive > CHECK_EVERY:
        await AsyncConnectionPool.check_connection(connection)
        connection.alive = time.monotonic()


class Database:
    """The database `orderlog_<context>` on a server; `wait` is how many seconds a question waits for a connection."""

    def __init__(self, url: str, context: str, wait: float = 1.5, size: int = 6) -> None:
        self.context, self._server = context, url
        self._pool: AsyncConnectionPool[Connection] = AsyncConnectionPool(
            conninfo.make_conninfo(url, dbname=f"orderlog_{context}", connect_timeout=2),
            connection_class=_Checked,
            kwargs={"row_factory": dict_row, "autocommit": True, "options": OPTIONS},
            min_size=1,
            max_size=size,
            timeout=wait,
            open=False,
            reconnect_timeout=0,
            check=_check,
        )

    async def open(self) -> None:
        """Begin to connect; a server that is down is no error yet."""
        await self._pool.open(wait=False)

    async def close(self) -> None:
        """Let go of every connection."""
        await self._pool.close(timeout=2)

    async def create(self, ddl: str) -> None:
        """Create the database and its tables where they are missing.

        Raises:
            DatabaseUnavailable: the server cannot be reached.
        """
        name = f"orderlog_{self.context}"
        with _translated():
            async with await AsyncConnection.connect(self._server, autocommit=True, connect_timeout=2) as connection:
                found = await connection.execute("SELECT FROM pg_database WHERE datname = %s", [name])
                if not found.rowcount:
                    try:
                        await connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
                    except (psycopg.errors.DuplicateDatabase, psycopg.errors.UniqueViolation):
                        logger.info("%s was created by another process in the meantime", name)
        await self.open()
        mark = sha256(ddl.encode()).hexdigest()
        async with self.transaction() as connection:
            # Two processes that start at once would trip over each other's CREATE … IF NOT EXISTS.
            await connection.execute("SELECT pg_advisory_xact_lock(7210)")
            await connection.execute("CREATE TABLE IF NOT EXISTS installed (mark text PRIMARY KEY)")
            known = await connection.execute("SELECT FROM installed WHERE mark = %s", [mark])
            if not known.rowcount:  # even an index that exists would wait for whoever writes to its table
                await connection.execute(ddl)
                await connection.execute("INSERT INTO installed VALUES (%s)", [mark])

    async def fetch(self, query: str, parameters: Mapping[str, Any] | None = None) -> list[dict[str, Any]]:
        """The rows that answer a question.

        Raises:
            DatabaseUnavailable: the server cannot be reached.
        """
        with _translated():
            async with self._pool.connection() as connection:
                try:
                    found = await connection.execute(query, parameters or {})
                except psycopg.errors.FeatureNotSupported:
                    # A plan of before a switch to a version with other columns: this connection must make it anew.
                    await connection.execute("DEALLOCATE ALL")
                    found = await connection.execute(query, parameters or {})
                return await found.fetchall()

    async def ask(self, query: str, most: int) -> tuple[list[dict[str, Any]], bool]:
        """The first so many rows that answer a person's question, and whether there are more.

        The question is one statement and changes nothing.

        Raises:
            Senseless: it is not, does, or cannot be understood.
            DatabaseUnavailable: the server cannot be reached.
        """
        rows: list[dict[str, Any]] = []
        try:
            async with self.snapshot() as connection, connection.cursor(row_factory=tuple_row) as cursor:
                try:
                    async for row in cursor.stream(query.encode()):
                        if len(rows) == most:
                            return rows, True
                        names = apart(column.name for column in cursor.description or ())
                        rows.append(dict(zip(names, row, strict=True)))
                except _LATER as error:  # elsewhere, one that workers have yet to make
                    raise Senseless(_said(error, query)) from None
        except (psycopg.ProgrammingError, psycopg.DataError, psycopg.InternalError) as error:
            raise Senseless(_said(error, query)) from None
        return rows, False

    async def drop(self) -> None:
        """Let go of the database, and delete it, whoever is connected.

        Raises:
            DatabaseUnavailable: the server cannot be reached.
        """
        await self.close()
        with _translated():
            async with await AsyncConnection.connect(self._server, autocommit=True, connect_timeout=2) as connection:
                name = sql.Identifier(f"orderlog_{self.context}")
                await connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(name))

    def address(self) -> str:
        """What psql takes to connect; a password is left to the environment."""
        parts = conninfo.conninfo_to_dict(self._server)
        kept = {name: str(parts[name]) for name in ("host", "port", "user") if parts.get(name)}
        return conninfo.make_conninfo(**kept, dbname=f"orderlog_{self.context}")

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Connection]:
        """A connection on which every statement is a transaction, and so is every pipeline: all of it, or nothing.

        Where that fails the connection is let go: psycopg takes a statement for prepared that the server has skipped.

        Raises:
            DatabaseUnavailable: the server cannot be reached.
        """
        with _translated():
            async with self._pool.connection() as connection:
                try:
                    yield connection
                except BaseException:
                    await connection.close()
                    raise

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Connection]:
        """One transaction: all of it, or nothing.

        A read model commits together with its checkpoint and comes back from the log, so it need not wait for the
        disk (synchronous_commit=off): a crash of the server may take the last moments of both, never of one.

        Raises:
            DatabaseUnavailable: the server cannot be reached.
        """
        async with self.connection() as connection, connection.transaction():
            yield connection

    @asynccontextmanager
    async def snapshot(self) -> AsyncIterator[Connection]:
        """A transaction that sees the database as it is now for as long as it lasts, and changes nothing.

        Raises:
            DatabaseUnavailable: the server cannot be reached.
        """
        with _translated():
            async with self._pool.connection() as connection:
                await connection.execute("SET idle_in_transaction_session_timeout = 0")
                try:
                    async with connection.transaction():
                        await connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
                        yield connection
                finally:
                    if not connection.closed:
                        await connection.execute("RESET idle_in_transaction_session_timeout")

    @asynccontextmanager
    async def alone(self, name: str) -> AsyncIterator[bool]:
        """Whether nobody else does what this names; nobody else will, until the end. A lost connection lets go of it.

        Raises:
            DatabaseUnavailable: the server cannot be reached.
        """
        with _translated():
            async with self._pool.connection() as connection:
                row = await (await connection.execute(_ALONE, [name])).fetchone()
                alone = bool(row and row["alone"])
                try:
                    yield alone
                finally:
                    if alone and not connection.closed:
                        await connection.execute("SELECT pg_advisory_unlock(hashtextextended(%s, 7210))", [name])


async def named(url: str, beginning: str) -> list[str]:
    """The contexts, or what stands for one, of a server's databases `orderlog_<beginning>…`, in order.

    Raises:
        DatabaseUnavailable: the server cannot be reached.
    """
    with _translated():
        async with await AsyncConnection.connect(url, autocommit=True, connect_timeout=2) as connection:
            found = await connection.execute(
                "SELECT datname FROM pg_database WHERE starts_with(datname, %s) ORDER BY 1", [f"orderlog_{beginning}"]
            )
            return [row[0].removeprefix("orderlog_") for row in await found.fetchall()]


def apart(names: Iterable[str]) -> list[str]:
    """Names of columns, each once: what is called as one before it gets a number."""
    found: dict[str, None] = {}
    for name in names:
        one, number = name, 2
        while one in found:
            one, number = f"{name}_{number}", number + 1
        found[one] = None
    return list(found)


def _said(error: psycopg.Error, query: str) -> str:
    """The server's words, with the line where it stumbled, and its hint."""
    told = error.diag
    words = [told.message_primary or str(error).strip()]
    if told.statement_position:
        line = query.encode()[: int(told.statement_position) - 1].decode(errors="replace").count("\n")
        words.append(f"in line {line + 1}: {query.splitlines()[line].strip()}")
    if told.message_hint:
        words.append(told.message_hint)
    return "; ".join(words)


_ALONE = "SELECT pg_try_advisory_lock(hashtextextended(%s, 7210)) AS alone"
# A table that is not there yet is made by the workers, as soon as they start; a column, by the rebuild they ask for.
_LATER = (psycopg.errors.UndefinedTable, psycopg.errors.UndefinedColumn)
_DOWN = (psycopg.OperationalError, psycopg.InterfaceError, *_LATER, PoolTimeout)


class _translated:  # noqa: N801  reads as a phrase where it is used
    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, _: object) -> None:
        if isinstance(error, _DOWN):
            raise DatabaseUnavailable(str(error).strip()) from error
