"""Files turns Arrow tables into Parquet, CSV or JSON Lines; what CSV cannot hold in a cell is JSON text in it."""

from collections.abc import Iterator
from typing import Any

import pyarrow as pa
import pyarrow.csv as pcsv
import pyarrow.parquet as pq
from msgspec import json

MANY = 5_000
"""Rows from which on dictionaries are worth their time; before, zstd does as well without."""

SOUGHT = ("log_partition", "log_position", "version", "at")
"""Columns whose smallest and largest values a file says: of ids, which are random, they would rule nothing out."""


def content(table: Any, kind: str) -> bytes:
    """A table as a file holds it: made in memory, as a writer of files asks the disk for each page of a column."""
    if kind not in ("parquet", "csv"):
        return b"".join(lines(table))
    with pa.BufferOutputStream() as out:
        if kind == "csv":
            pcsv.write_csv(flat(table), out)
        else:
            again = [field.name for field in table.schema if _repeats(field)] if table.num_rows > MANY else []
            known = [name for name in SOUGHT if name in table.column_names]
            pq.write_table(
                table,
                out,
                compression="zstd",
                use_dictionary=again or False,
                write_statistics=known or True,
                store_schema=False,
            )
        whole: bytes = out.getvalue().to_pybytes()
    return whole


def _repeats(field: Any) -> bool:
    """Whether a dictionary of its values is worth while: those of ids and aggregates hardly come again."""
    if field.name == "stream" or field.name.endswith("_id"):
        return False
    return bool(pa.types.is_string(field.type) or pa.types.is_int32(field.type))


def lines(table: Any) -> Iterator[bytes]:
    """Each row as JSON on a line of its own."""
    for batch in table.to_batches(max_chunksize=1000):
        for row in batch.to_pylist(maps_as_pydicts="strict"):
            yield json.encode(row) + b"\n"


def flat(table: Any) -> Any:
    """The same table with text where there were lists and structs."""
    for at, field in enumerate(table.schema):
        if pa.types.is_nested(field.type):
            texts = [
                None if each is None else json.encode(each).decode()
                for each in table.column(at).to_pylist(maps_as_pydicts="strict")
            ]
            table = table.set_column(at, pa.field(field.name, pa.string()), pa.array(texts, pa.string()))
    return table
