"""Replay is the command that takes the history out: to the terminal, into one file, or into a folder that grows."""

from enum import StrEnum
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import typer

from workers.operator.terms import Exit, Json, Refused, run


class Format(StrEnum):
    """How events are written."""

    TEXT = "text"
    JSONL = "jsonl"
    CSV = "csv"
    PARQUET = "parquet"


Contexts = Annotated[list[str] | None, typer.Option("--context", help="of this context alone; more than once for some")]
Types = Annotated[
    list[str] | None, typer.Option("--type", help="types that begin so, such as order.placed; more than once for some")
]
Stream = Annotated[str, typer.Option(help="one aggregate, such as order-<uuid>")]
Correlation = Annotated[str, typer.Option(help="all that one request led to")]
Customer = Annotated[str, typer.Option(help="all that belongs to the orders of one customer")]
Since = Annotated[str, typer.Option("--from", help="events at or after this time, such as 2017-10-10T12:00:00Z")]
Until = Annotated[str, typer.Option("--to", help="events before this time; without a zone, it is UTC")]
Positions = Annotated[
    str,
    typer.Option(help="places in the log of one context: 0:17 one record of partition 0, 0:17-40 some, 0:17-,1:9- all"),
]
Written = Annotated[
    Format | None, typer.Option("--format", help="text unless a file is named; parquet without one: <home>/export")
]
Folder = Annotated[
    Path | None, typer.Option("--to-folder", help="add what is new to this folder: files by context, type and day")
]
Out = Annotated[Path | None, typer.Option("--out", help="write all of it to this one file, which appears at once")]
Recorded = Annotated[
    bool, typer.Option("--as-recorded", help="former shapes as they lie in the log, not upcast to the newest")
]


def replay(
    context: Contexts = None,
    type_: Types = None,
    stream: Stream = "",
    correlation: Correlation = "",
    customer: Customer = "",
    since: Since = "",
    until: Until = "",
    positions: Positions = "",
    format_: Written = None,
    to_folder: Folder = None,
    out: Out = None,
    as_recorded: Recorded = False,
    json: Json = False,
) -> None:
    """Read the history again: what counts, in the order of time; nothing is moved or changed by it.

    A folder gets what is new since the last time, exactly once, however that ended. Say the same again to go on.
    """
    wanted = (context or [], type_ or [], stream, correlation, customer, since, until, positions)
    run(_replay(wanted, format_, to_folder, out, as_recorded, json))


async def _replay(
    wanted: tuple[list[str], list[str], str, str, str, str, str, str],
    kind: Format | None,
    folder: Path | None,
    out: Path | None,
    recorded: bool,
    as_json: bool,
) -> None:
    need_data("pyarrow")
    from workers.analyst.asking import selected
    from workers.analyst.replaying import to_file, to_folder, to_screen
    from workers.operator.ground import find_settings, quieten

    if folder and out:
        raise Refused("--to-folder and --out are two ways: name one", Exit.USAGE)
    selection = selected(*wanted)
    quieten()
    settings = find_settings()
    if folder or (kind is Format.PARQUET and not out):
        if kind is Format.TEXT:
            raise Refused("a folder holds parquet, csv or jsonl: name one by --format", Exit.USAGE)
        written = (kind or Format.PARQUET).value
        await to_folder(settings, selection, folder or settings.home / "export", written, recorded, as_json)
    elif out:
        if kind is None and (kind := _format_of(out)) is None:
            raise Refused(f"--format says what to write into {out}: text, jsonl, csv or parquet", Exit.USAGE)
        await to_file(settings, selection, out, kind.value, recorded, as_json)
    else:
        kind = kind or (Format.JSONL if as_json else Format.TEXT)
        await to_screen(settings, selection, kind.value, recorded)


def _format_of(out: Path) -> Format | None:
    """What a file's name says that it holds."""
    ending = out.suffix.lower().removeprefix(".")
    known = {"parquet": Format.PARQUET, "csv": Format.CSV, "jsonl": Format.JSONL, "ndjson": Format.JSONL}
    return known.get(ending, Format.TEXT if ending == "txt" else None)


def need_data(*names: str) -> None:
    """The libraries of the extra `data` are there.

    Raises:
        Refused: they are not; here is how to get them.
    """
    if missing := [name for name in names if find_spec(name) is None]:
        raise Refused(f"this needs {' and '.join(missing)}: pip install 'orderlog[data]'")
