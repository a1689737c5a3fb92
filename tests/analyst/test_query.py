"""SQL over the history says what the read models say, what the source files say, and no where it should."""

import asyncio
import json
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zlib import crc32

import duckdb
import pyarrow.parquet as pq
import pytest

from events import topics
from events.kafka import KafkaLog
from events.log import Place
from events.moments import offset_after
from events.registry import event_codec
from projections.order import ORDERS, OrderView
from projections.product import PRODUCTS
from projections.view import Projection
from tests.analyst.window import ORDERS as COUNT
from tests.bench.past import CANCELLED, DECLINED, REFUSED
from tests.operator.conftest import Said, cli_in
from workers.baskets import YEAR, Baskets, Window
from workers.fold import Fold
from workers.local import addresses

pytestmark = pytest.mark.infra

Query = Callable[..., Said]
MOMENTS = (
    "2017-01-01T00:00:00",
    "2017-01-01T20:13:14.2",
    "2017-01-03T09:00:00",
    "2017-01-04T18:00:00.01",
    "2018-01-01",
)
HOURS = """
    WITH raw AS (
        SELECT t.basket_id, t.quantity, coalesce(p.department, '') AS department,
          CAST(CAST(t.sales_value AS DECIMAL(14, 2)) * 100 AS BIGINT) AS value, nullif(t.quantity, 0) AS each
        FROM read_parquet($transactions) AS t LEFT JOIN read_parquet($products) AS p USING (product_id)
        WHERE t.basket_id IN (SELECT unnest($baskets))
    )
    SELECT department, sum(quantity * (value // each + CASE WHEN 2 * (value % each) >= each THEN 1 ELSE 0 END))::BIGINT
    FROM raw WHERE quantity BETWEEN 1 AND 100000 AND value > 0 GROUP BY department
"""


@pytest.fixture(scope="module")
def query(window: Path) -> Query:
    """`orders query` on an export that is up to date."""
    orders = cli_in({"ORDERLOG_HOME": str(window)})
    assert orders("query", "SELECT 1").code == 0
    return lambda *words: orders("query", *words)


def rows(query: Query, sql: str) -> list[dict[str, Any]]:
    said = query(sql, "--no-update", "--json")
    assert said.code == 0, said.err
    return json.loads(said.out)  # type: ignore[no-any-return]


async def folded(kafka: str, model: Projection, moment: str) -> dict[str, dict[str, Any]]:
    """The read model's rows as the log makes them up to a moment."""
    then = datetime.fromisoformat(moment).replace(tzinfo=UTC)
    log = KafkaLog(kafka)
    found: dict[str, dict[str, Any]] = {}
    try:
        for p in range(topics.PARTITIONS):
            fold = Fold(log, model, p)
            await fold.upto(await offset_after(log, Place(topics.events(model.context), p), then))
            found |= fold.rows()
    finally:
        await log.close()
    return found


LISTS = {"shipments", "returns", "notes", "staff_notes"}
"""What only the read model of orders has: in SQL, each is its events' own view."""


def plain(row: dict[str, Any]) -> dict[str, Any]:
    """Times as datetimes, whoever wrote them."""
    times = ("placed_at", "updated_at", "confirmed_at", "listed_at")
    return {
        name: datetime.fromisoformat(value).astimezone(UTC) if name in times and isinstance(value, str) else value
        for name, value in row.items()
        if name not in LISTS
    }


@pytest.mark.parametrize("moment", MOMENTS)
def test_orders_as_of_a_time_are_what_the_read_model_showed_then(query: Query, window: Path, moment: str) -> None:
    wanted = asyncio.run(folded(addresses(window)["kafka"], ORDERS, moment))
    found = {row["order_id"]: plain(row) for row in rows(query, f"FROM orders_as_of('{moment}')")}
    assert found == {key: plain(row) for key, row in wanted.items()}
    assert (len(found) == COUNT) == (moment == MOMENTS[-1])
    assert all(
        row.keys() == {*OrderView.__struct_fields__, "version", "partition", "position"} - LISTS
        for row in found.values()
    )


