"""Sandboxes: all read models of a context as of then, in a database of their own; made, queried, dropped."""

import re
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated, Any

import typer
from msgspec import json as json_codec
from msgspec import structs

from projections import sandbox
from projections.build import Build
from projections.postgres import Database, Senseless
from projections.sandbox import Box, boxes, database_of
from schemas.values import SECRET
from workers.analyst.then import ends_at, ends_said, heads, time_of
from workers.hands import Hands
from workers.operator.audit import acting
from workers.operator.bars import Bars
from workers.operator.desk import refusing, say
from workers.operator.ground import Ground, chosen, standing
from workers.operator.proofs import spoken
from workers.operator.terms import Exit, InContext, Json, Refused, Why, Yes, run, show, sure, unknown
from workers.rebuild import Pace, Rebuild

app = typer.Typer(no_args_is_help=True, help=__doc__)

LONGEST = 30
EXACT = json_codec.Encoder(decimal_format="number", enc_hook=str)
"""A sum is a number in JSON, to the last digit."""
_NAME = re.compile(rf"[a-z][a-z0-9_]{{0,{LONGEST - 1}}}", re.ASCII)

Name = Annotated[str, typer.Argument(help=f"its name: a-z, 0-9 and _, from a letter on, {LONGEST} at most")]


@app.command()
def create(
    name: Name,
    as_of: Annotated[str, typer.Option("--as-of", help="a time (ISO 8601, UTC where it names no zone)")] = "",
    positions: Annotated[str, typer.Option("--positions", help="the next offset of each partition: 0:120,1:98,…")] = "",
    context: InContext = None,
    why: Why = "",
    json: Json = False,
) -> None:
    """Fill a new sandbox from the log; goes on if it was interrupted. The live read models are not touched."""
    run(_create(name, as_of, positions, context, why, json))


@app.command("list")
def list_(json: Json = False) -> None:
    """Every sandbox: as of when, at which positions, and whether it is ready."""
    run(_list(json))


@app.command()
def drop(name: Name, yes: Yes = False, why: Why = "", json: Json = False) -> None:
    """Delete a sandbox, finished or not."""
    run(_drop(name, yes, why, json))


@app.command()
def query(
    name: Name,
    sql: Annotated[str, typer.Argument(help="one question to its tables, in SQL; or a file of it: @question.sql")],
    context: InContext = None,
    limit: Annotated[int, typer.Option(help="at most so many rows", min=1)] = 1000,
    json: Json = False,
) -> None:
    """Ask a sandbox; nothing can be changed that way."""
    run(_query(name, sql, context, limit, json))


async def _create(name: str, as_of: str, positions: str, context: str | None, why: str, as_json: bool) -> None:
    named(name)
    contexts = chosen(context)
    if bool(as_of) == bool(positions):
        raise Refused("say either --as-of or --positions", Exit.USAGE)
    if positions and len(contexts) > 1:
        raise Refused("positions are those of one context: say --context, too", Exit.USAGE)
    asked = as_of and time_of(as_of).isoformat()
    async with standing() as ground:
        there = await boxes(ground.settings.postgres, name)
        left = _left_to_make(name, asked or positions, there, contexts)
        begun = {box.context: box.positions for box in there if box.asked}
        async with acting(ground.log, "sandbox.create", name, why, asked=asked or positions) as found:
            ends = {each: begun.get(each) or await _ends(ground, each, as_of, positions) for each in left}
            found |= {each: spoken(ends[each]) for each in left}
            for each in left:  # all of them first: what is cut off is seen to be unfinished
                async with _opened(ground, name, each) as database:
                    await sandbox.begin(database, each, asked or positions, ends[each])
            for each in left:
                async with _opened(ground, name, each) as database:
                    await _fill(ground, database, each, name, asked or positions, ends[each], as_json)
                    say(
                        as_json,
                        made=f"{name}.{each}",
                        positions=spoken(ends[each]),
                        connect=f"psql '{database.address()}'",
                    )


async def _ends(ground: Ground, context: str, as_of: str, positions: str) -> dict[int, int]:
    if as_of:
        return await ends_at(ground.log, context, time_of(as_of))
    return ends_said(positions, await heads(ground.log, context))


def _left_to_make(name: str, asked: str, there: Sequence[Box], contexts: Sequence[str]) -> list[str]:
    """The contexts that are not there yet, or unfinished.

    Raises:
        Refused: the sandbox exists, or is of another moment.
    """
    way_out = f"`orders sandbox drop {name}` deletes it; or take another name"
    if other := [box for box in there if box.asked and box.asked != asked]:
        raise Refused(f"the sandbox {name} is there, as of {other[0].asked} ({other[0].state}): {way_out}")
    ready = {box.context for box in there if box.state == "ready"}
    if left := [context for context in contexts if context not in ready]:
        return left
    raise Refused(f"the sandbox {name} is there, as of {asked}, and has all of it: {way_out}")


