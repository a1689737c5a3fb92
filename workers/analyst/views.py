"""Views opens an export for SQL: one view per type of event, all of them as `events`, and what the .sql files define.

Whoever asks can change nothing: one SELECT at a time, and the database sees no file but those of the export. The
column `at` is called `happened_at` here, for AT is a word of DuckDB's own.
"""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from importlib.resources import files
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from events.registry import event_codec
from events.shapes import ENVELOPE, UNREAD, UNREADABLE, shape_of
from workers.analyst import folder as folders
from workers.operator.terms import Exit, Refused

CONTEXT_OF = re.compile(r"context=([^/]+)/type=([^/]+)/")
EXPLAINED = re.compile(r"\s*EXPLAIN\s+(?:ANALYZE\s+)?", re.IGNORECASE)
PARTITIONED = "context: VARCHAR, type: VARCHAR, day: DATE"


def names() -> dict[str, str]:
    """The view of each type: `order_placed` of `order.placed.v1`; of two versions the newest has the plain name."""
    found: dict[str, str] = {}
    for tag in sorted(event_codec.types, key=_version, reverse=True):
        plain, _, version = tag.replace(".", "_").rpartition("_v")
        found[plain if plain not in found else f"{plain}_v{version}"] = tag
    return {tag: name for name, tag in found.items()}


def _version(tag: str) -> int:
    return int(tag.rpartition(".v")[2])


def ready() -> list[tuple[str, str]]:
    """The views and macros of the .sql files, with what their first line says of them."""
    return [(_defined(text), text.partition("\n")[0].removeprefix("-- ")) for text in _texts()]


def _texts() -> Iterator[str]:
    found = (each for each in files("workers.analyst").joinpath("sql").iterdir() if each.name.endswith(".sql"))
    yield from (each.read_text("utf-8") for each in sorted(found, key=lambda each: each.name))


def _defined(text: str) -> str:
    created = re.search(r"CREATE (?:VIEW|MACRO) (\w+(?:\(\w+\))?)", text)
    return created[1] if created else ""


@contextmanager
def opened(folder: Path) -> Iterator[Any]:
    """A connection that has the export's views, and can do nothing but read them.

    Raises:
        Refused: the folder is no export of Parquet files.
    """
    asked = folders.read(folder)
    if asked is None:
        raise Refused(f"there is no export in {folder}: leave out --no-update, and it is made", Exit.UNKNOWN)
    if asked.format != "parquet":
        raise Refused(
            f"{folder} is an export as {asked.format}, and SQL reads Parquet: name another folder by --folder"
        )
    with duckdb.connect(config={"autoinstall_known_extensions": False}) as connection:
        connection.execute("SET TimeZone = 'UTC'; SET enable_progress_bar = false; SET preserve_insertion_order = true")
        connection.execute("SET parquet_metadata_cache = true")  # each view that uses another looks at its files again
        _define(connection, _by_type(folder))
        _close_doors(connection, folder)
        yield connection


def _by_type(folder: Path) -> Mapping[str, list[str]]:
    """The files that count, by type."""
    found: dict[str, list[str]] = defaultdict(list)
    for file in folders.counted(folder):
        if (said := CONTEXT_OF.search(file.as_posix())) is not None:
            found[said[2]].append(str(file))
    return found


def _define(connection: Any, there: Mapping[str, list[str]]) -> None:
    shared = ", ".join(
        [*("happened_at" if name == "at" else name for name in ENVELOPE.names), "context", "type", "day"]
    )
    views = names()
    for tag, name in views.items():
        _view(connection, name, shape_of(event_codec.types[tag]).schema, there.get(tag, []))
    _view(connection, UNREADABLE, UNREAD, there.get(UNREADABLE, []))
    full = [name for tag, name in views.items() if there.get(tag)] or list(views.values())[:1]
    together = " UNION ALL ".join(f"SELECT {shared} FROM {name}" for name in full)  # noqa: S608  only names of ours
    connection.execute(f"CREATE VIEW events AS {together}")
    for text in _texts():
        connection.execute(text)