def test_stock_as_of_a_time_is_what_the_read_model_showed_then(query: Query, window: Path) -> None:
    wanted = asyncio.run(folded(addresses(window)["kafka"], PRODUCTS, MOMENTS[-1]))
    found = {row["sku"]: plain(row) for row in rows(query, f"FROM stock_as_of('{MOMENTS[-1]}')")}
    assert found
    assert found == {key: plain(row) for key, row in wanted.items()}
    assert rows(query, "FROM stock_as_of('2016-12-31 23:59:59')") == [], "all are listed just as the year begins"


def sold(baskets: Window, fates: tuple[range, ...]) -> list[int]:
    """The baskets of a window whose orders did not have one of these fates."""
    fate = {order.order_id: crc32(order.order_id.encode()) % 100 for order in Baskets.from_wheel().orders(baskets)}
    ids = {order.order_id: order for order in Baskets.from_wheel().orders(baskets)}
    kept = {name for name, dice in fate.items() if not any(dice in unlucky for unlucky in fates)}
    return [number for number, name in basket_ids().items() if name in kept and name in ids]


def basket_ids() -> dict[int, str]:
    """The order of every basket there is."""
    from uuid import uuid5

    from workers.baskets import NAMESPACE

    with duckdb.connect() as connection:
        found = connection.execute("SELECT DISTINCT basket_id FROM read_parquet(?)", [files()[0]]).fetchall()
    return {number: str(uuid5(NAMESPACE, str(number))) for (number,) in found}


def files() -> tuple[str, str]:
    folder = Baskets.from_wheel().folder
    return str(folder / "transactions.parquet"), str(folder / "products.parquet")


def of_source(baskets: list[int]) -> dict[str, int]:
    """Cents by department, as DuckDB adds them up over the source files."""
    transactions, products = files()
    with duckdb.connect() as connection:
        asked = {"transactions": transactions, "products": products, "baskets": baskets}
        return dict(connection.execute(HOURS, asked).fetchall())


@pytest.mark.parametrize(
    ("sql", "fates"),
    [
        ("SELECT department, sum(amount) AS cents FROM order_lines GROUP BY ALL", ()),
        ("SELECT department, sum(revenue) AS cents FROM revenue_by_day GROUP BY ALL", (REFUSED, DECLINED, CANCELLED)),
    ],
)
def test_every_departments_revenue_is_the_source_files_to_the_cent(
    query: Query, sql: str, fates: tuple[range, ...]
) -> None:
    found = {row["department"]: row["cents"] for row in rows(query, sql)}
    assert len(found) > 20
    assert found == of_source(sold(Window(YEAR.start, YEAR.end, COUNT), fates))


def test_the_funnel_counts_every_order_once_a_stage(query: Query) -> None:
    found = {row["stage"]: row for row in rows(query, "FROM funnel")}
    assert (found["placed"]["orders"], found["placed"]["percent"]) == (COUNT, 100)
    assert found["secured"]["orders"] > found["confirmed"]["orders"] > found["shipped"]["orders"]
    last = found["delivered"]["orders"] + found["rejected"]["orders"] + found["cancelled"]["orders"]
    assert last == COUNT


def test_saga_steps_are_the_times_between_what_happened_to_an_order(query: Query) -> None:
    [longest] = rows(query, "SELECT max(ms) AS ms FROM saga_steps WHERE step = 'shipped → delivered'")
    assert longest["ms"] == 2 * 86_400_000
    steps = rows(query, "SELECT step, count(*) AS orders FROM saga_steps GROUP BY ALL ORDER BY orders DESC")
    assert steps[0]["step"] == "placed → secured"


