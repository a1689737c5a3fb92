"""Digest tells whether two tables have the same rows, and which rows differ, without reading them both at once.

A table's digest is, for each partition and each of 256 parts of its keys, how many rows there are and the sum of their
hashes: order does not matter, and where two differ, only those parts have to be looked at row by row.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import Struct

from projections.postgres import Connection

Digest = dict[tuple[int, int], tuple[int, str]]
"""(partition, part) → (rows, sum of hashes)."""


class Side(Struct, frozen=True):
    """One of two tables, as a connection sees it."""

    connection: Connection
    table: str


class Difference(Struct, frozen=True):
    """A row that is not the same: what each side has in the fields that differ, or None where a side has no row."""

    key: str
    partition: int
    live: dict[str, Any] | None
    new: dict[str, Any] | None


def rows_in(digest: Digest) -> int:
    """How many rows a digest is of."""
    return sum(count for count, _ in digest.values())


def spoken(digest: Digest) -> str:
    """A digest in sixteen hexadecimal digits."""
    whole = sum(int(total) * (partition * 256 + part + 1) for (partition, part), (_, total) in digest.items())
    return f"{(whole + rows_in(digest)) % 2**64:016x}"


async def digest(side: Side, columns: Sequence[str], keys: Sequence[str], partition: str = "partition") -> Digest:
    """The digest of a table's columns."""
    key, row = f"ROW({', '.join(keys)})::text", f"ROW({', '.join(columns)})::text"
    found = await side.connection.execute(
        f"""SELECT {partition} AS partition, (hashtextextended({key}, 0) & 255)::int AS part, count(*) AS rows,
            sum(hashtextextended({row}, 1)::numeric)::text AS total FROM {side.table} GROUP BY 1, 2"""  # noqa: S608
    )
    return {(row["partition"], row["part"]): (row["rows"], row["total"]) for row in await found.fetchall()}


async def differences(
    live: Side, new: Side, columns: Sequence[str], keys: Sequence[str], parts: Sequence[tuple[int, int]], most: int
) -> list[Difference]:
    """The first rows that differ in these parts of both tables, field by field."""
    found: list[Difference] = []
    for part in sorted(parts):
        ours, theirs = [await _rows(side, columns, keys, part) for side in (live, new)]
        for key in sorted(ours.keys() | theirs.keys()):
            if (found_one := _difference(key, part[0], ours.get(key), theirs.get(key))) is not None:
                found.append(found_one)
            if len(found) >= most:
                return found
    return found


def _difference(key: str, partition: int, live: dict[str, Any] | None, new: dict[str, Any] | None) -> Difference | None:
    if live is None or new is None:
        return Difference(key, partition, live, new)
    fields = [name for name in live if live[name] != new[name]]
    if not fields:
        return None
    return Difference(key, partition, {name: live[name] for name in fields}, {name: new[name] for name in fields})


async def _rows(
    side: Side, columns: Sequence[str], keys: Sequence[str], part: tuple[int, int]
) -> Mapping[str, dict[str, Any]]:
    key = f"ROW({', '.join(keys)})::text"
    found = await side.connection.execute(
        f"""SELECT {", ".join(columns)} FROM {side.table}
            WHERE partition = %s AND (hashtextextended({key}, 0) & 255) = %s""",  # noqa: S608
        part,
    )
    return {"/".join(str(row[name]) for name in keys): row for row in await found.fetchall()}