def _view(connection: Any, name: str, schema: Any, there: list[str]) -> None:
    """A view over the files of a type; without any, one that has its columns and no row."""
    if there:
        listed = ", ".join("'" + file.replace("'", "''") + "'" for file in there)
        parts = f"hive_partitioning = true, hive_types = {{{PARTITIONED}}}, union_by_name = true"
        rows = f'SELECT * RENAME ("at" AS happened_at) FROM read_parquet([{listed}], {parts})'  # noqa: S608  quoted
        connection.execute(f"CREATE VIEW {name} AS {rows}")
        return
    types = _types(connection, schema)
    columns = ", ".join(f'NULL::{kind} AS "{"happened_at" if name == "at" else name}"' for name, kind in types)
    connection.execute(f"CREATE VIEW {name} AS SELECT {columns}, ''::VARCHAR AS context, ''::VARCHAR AS type, "
                       "NULL::DATE AS day WHERE false")  # fmt: skip


def _types(connection: Any, schema: Any) -> list[tuple[str, str]]:
    """The columns of an Arrow schema, with DuckDB's types."""
    relation = connection.from_arrow(schema.empty_table())
    return list(zip(relation.columns, map(str, relation.types), strict=True))


def _close_doors(connection: Any, folder: Path) -> None:
    data = str((folder / "data").resolve()).replace("'", "''")
    plain = str(folder / "data").replace("'", "''")
    connection.execute(f"SET allowed_directories = ['{data}', '{plain}']")
    connection.execute("SET enable_external_access = false")
    connection.execute("SET lock_configuration = true")


def selected(connection: Any, sql: str) -> Any:
    """The answer to one SELECT, as an Arrow table.

    Raises:
        Refused: it is something else, or it makes no sense: then with DuckDB's own words, which name the line.
    """
    try:
        statements = connection.extract_statements(sql)
        if len(statements) != 1:
            raise Refused(f"one question at a time, and these are {len(statements)}")
        if not _asks_only(connection, statements[0], duckdb.StatementType):
            raise Refused("only what asks is run, that is SELECT (also WITH, FROM, DESCRIBE, SUMMARIZE and EXPLAIN): "
                          "nothing here can be changed, and --out FILE writes the answer")  # fmt: skip
        if statements[0].type == duckdb.StatementType.EXPLAIN:
            return _plan(connection.execute(statements[0]).fetchall())
        return _tidy(_table(connection, statements[0]))
    except duckdb.Error as error:
        raise Refused(f"{error}\n\n{there_are()}") from None


def _table(connection: Any, statement: Any) -> Any:
    try:
        return connection.sql(statement.query).to_arrow_table()
    except (duckdb.BinderException, duckdb.CatalogException):
        connection.execute(statement)  # the slower way says where in the text the error is
        raise


def _tidy(found: Any) -> Any:
    """The same table; sums of integers, which DuckDB makes 128 bits long, are int64 where they fit."""
    for at, field in enumerate(found.schema):
        if pa.types.is_decimal(field.type) and field.type.scale == 0:
            with suppress(pa.ArrowInvalid):
                found = found.set_column(at, field.name, found.column(at).cast(pa.int64()))
    return found


def _plan(rows: list[tuple[str, str]]) -> Any:
    return pa.table({"explain_key": [key for key, _ in rows], "explain_value": [plan for _, plan in rows]})


def _asks_only(connection: Any, statement: Any, kinds: Any) -> bool:
    if statement.type == kinds.EXPLAIN:
        inner = connection.extract_statements(EXPLAINED.sub("", statement.query, count=1))
        return len(inner) == 1 and bool(inner[0].type == kinds.SELECT)
    return bool(statement.type == kinds.SELECT)


def there_are() -> str:
    """Which views there are, in a few lines."""
    return (
        f"There are: events, {', '.join(name for name, _ in ready())}; and one per type: {', '.join(names().values())}"
    )
