"""Projection is the shape of a read model: rows made from events, disposable.

Of two kinds: a `Projection` has one row per key, which events change; a `Journal` has one row per record, for ever as
it was written. Either has a name and a version: whoever changes what `project` makes of events, or the columns, counts
the version up, and an operator rebuilds it from the log beside the old one.
"""

import types
from collections.abc import Callable, Sequence
from datetime import date, datetime
from typing import Any, TypeAlias, Union, get_args, get_origin, get_type_hints

from msgspec import Struct

from events.event import Event
from projections.recorded import Item

Project = Callable[[Any, Any, datetime], Any]
"""project(view or None, event, when it happened) → the view after it, or None to leave it out."""

PLACE = {"partition": "int NOT NULL", "position": "bigint NOT NULL"}
"""Columns that say up to which record of its stream a row is."""


class Totals(Struct, frozen=True):
    """Sums over a projection's rows, kept by the database itself with every change of the rows.

    keys: the columns that sums are kept for, with their SQL types. sums: names of the sums. query: SQL that makes of
    `rows` one row per contribution: its partition, the keys, the sums.
    """

    name: str
    keys: dict[str, str]
    sums: tuple[str, ...]
    query: str


class Projection(Struct, frozen=True):
    """A row per key. `view` is a Struct whose first field is the key; its fields are the columns.

    A key's events must all be of one stream: then its first event has version 1, and all lie in one partition.
    `indexes` are SQL with {table} for the table; `extensions` are those of Postgres that they need; `derived` are
    columns that the database makes of the others, with their SQL, to be asked for and never written or compared.
    """

    name: str
    context: str
    view: type[Struct]
    key_of: Callable[[Event], str | None]
    project: Project
    indexes: tuple[str, ...] = ()
    version: int = 1
    totals: Totals | None = None
    extensions: tuple[str, ...] = ()
    derived: dict[str, str] = {}

    @property
    def fields(self) -> tuple[str, ...]:
        """The view's own columns."""
        return self.view.__struct_fields__

    @property
    def key(self) -> str:
        return self.fields[0]

    @property
    def keys(self) -> tuple[str, ...]:
        return (self.key,)

    @property
    def columns(self) -> dict[str, str]:
        hints = get_type_hints(self.view)
        return {name: sql_type(hints[name]) for name in self.fields} | {"version": "bigint NOT NULL"} | PLACE


class Journal(Struct, frozen=True):
    """A row per record, or a few: `rows_of(partition, record)` makes them.

    Where `keys` meet a row that is there, the first stays.
    """

    name: str
    context: str
    rows_of: Callable[[int, Item], Sequence[dict[str, Any]]]
    columns: dict[str, str]
    keys: tuple[str, ...]
    indexes: tuple[str, ...] = ()
    version: int = 1
    totals: Totals | None = None
    extensions: tuple[str, ...] = ()
    derived: dict[str, str] = {}


Model: TypeAlias = Projection | Journal

_SQL: dict[Any, str] = {
    str: "text", int: "bigint", bool: "boolean", float: "double precision", datetime: "timestamptz", date: "date",
}  # fmt: skip


def sql_type(hint: Any) -> str:
    """The column type for a field's annotation; what is no scalar is jsonb."""
    if get_origin(hint) in (Union, types.UnionType):
        inner = next(arg for arg in get_args(hint) if arg is not type(None))
        return sql_type(inner).removesuffix(" NOT NULL")
    return f"{_SQL.get(hint, 'jsonb')} NOT NULL"


def ddl(model: Model, table: str) -> str:
    """SQL that creates a table for a read model, with the sums that are kept of it; indexes come apart."""
    columns = ",\n  ".join(f"{name} {kind}" for name, kind in (model.columns | model.derived).items())
    made = f"CREATE TABLE {table} (\n  {columns},\n  PRIMARY KEY ({', '.join(model.keys)})\n);"
    return made + (_summed(model.totals, table) if model.totals else "")


def indexes(model: Model, table: str) -> Sequence[str]:
    """SQL that creates its indexes, each of a name of its own."""
    return [index.format(table=table) for index in model.indexes]


def totals_table(table: str) -> str:
    """Where the sums of a table are."""
    return f"{table}_totals"


def _summed(totals: Totals, table: str) -> str:
    """The sums' table, and triggers that see every change whoever makes it: an upsert, a COPY, a deletion.

    A partition has sums of its own, so that two who fill two partitions never wait for each other.
    """
    sums, keys = totals_table(table), ", ".join(("partition", *totals.keys))
    columns = "".join(f", {name} {kind} NOT NULL" for name, kind in totals.keys.items())
    columns += "".join(f", {name} numeric NOT NULL" for name in totals.sums)  # a sum of many bigint may be none
    added = ", ".join(f"sum({name}) AS {name}" for name in totals.sums)
    both = ", ".join(f"{name} = t.{name} + excluded.{name}" for name in totals.sums)
    names = ", ".join(totals.sums)
    taken = ", ".join(f"-{name}" for name in totals.sums)

    def function(event: str, changed: str) -> str:
        # In the order of the keys: two transactions that meet in the same sums then wait for each other in turn.
        return f"""
CREATE FUNCTION {table}_{event}() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO {sums} AS t SELECT {keys}, {added} FROM ({changed}) AS c GROUP BY {keys}
    HAVING {" OR ".join(f"sum({name}) <> 0" for name in totals.sums)} ORDER BY {keys}
    ON CONFLICT ({keys}) DO UPDATE SET {both};
  RETURN NULL;
END $$;"""  # noqa: S608  only constants are put in

    plus = f"SELECT {keys}, {names} FROM ({totals.query.format(rows='added')}) AS a"  # noqa: S608
    minus = f"SELECT {keys}, {taken} FROM ({totals.query.format(rows='gone')}) AS g"  # noqa: S608
    return f"""
CREATE TABLE {sums} (partition int NOT NULL{columns}, PRIMARY KEY ({keys}));
{function("inserted", plus)}
{function("updated", f"{plus} UNION ALL {minus}")}
{function("deleted", minus)}
CREATE TRIGGER inserted AFTER INSERT ON {table} REFERENCING NEW TABLE AS added EXECUTE FUNCTION {table}_inserted();
CREATE TRIGGER updated AFTER UPDATE ON {table} REFERENCING OLD TABLE AS gone NEW TABLE AS added
  EXECUTE FUNCTION {table}_updated();
CREATE TRIGGER deleted AFTER DELETE ON {table} REFERENCING OLD TABLE AS gone EXECUTE FUNCTION {table}_deleted();
"""
