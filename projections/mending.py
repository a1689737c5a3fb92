"""Mending makes one key's row anew in place, while no checkpoint moves."""

from collections.abc import Sequence
from typing import Any

from msgspec import json

from projections.postgres import Connection
from projections.table import Keyed
from projections.versions import Version
from projections.view import Projection


async def mend(
    connection: Connection, version: Version, model: Projection, key: str, rows: Sequence[dict[str, Any]]
) -> str:
    """Put these rows, one or none, in the place of the key's row, and let events be taken into it again.

    Returns whether there was another: `unchanged`, `changed`, `made`, `deleted` or `none`.
    """
    table = Keyed(model, version.table)
    names = ", ".join(table.columns)
    select = f"SELECT {names} FROM {version.table} WHERE {model.key} = %s"  # noqa: S608
    before = await (await connection.execute(select, [key])).fetchone()
    await connection.execute(f"DELETE FROM {version.table} WHERE {model.key} = %s", [key])  # noqa: S608
    if rows:
        await connection.execute(table.upsert, [json.encode(rows).decode()])
    await connection.execute(
        "DELETE FROM parked_views WHERE (name, number, key) = (%s, %s, %s)", [version.name, version.number, key]
    )
    after = await (await connection.execute(select, [key])).fetchone()
    if before is None:
        return "none" if after is None else "made"
    return "deleted" if after is None else "unchanged" if before == after else "changed"
