"""Odd lines are those the year has few or none of; here they are made up, in files of the same shape."""

from datetime import date
from pathlib import Path

import duckdb
import pytest

from schemas.order import MAX_LINES
from tests.baskets.oracle import expected
from workers.baskets import Baskets, Loaded, Window, unit_price

DAY = Window.of(date(2017, 1, 1))
Row = tuple[int, int, int, float, str]


def written(folder: Path, rows: list[Row]) -> Baskets:
    """Files with these rows: basket, product, quantity, sales value, moment; one product is described."""
    with duckdb.connect() as connection:
        connection.execute(
            "CREATE TABLE t (household_id BIGINT DEFAULT 7, basket_id BIGINT, product_id BIGINT, quantity BIGINT,"
            " sales_value DOUBLE, transaction_timestamp TIMESTAMP)"
        )
        connection.execute(
            "CREATE TABLE p AS SELECT 1::BIGINT AS product_id, 'GROCERY' AS department, 'Private' AS brand,"
            " 'ICE''S' AS product_category, 'ICE - CRUSHED/CUBED' AS product_type, '22 LB' AS package_size"
        )
        columns = "basket_id, product_id, quantity, sales_value, transaction_timestamp"
        connection.executemany(f"INSERT INTO t ({columns}) VALUES (?, ?, ?, ?, ?)", rows)
        connection.execute(f"COPY t TO '{folder / 'transactions.parquet'}'")
        connection.execute(f"COPY p TO '{folder / 'products.parquet'}'")
    return Baskets(folder)


def loaded(folder: Path, *rows: tuple[int, int, int, float]) -> Loaded:
    return written(folder, [(*row, "2017-01-01 12:00:00") for row in rows]).load(DAY)


def test_the_same_product_twice_stays_two_lines(tmp_path: Path) -> None:
    [order] = loaded(tmp_path, (1, 1, 2, 3.00), (1, 2, 1, 0.99), (1, 1, 1, 1.20)).orders

    assert [(line.sku, line.quantity, line.unit_price) for line in order.lines] == [
        ("1", 2, 150),
        ("2", 1, 99),
        ("1", 1, 120),
    ]


@pytest.mark.parametrize(
    ("value", "quantity", "cents"),
    [(0.05, 2, 3), (0.03, 2, 2), (0.25, 10, 3), (1.00, 3, 33), (2.00, 3, 67), (0.29, 1, 29), (8.15, 1, 815)],
)
def test_a_price_is_rounded_half_up_once(value: float, quantity: int, cents: int) -> None:
    assert unit_price(value, quantity) == cents


def test_lines_that_cannot_be_ordered_are_counted_by_reason(tmp_path: Path) -> None:
    odd = [(1, 1, 0, 1.0), (1, 1, 1, 0.0), (1, 1, 1, -2.0), (1, 1, 100_001, 1e6), (1, 1, 1, 2e7)]
    result = loaded(tmp_path, *odd, (1, 1, 100_000, 2_000.0))

    assert result.tally.skipped == {"no quantity": 1, "no value": 2, "out of bounds": 2}
    told = expected(tmp_path, DAY)
    assert (result.tally.orders, result.tally.lines, result.tally.cents) == (1, 1, 200_000) == told[:3]


def test_gasoline_is_counted_in_thousandths_of_a_gallon_and_costs_nothing_once_rounded(tmp_path: Path) -> None:
    result = loaded(tmp_path, (1, 1, 9_000, 20.0))

    assert [(line.quantity, line.unit_price) for line in result.orders[0].lines] == [(9_000, 0)]


def test_a_basket_without_a_line_left_is_counted_and_not_ordered(tmp_path: Path) -> None:
    result = loaded(tmp_path, (1, 1, 0, 0.0), (2, 1, 1, 1.0))

    assert (result.tally.empty, len(result.orders)) == (1, 1)


def test_a_basket_longer_than_an_order_may_be_is_cut_and_the_rest_counted(tmp_path: Path) -> None:
    result = loaded(tmp_path, *[(1, number, 1, 1.0) for number in range(1, MAX_LINES + 3)])

    assert [len(order.lines) for order in result.orders] == [MAX_LINES]
    assert result.tally.skipped == {"beyond the longest order": 2}


def test_a_window_takes_its_start_and_leaves_its_end(tmp_path: Path) -> None:
    moments = ["2016-12-31 23:59:59", "2017-01-01 00:00:00", "2017-01-01 23:59:59", "2017-01-02 00:00:00"]
    baskets = written(tmp_path, [(number, number, 1, 1.0, at) for number, at in enumerate(moments, 1)])

    assert [order.lines[0].sku for order in baskets.orders(DAY)] == ["2", "3"]


def test_a_product_is_named_by_what_is_known_of_it(tmp_path: Path) -> None:
    known, unknown = loaded(tmp_path, (1, 1, 1, 1.0), (1, 2, 1, 1.0), (2, 1, 2, 3.0)).products

    assert (known.name, known.description) == ("Ice - Crushed/Cubed, 22 LB", "Ice's, Private brand")
    assert (known.department, known.price) == ("GROCERY", 150)
    assert (unknown.name, unknown.description, unknown.department) == ("Product 2", "", "")
