"""Terms are what all of the operator's commands share: options, exit codes, how they speak and how they ask."""

import asyncio
import sys
from collections.abc import Callable, Coroutine, Mapping, Sequence
from enum import IntEnum
from typing import Annotated, Any, NoReturn, TypeVar

import typer
from msgspec import json
from rich.console import Console
from rich.table import Table
from rich.text import Text

from events.errors import LogError
from projections.postgres import DatabaseUnavailable

T = TypeVar("T")

InContext = Annotated[str | None, typer.Option("--context", help="this context alone")]
Json = Annotated[bool, typer.Option("--json", help="say it as JSON, for programs")]
Yes = Annotated[bool, typer.Option("--yes", help="do not ask whether to do it")]
FILE_WIDTH = 180
"""Characters of a line that goes to no terminal."""

Why = Annotated[str, typer.Option("--why", help="reason, for the audit stream")]


class Exit(IntEnum):
    """What a command's exit code says."""

    DONE = 0
    NO = 1
    """It was refused, or what was looked at is not as it should be."""
    USAGE = 2
    """The command line makes no sense; typer's own."""
    UNKNOWN = 3
    """There is no such thing; the message lists what there is."""
    UNAVAILABLE = 4
    """Kafka or Postgres gives no answer."""
    STOPPED = 5
    """It stopped on the way and has kept what it had: the same command goes on from there."""


class Refused(Exception):
    """A command says no, with the way out."""

    def __init__(self, message: str, code: Exit = Exit.NO) -> None:
        super().__init__(message)
        self.code = code


def unknown(what: str, name: str, there: Sequence[str]) -> Refused:
    """No such thing; here is what there is."""
    known = ", ".join(there) if there else "none yet"
    return Refused(f"there is no {what} {name!r}; there are: {known}", Exit.UNKNOWN)


def run(doing: Coroutine[Any, Any, T]) -> T:
    """Do it; what goes wrong is said in one line, and in the exit code."""
    try:
        return asyncio.run(doing)
    except Refused as no:
        say_no(str(no), no.code)
    except LogError as fault:
        say_no(f"no answer from Kafka: {fault}", Exit.UNAVAILABLE)
    except DatabaseUnavailable as fault:
        say_no(f"no answer from Postgres: {fault}", Exit.UNAVAILABLE)
    except KeyboardInterrupt:
        raise typer.Exit(130) from None


def say_no(message: str, code: Exit) -> NoReturn:
    """Say it on stderr, and exit."""
    typer.secho(f"orders: {message}", err=True, fg="red")
    raise typer.Exit(code)


def sure(question: str, yes: bool) -> None:
    """Ask before anything is changed.

    Raises:
        Refused: the answer is no, or there is nobody to ask and no --yes.
    """
    if yes:
        return
    if not sys.stdin.isatty():
        raise Refused("nobody is there to be asked: say --yes")
    if not typer.confirm(question, err=True):
        raise Refused("left as it was")


def show_json(document: Any) -> None:
    """One JSON document on a line of its own."""
    sys.stdout.buffer.write(json.encode(document, enc_hook=str) + b"\n")
    sys.stdout.buffer.flush()


def show(rows: Sequence[Mapping[str, Any]], as_json: bool, title: str = "", nothing: str = "nothing") -> None:
    """Rows as a table, or as one JSON array."""
    if as_json:
        show_json(rows)
    else:
        screen().print(table(rows, title) if rows else nothing)


def screen() -> Console:
    """Where tables go: as wide as the terminal, or wide enough for a file."""
    return Console() if sys.stdout.isatty() else Console(width=FILE_WIDTH)


def table(rows: Sequence[Mapping[str, Any]], title: str = "", write: Callable[[Any], str] = str) -> Table:
    """Rows with their names as heads; numbers stand to the right."""
    drawn = Table(title=title or None, title_justify="left", box=None, header_style="dim", pad_edge=False)
    for name, value in rows[0].items():
        number = isinstance(value, int | float) and not isinstance(value, bool)
        drawn.add_column(name.replace("_", " "), justify="right" if number else "left")
    for row in rows:
        drawn.add_row(*(_cell(value, write) for value in row.values()))
    return drawn


def _cell(value: Any, write: Callable[[Any], str]) -> Text:
    return Text("" if value is None else f"{value:,}" if type(value) is int else printable(write(value)))


def printable(text: str) -> str:
    """Without what would move a terminal's cursor or change its colors: strangers write to the log too."""
    return "".join(char if char.isprintable() or char == "\n" else "�" for char in text)
