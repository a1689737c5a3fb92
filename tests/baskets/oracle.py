"""The oracle says in SQL alone what a window of the files comes to, sharing no code with the loader."""

from datetime import UTC
from pathlib import Path
from typing import NamedTuple

import duckdb

from workers.baskets import Window

SQL = """
    WITH raw AS (
        SELECT basket_id, transaction_timestamp AS moment, quantity,
               CAST(CAST(sales_value AS DECIMAL(14, 2)) * 100 AS BIGINT) AS value
        FROM read_parquet($transactions)
        WHERE transaction_timestamp >= $start AND transaction_timestamp < $end
    ),
    priced AS (
        SELECT basket_id, moment, quantity,
               value // each + CASE WHEN 2 * (value % each) >= each THEN 1 ELSE 0 END AS price
        FROM (SELECT *, nullif(quantity, 0) AS each FROM raw)  -- filters may run after divisions
        WHERE quantity BETWEEN 1 AND 100000 AND value > 0
    ),
    baskets AS (
        SELECT basket_id, count(*) AS lines, sum(quantity * price) AS cents
        FROM priced WHERE price <= 1000000000
        GROUP BY basket_id, moment ORDER BY moment, basket_id LIMIT $orders
    )
    SELECT count(*), coalesce(sum(lines), 0)::BIGINT, coalesce(sum(cents), 0)::BIGINT,
           (SELECT count(*) FROM raw), (SELECT count(DISTINCT basket_id) FROM raw)
    FROM baskets
"""


class Expected(NamedTuple):
    """Kept orders, lines and cents; and all lines and baskets there are, kept or not."""

    orders: int
    lines: int
    cents: int
    raw_lines: int
    raw_baskets: int


def expected(folder: Path, window: Window) -> Expected:
    start, end = (moment.astimezone(UTC).replace(tzinfo=None) for moment in (window.start, window.end))
    parameters = {"transactions": str(folder / "transactions.parquet"), "start": start, "end": end}
    with duckdb.connect() as connection:
        row = connection.execute(SQL, {**parameters, "orders": window.orders}).fetchone()
    assert row is not None
    return Expected(*row)