@asynccontextmanager
async def _opened(ground: Ground, name: str, context: str) -> AsyncIterator[Database]:
    database = database_of(ground.settings.postgres, name, context)
    try:
        with refusing(f"{name}.{context}"):
            yield database
    finally:
        await database.close()


async def _fill(
    ground: Ground, database: Database, context: str, name: str, asked: str, ends: dict[int, int], as_json: bool
) -> None:
    made = await sandbox.begin(database, context, asked, ends)
    async with database.alone("sandbox") as alone:
        if not alone:
            raise Refused(f"somebody else fills {name} just now; `orders sandbox list` shows how it stands")
        helped = Hands(ground.settings, context, database.context)
        for version in await sandbox.unfilled(made, ends):
            with Bars(f"{name}.{version.name}", as_json) as bars:
                filled = Rebuild(ground.log, made, version, Pace(None), bars.tell, helped)
                await filled.open()
                await filled.fill(ends)
            await sandbox.show(made, version)
        any_of_them = (await made.all())[0]
        await sandbox.finish(database, await Build(made, any_of_them).positions(ends))


async def _list(as_json: bool) -> None:
    async with standing(whole=False) as ground:
        found = await boxes(ground.settings.postgres)
        addresses = [database_of(ground.settings.postgres, box.name, box.context).address() for box in found]
    rows = [
        {**structs.asdict(box), "positions": spoken(box.positions), "connect": f"psql '{address}'"}
        for box, address in zip(found, addresses, strict=True)
    ]
    if not as_json:
        for row in rows:
            row["made_at"] = row["made_at"] and f"{row['made_at'].astimezone():%Y-%m-%d %H:%M:%S}"
            row["connect"] = row["connect"].rpartition("dbname=")[2].rstrip("'")
    show(rows, as_json, "Sandboxes", "no sandbox yet: `orders sandbox create NAME --as-of …` makes one")


async def _drop(name: str, yes: bool, why: str, as_json: bool) -> None:
    named(name)
    async with standing() as ground:
        there = await _there(ground, name)
        sure(f"Delete the sandbox {name}?", yes)
        async with acting(ground.log, "sandbox.drop", name, why):
            databases = [database_of(ground.settings.postgres, box.name, box.context) for box in there]
            for database in databases:
                await _idle(database, name)
            for database in databases:
                await database.drop()
    say(as_json, dropped=name, contexts=", ".join(box.context for box in there))


async def _idle(database: Database, name: str) -> None:
    """Nothing, if nobody fills it now.

    Raises:
        Refused: somebody does.
    """
    await database.open()
    try:
        async with database.alone("sandbox") as alone:
            if not alone:
                raise Refused(f"somebody fills {name} just now: end that first, then drop it")
    finally:
        await database.close()


async def _query(name: str, sql: str, context: str | None, limit: int, as_json: bool) -> None:
    named(name)
    if sql.startswith("@"):
        sql = _read(Path(sql[1:]))
    async with standing(whole=False) as ground:
        there = await _there(ground, name)
        contexts = [box.context for box in there]
        if context and context not in contexts:
            raise unknown(f"context of {name}", context, contexts)
        asked = context or ("order" if "order" in contexts else contexts[0])
        if next(box for box in there if box.context == asked).state != "ready":
            raise Refused(f"{name}.{asked} is unfinished: the same `orders sandbox create` goes on with it")
        database = database_of(ground.settings.postgres, name, asked)
        await database.open()
        try:
            rows, more = await database.ask(sql, limit)
        except Senseless as no:
            tables = ", ".join(sandbox.known_tables(asked))
            raise Refused(
                f"{no}. {name}.{asked} has {tables}; --context names another of {', '.join(contexts)}"
            ) from no
        finally:
            await database.close()
    _answer(rows, as_json)
    if more:
        typer.secho(f"orders: these are the first {limit:,} rows; --limit shows more", err=True)


def _answer(rows: Sequence[dict[str, Any]], as_json: bool) -> None:
    shown = [{name: "***" if name in SECRET else value for name, value in row.items()} for row in rows]
    if as_json:
        typer.echo(EXACT.encode(shown).decode())
    else:
        show(shown, False, nothing="no rows")


async def _there(ground: Ground, name: str) -> list[Box]:
    every = await boxes(ground.settings.postgres)
    if not (there := [box for box in every if box.name == name]):
        raise unknown("sandbox", name, sorted({box.name for box in every}))
    return there


def _read(file: Path) -> str:
    try:
        return file.read_text()
    except (OSError, UnicodeDecodeError) as no:
        raise Refused(f"{file} cannot be read: {no}", Exit.UNKNOWN) from None


def named(name: str) -> None:
    """Nothing, if a database may be named so.

    Raises:
        Refused: it may not.
    """
    if not _NAME.fullmatch(name):
        raise Refused(
            f"{name!r} is no name for a sandbox: a-z, 0-9 and _, from a letter on, {LONGEST} at most", Exit.USAGE
        )
