"""Projection is the shape of a read model: one row per key, changed by events, disposable."""

import types
from collections.abc import Callable
from datetime import datetime
from typing import Any, Union, get_args, get_origin, get_type_hints

from msgspec import Struct

from events.event import Event

Project = Callable[[Any, Any, datetime], Any]
"""project(view or None, event, when it happened) → the view after it, or None to leave it out."""


class Projection(Struct, frozen=True):
    """A read model of one context. `view` is a Struct whose first field is the key; its fields are the columns."""

    name: str
    context: str
    view: type[Struct]
    key_of: Callable[[Event], str | None]
    project: Project
    indexes: tuple[str, ...] = ()

    @property
    def columns(self) -> tuple[str, ...]:
        return self.view.__struct_fields__

    @property
    def key(self) -> str:
        return self.columns[0]

    def ddl(self) -> str:
        """SQL that creates its table; `version` and `position` say up to which record of its stream a row is."""
        hints = get_type_hints(self.view)
        columns = ",\n  ".join(f"{name} {sql_type(hints[name])}" for name in self.columns)
        table = (
            f"CREATE TABLE IF NOT EXISTS {self.name} (\n  {columns},\n  version bigint NOT NULL,\n"
            f"  partition int NOT NULL,\n  position bigint NOT NULL,\n  PRIMARY KEY ({self.key})\n);"
        )
        return "\n".join([table, *(f"{index};" for index in self.indexes)])


_SQL: dict[Any, str] = {str: "text", int: "bigint", bool: "boolean", datetime: "timestamptz", float: "double precision"}


def sql_type(hint: Any) -> str:
    """The column type for a field's annotation; what is no scalar is jsonb."""
    if get_origin(hint) in (Union, types.UnionType):
        inner = next(arg for arg in get_args(hint) if arg is not type(None))
        return sql_type(inner).removesuffix(" NOT NULL")
    return f"{_SQL.get(hint, 'jsonb')} NOT NULL"