def test_every_type_has_a_view_with_its_columns_even_before_there_is_an_event(query: Query) -> None:
    views = {row["view"]: row["has"] for row in json.loads(query("--json").out)}
    assert len(views) >= len(event_codec.types)
    assert rows(query, "FROM payment_refunded") == []
    columns = {row["column_name"]: row["column_type"] for row in rows(query, "DESCRIBE payment_refunded")}
    assert columns["amount"] == "BIGINT"
    assert columns["happened_at"] == "TIMESTAMP WITH TIME ZONE"
    assert "token" not in {row["column_name"] for row in rows(query, "DESCRIBE payment_requested")}
    assert "payment_token" not in {row["column_name"] for row in rows(query, "DESCRIBE order_placed")}
    [counted] = rows(
        query, "SELECT count(*) AS events, count(DISTINCT event_id) AS ids, any_value(day) AS d FROM events"
    )
    assert counted["events"] == counted["ids"] > 10 * COUNT


def test_an_answer_is_written_as_its_file_is_named(query: Query, tmp_path: Path) -> None:
    sql = "SELECT department, sum(revenue) AS cents FROM revenue_by_day GROUP BY ALL ORDER BY ALL"
    for name in ("a.parquet", "a.csv", "a.json"):
        assert query(sql, "--no-update", "--out", str(tmp_path / name)).code == 0
    [*cents] = pq.read_table(tmp_path / "a.parquet").column("cents").to_pylist()
    assert cents == [row["cents"] for row in json.loads((tmp_path / "a.json").read_text())]
    assert (tmp_path / "a.csv").read_text().splitlines()[0] == '"department","cents"'
    assert len((tmp_path / "a.csv").read_text().splitlines()) == len(cents) + 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.csv", "a.json", "a.parquet"]


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (("SELEC 1",), 1, "LINE 1: SELEC 1"),
        (("SELECT 1,\nnix FROM events",), 1, "LINE 2: nix FROM events"),
        (("SELECT nix FROM events",), 1, "orders_as_of(moment)"),
        (("FROM orders_as_of('nix')",), 1, "timestamp"),
        (("SELECT 1; SELECT 2",), 1, "one question at a time"),
        (("",), 0, ""),
        (("COPY (SELECT 1) TO '{out}'",), 1, "only what asks"),
        (("EXPLAIN ANALYZE COPY (SELECT 1) TO '{out}'",), 1, "only what asks"),
        (("CREATE TABLE a AS SELECT 1",), 1, "only what asks"),
        (("ATTACH '{out}'",), 1, "only what asks"),
        (("SET enable_external_access = true",), 1, "only what asks"),
        (("SELECT * FROM read_text('/etc/hostname')",), 1, "Permission Error"),
        (("SELECT 1", "--out", "{out}/x.csv"), 1, "cannot be written"),
        (("SELECT 1", "--format", "parquet"), 2, "--out"),
        (("SELECT 1", "--out", "{out}"), 2, "--format"),
        (("SELECT 1", "--folder", "{out}"), 3, "--no-update"),
    ],
)
def test_what_makes_no_sense_is_refused_with_the_way_out(
    query: Query, tmp_path: Path, words: tuple[str, ...], code: int, says: str
) -> None:
    said = query(*(word.format(out=tmp_path / "out") for word in words), "--no-update")
    assert (said.code, says in said.err) == (code, True), said.err
    assert list(tmp_path.iterdir()) == []


def test_a_folder_of_another_format_is_refused(query: Query, window: Path, tmp_path: Path) -> None:
    orders = cli_in({"ORDERLOG_HOME": str(window)})
    assert orders("replay", "--context", "user", "--format", "csv", "--to-folder", str(tmp_path / "csv")).code == 0
    for more in ((), ("--no-update",)):
        said = query("SELECT 1", "--folder", str(tmp_path / "csv"), *more)
        assert (said.code, "as csv" in said.err) == (1, True), said.err


def test_the_command_line_starts_without_the_libraries_that_sql_needs() -> None:
    code = """
import importlib.util, sys
found = importlib.util.find_spec
importlib.util.find_spec = lambda name, *more: None if name in ("duckdb", "pyarrow") else found(name, *more)
sys.modules.update(duckdb=None, pyarrow=None)
from workers.cli import cli
cli(["query", "FROM funnel"])
"""
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "orderlog[data]" in said.stderr, said.stderr
    assert said.returncode == 1
