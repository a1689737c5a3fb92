"""Query answers a question in SQL over the whole history, exported to Parquet and brought up to date on the way."""

import sys
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer
from msgspec import json as json_of
from msgspec import structs
from rich.table import Table

from workers.analyst.replay import need_data
from workers.analyst.whole import replace_whole
from workers.operator.ground import find_settings, standing
from workers.operator.terms import Exit, Json, Refused, printable, run, screen, show_json, table

SHOWN = 200
"""Rows of a table that people see; all other formats have all of them."""


WIDTH = 40
"""Characters of a list or a struct in such a table."""


class Format(StrEnum):
    """How an answer is written."""

    TABLE = "table"
    CSV = "csv"
    JSON = "json"
    PARQUET = "parquet"


Sql = Annotated[str, typer.Argument(help="a SELECT; - reads it from standard input; without it, the views are listed")]
Folder = Annotated[Path | None, typer.Option("--folder", help="the export to ask; <home>/export if none is named")]
As = Annotated[Format | None, typer.Option("--format", help="how to write the answer; as FILE ends, else a table")]
Out = Annotated[Path | None, typer.Option("--out", help="write it into this file, whole or not at all", dir_okay=False)]
Stale = Annotated[bool, typer.Option("--no-update", help="ask what has been exported, and do not look at the log")]


def query(
    sql: Sql = "", folder: Folder = None, as_: As = None, out: Out = None, no_update: Stale = False, json: Json = False
) -> None:
    """Ask the history in SQL (DuckDB): views of every type of event, read models as of any time, funnel, revenue."""
    run(_query(sql, folder, Format.JSON if json else as_ or _ending(out), out, no_update))


def _ending(out: Path | None) -> Format:
    """The format that a file's name stands for."""
    ending = out.suffix.removeprefix(".") if out else ""
    return Format(ending) if ending in (Format.CSV, Format.JSON, Format.PARQUET) else Format.TABLE


async def _query(sql: str, folder: Path | None, form: Format, out: Path | None, no_update: bool) -> None:
    need_data("duckdb", "pyarrow")
    from workers.analyst.views import opened, selected

    if not sql:
        _list_views(form)
        return
    if form is Format.PARQUET and out is None:
        raise Refused("Parquet is no text: name a file by --out", Exit.USAGE)
    question = sys.stdin.read() if sql == "-" else sql
    if no_update:
        where = folder or find_settings().home / "export"
    else:
        where = await updated(folder)
    with opened(where) as connection:
        answer = selected(connection, question)
    if out is None:
        _say(answer, form)
    else:
        _write(answer, form, out)


async def updated(folder: Path | None) -> Path:
    """The folder, after what the log has and it has not was added.

    Raises:
        Refused: it is no export that SQL can read, or of another log, or another process adds to it.
    """
    from workers.analyst.export import export
    from workers.analyst.folder import Asked, read

    async with standing() as ground:
        where = folder or ground.settings.home / "export"
        log = await ground.cluster.identity()
        there = read(where)
        asked = structs.replace(there, log=log) if there else Asked(log)
        if asked.format != "parquet":
            raise Refused(f"{where} is an export as {asked.format}, and SQL reads Parquet: name another by --folder")
        await export(ground.log, where, asked)
    return where


def _say(answer: Any, form: Format) -> None:
    if form is Format.JSON:
        show_json(answer.to_pylist(maps_as_pydicts="strict"))
    elif form is Format.CSV:
        sys.stdout.buffer.write(_bytes(answer, form))
        sys.stdout.buffer.flush()
    else:
        rows = answer.slice(0, SHOWN).to_pylist(maps_as_pydicts="strict")
        screen().print(_drawn(rows) if rows else "no rows")
        if answer.num_rows > SHOWN:
            typer.secho(f"orders: {answer.num_rows - SHOWN:,} more rows: --format csv has all of them", err=True)


def _drawn(rows: list[dict[str, Any]]) -> Table:
    """Rows as people see them; heads are the columns' own names."""
    drawn = table(rows, write=_cell)
    for column, name in zip(drawn.columns, rows[0], strict=True):
        column.header = printable(name)
    return drawn


def _cell(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.12g}"
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M:%S}" + (f".{value:%f}" if value.microsecond else "")
    if isinstance(value, list | dict):
        text = json_of.encode(value, enc_hook=str).decode()
        return text if len(text) <= WIDTH else text[: WIDTH - 1] + "…"
    return str(value)


def _write(answer: Any, form: Format, out: Path) -> None:
    replace_whole(out, _bytes(answer, form))
    typer.secho(f"orders: {answer.num_rows:,} rows in {out}", err=True)


def _bytes(answer: Any, form: Format) -> bytes:
    """The answer as a file's content."""
    from workers.analyst.files import content

    if form is Format.JSON:
        return json_of.encode(answer.to_pylist(maps_as_pydicts="strict"), enc_hook=str) + b"\n"
    if form is Format.TABLE:
        raise Refused("a table is for people: --out writes csv, json or parquet; say which by --format", Exit.USAGE)
    return content(answer, form)


def _list_views(form: Format) -> None:
    from workers.analyst.views import names, ready

    rows = [{"view": "events", "has": "every event of every context: the columns that all have"}]
    rows += [{"view": name, "has": says} for name, says in ready()]
    rows += [{"view": name, "has": f"{tag}, with a column for each of its fields"} for tag, name in names().items()]
    if form is Format.JSON:
        show_json(rows)
    else:
        screen().print(table(rows))
