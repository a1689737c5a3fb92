"""Lines are events one by one, as people read them, and as programs do: JSON, or CSV of what all have in common."""

from collections.abc import Iterator, Mapping
from typing import Any

from msgspec import Raw, json
from rich.text import Text

from events.columns import Columns
from events.log import Place
from events.sweep import Found
from workers.operator.terms import printable

COLORS = {"order": "cyan", "product": "green", "payment": "yellow", "user": "magenta", "notification": "blue"}
WIDTH = 300
"""Characters of a body that people see."""
COMMON = ("context", "type")

Row = dict[str, Any]


def rows_of(columns: Columns, place: Place, found: list[Found]) -> Iterator[Row]:
    """Events with the columns that an export has, and before them their context and type, in the log's order."""
    context = place.topic.partition(".")[0]
    rows: list[Row] = []
    for kind, batch in columns.of(place.partition, found):
        rows += ({"context": context, "type": kind, **row} for row in batch.to_pylist())
    yield from sorted(rows, key=lambda row: row["log_position"])


def body_of(row: Row, common: frozenset[str]) -> Row:
    """What is of an event's own type."""
    return {name: value for name, value in row.items() if name not in common}


def told(row: Mapping[str, Any], common: frozenset[str]) -> Text:
    """One line for people, at their own time."""
    color = COLORS.get(row["context"], "white")
    line = Text(f"{row['at'].astimezone():%Y-%m-%d %H:%M:%S.%f}"[:-3], "dim", no_wrap=True)
    line.append(f"  {row['context']}/{row['log_partition']} {row['log_position']:>7}", "dim")
    line.append(f"  {row['type']:<25}", "red" if row["type"] == "unreadable" else color)
    line.append(f" {printable(row['stream'])} {row['version'] or '-'}", "bold")
    said = "  ".join(f"{name}={_said(value)}" for name, value in body_of(dict(row), common).items())
    line.append("  " + (said if len(said) <= WIDTH else said[: WIDTH - 1] + "…"))
    return line


def _said(value: Any) -> str:
    if isinstance(value, Raw | dict | list):
        return printable(json.encode(value).decode())
    return printable(str(value))
