"""Versions say which code is at work, and by which each read model's tables were made."""

from collections.abc import Sequence
from typing import Any

from projections.registry import models
from projections.versions import Versions
from workers.operator.ground import Ground

Row = dict[str, Any]


async def tables_of(ground: Ground, context: str) -> list[Row]:
    """Every table of a context's read models: the version of the code that made it, and the one of this code."""
    versions = Versions(ground.databases[context], models(context))
    newest = {name: versions.newest(name).version for name, _ in versions.models}
    return [
        {"name": each.name, "table": each.table, "live": each.live, "state": each.state, "code": each.code,
         "this_code": newest.get(each.name), "parked": each.parked}
        for each in await versions.all()
    ]  # fmt: skip


def outdated(table: Row) -> str:
    """What there is to say of a live table whose code is not this."""
    if not table["live"]:
        return ""
    if table["parked"]:
        return f"{table['table']}: {table['parked']} records wait for a mended row"
    if table["code"] == table["this_code"]:
        return ""
    return (
        f"{table['table']} was made by code {table['code']}, and this is {table['this_code']}: "
        f"`orders projections rebuild {table['name']}`"
    )


def live(tables: Sequence[Row]) -> str:
    """The tables that readers see."""
    return ", ".join(table["table"] for table in tables if table["live"])
