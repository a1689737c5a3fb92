"""Sandbox is a database of its own with all read models of a context as of then, which nobody else reads.

It is filled as any version is, from the log; the live databases are never asked and never touched. A row of its own
says what was asked for, so that whoever is interrupted can go on, and `state` whether all of it is there.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import Struct, json

from events.fence import Fence
from projections import versions
from projections.postgres import Database, named
from projections.registry import COMMON, models
from projections.versions import Version, Versions, point
from schemas.settings import CONTEXTS

PREFIX = "sandbox_"

DDL = """
CREATE TABLE IF NOT EXISTS sandbox (
  one boolean PRIMARY KEY DEFAULT true CHECK (one), asked text NOT NULL, positions jsonb NOT NULL, state text NOT NULL,
  made_at timestamptz NOT NULL DEFAULT now()
);
"""


class Box(Struct, frozen=True):
    """One context of a sandbox: what was asked for, the offsets at which it ends, and `ready` or `unfinished`."""

    name: str
    context: str
    asked: str
    positions: dict[int, int]
    state: str
    made_at: Any = None


def database_of(url: str, name: str, context: str) -> Database:
    """Where a context of a sandbox is: the database `orderlog_sandbox_<name>_<context>`."""
    return Database(url, f"{PREFIX}{name}_{context}", wait=5.0, size=12)


async def boxes(url: str, name: str = "") -> list[Box]:
    """Every context of every sandbox, or of one.

    Raises:
        DatabaseUnavailable: the server cannot be reached.
    """
    found = []
    for known in await named(url, PREFIX):
        of, _, context = known.removeprefix(PREFIX).rpartition("_")
        if context in CONTEXTS and name in ("", of):
            found.append(await _look(url, of, context))
    return found


async def _look(url: str, name: str, context: str) -> Box:
    database = database_of(url, name, context)
    await database.open()
    try:
        [there] = await database.fetch("SELECT to_regclass('sandbox') IS NOT NULL AS made")
        rows = await database.fetch("SELECT * FROM sandbox") if there["made"] else []
    finally:
        await database.close()
    if not rows:
        return Box(name, context, "", {}, "unfinished")
    [row] = rows
    ends = {int(p): at for p, at in row["positions"].items()}
    return Box(name, context, row["asked"], ends, row["state"], row["made_at"])


async def begin(database: Database, context: str, asked: str, ends: Mapping[int, int]) -> Versions:
    """Make what is missing of the database, and note what it is to be.

    Raises:
        Lacking: the server has not what a read model needs.
    """
    await database.create(versions.DDL + COMMON + DDL)
    async with database.transaction() as connection:
        await connection.execute(
            "INSERT INTO sandbox (asked, positions, state) VALUES (%s, %s, 'unfinished') ON CONFLICT DO NOTHING",
            [asked, json.encode({str(p): at for p, at in ends.items()}).decode()],
        )
    return Versions(database, models(context))


async def unfilled(made: Versions, ends: Mapping[int, int]) -> list[Version]:
    """A version of each read model, new or begun earlier, that is still to be filled."""
    async with made.making() as connection:
        known = {version.name: version for version in await made.all(connection)}
        for name in sorted({name for name, _ in made.models} - known.keys()):
            known[name] = await made.make(connection, made.newest(name))
            await made.upto(connection, known[name], ends)
    return [version for version in known.values() if not version.live]


async def show(made: Versions, version: Version) -> None:
    """Let the read model's ordinary name mean this version, which is filled."""
    async with made.making() as connection:
        await connection.execute(
            "UPDATE view_versions SET live = true, state = 'ready' WHERE (name, number) = (%s, %s)",
            [version.name, version.number],
        )
        await point(connection, version)


async def finish(database: Database, positions: Mapping[int, Fence]) -> None:
    """All of it is there; where it ends is where its checkpoints stand."""
    async with database.transaction() as connection:
        for p, fence in positions.items():
            await connection.execute(
                "INSERT INTO checkpoints VALUES (%s, %s, %s, %s, %s) ON CONFLICT DO NOTHING",
                [p, fence.next, fence.epoch, fence.writer, fence.ignored],
            )
        await connection.execute("UPDATE sandbox SET state = 'ready'")


def known_tables(context: str) -> Sequence[str]:
    """The names that a question may use."""
    return [name for model in models(context) for name in (model.name, *([model.totals.name] if model.totals else []))]
