"""Sinks are where events go one after the other: lines for people or programs, or one table."""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO, Protocol

import pyarrow as pa
import pyarrow.csv as pcsv
import pyarrow.parquet as pq
from msgspec import json
from rich.console import Console

from events.shapes import ENVELOPE, UNREADABLE
from workers.analyst.files import flat
from workers.analyst.lines import Row, body_of, told
from workers.local.locks import take_lock
from workers.operator.terms import Refused

KIND = [pa.field("context", pa.string(), nullable=False), pa.field("type", pa.string(), nullable=False)]
NAMES = frozenset(["context", "type", *ENVELOPE.names])
"""Columns that all events have."""


class Sink(Protocol):
    """Takes events in."""

    def take(self, rows: Sequence[Row]) -> None:
        """The next of them."""

    def close(self) -> None:
        """There are no more."""


class Text:
    """A line each, for people; in colors where they go to a terminal."""

    def __init__(self, out: BinaryIO) -> None:
        self._out = out
        self._console = Console() if out.isatty() else None

    def take(self, rows: Sequence[Row]) -> None:
        for row in rows:
            line = told(row, NAMES)
            if self._console:
                self._console.print(line, soft_wrap=True)
            else:
                self._out.write(line.plain.encode() + b"\n")

    def close(self) -> None:
        self._out.flush()


class JsonLines:
    """A line each, for programs."""

    def __init__(self, out: BinaryIO) -> None:
        self._out = out

    def take(self, rows: Sequence[Row]) -> None:
        self._out.writelines(json.encode(row) + b"\n" for row in rows)

    def close(self) -> None:
        self._out.flush()


class Table:
    """One table, as CSV or Parquet: with the columns of a type, or with bodies as JSON text where there are several."""

    def __init__(self, out: BinaryIO, kind: str, schema: Any) -> None:
        self.schema = pa.schema([*KIND, *(schema or [*_nullable(ENVELOPE), pa.field("body", pa.string())])])
        self._mixed = schema is None
        self._flat = kind == "csv"
        self.left_out = 0
        shown = flat(self.schema.empty_table()).schema if self._flat else self.schema
        self._writer = pcsv.CSVWriter(out, shown) if self._flat else pq.ParquetWriter(out, shown, compression="zstd")

    def take(self, rows: Sequence[Row]) -> None:
        if self._mixed:
            rows = [{**row, "body": json.encode(body_of(row, NAMES)).decode()} for row in rows]
        else:
            fitting = [row for row in rows if row["type"] != UNREADABLE]
            self.left_out += len(rows) - len(fitting)
            rows = fitting
        table = pa.Table.from_pylist(rows, self.schema)
        self._writer.write_table(flat(table) if self._flat else table)

    def close(self) -> None:
        self._writer.close()


def _nullable(schema: Any) -> list[Any]:
    """What cannot be read has no ids."""
    return [field.with_nullable(True) for field in schema]


@contextmanager
def appearing(place: Path) -> Iterator[BinaryIO]:
    """A file that appears, whole, when all of it has been written, or not at all.

    Raises:
        Refused: it cannot be written, or somebody else is writing it.
    """
    part = place.with_name(f".{place.name}.part")
    if place.is_dir():
        raise Refused(f"{place} is a folder: name a file, or say --to-folder")
    try:
        out = part.open("ab")
    except OSError as error:
        raise Refused(f"{place} cannot be written: {error.strerror}") from None
    with out:
        if not take_lock(out.fileno()):
            raise Refused(f"{place} is being written by somebody else")
        try:
            out.truncate(0)
            yield out
            out.flush()
            os.fsync(out.fileno())
            part.rename(place)
        except BaseException:
            with suppress(OSError):
                part.unlink()
            raise
