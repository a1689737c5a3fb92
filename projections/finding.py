"""Finding asks the search view: words and filters in, a page of products and counts by department, brand and price out.

The text of a question is put together from constants only, so that its plan uses the indexes it can; whatever a
person has typed is a parameter.
"""

from collections.abc import Collection, Iterable
from datetime import datetime
from functools import cache
from typing import Annotated, Any

from msgspec import Meta, Struct

_Count = Annotated[int, Meta(ge=-(2**62), le=2**62)]
_Rank = Annotated[float, Meta(ge=-100, le=0)]

SORTS: dict[str, tuple[dict[str, str], Any]] = {
    "relevance": ({"NOT exact": "bool", "-rank": "float8", "sku": "text"}, tuple[bool, _Rank, str]),
    "price": ({"price": "int8", "sku": "text"}, tuple[_Count, str]),
    "-price": ({"-price": "int8", "sku": "text"}, tuple[_Count, str]),
    "newest": ({"-(extract(epoch FROM listed_at) * 1000000)::int8": "int8", "sku": "text"}, tuple[_Count, str]),
    "name": ({"lower(name)": "text", "sku": "text"}, tuple[str, str]),
}
"""What each order sorts by, all of it upwards and the SKU last, with SQL types; and the shape of a place in it."""

BANDS = (100, 200, 500, 1000, 2000, 5000, 10_000, 20_000, 50_000, 100_000)
"""Where a band of prices begins, in minor units; the first begins at 0, the last has no end."""

MANY = 50
"""Departments and brands that are counted one by one: those with most products."""

FILTERS = {
    "departments": "s.department = ANY(%(departments)s)",
    "brands": "s.brand = ANY(%(brands)s)",
    "min_price": "p.price >= %(min_price)s",
    "max_price": "p.price <= %(max_price)s",
    "currency": "p.currency = %(currency)s",
    "in_stock": "(p.available > 0) = %(in_stock)s",
}
OWN = {"departments": ("departments",), "brands": ("brands",), "prices": ("min_price", "max_price")}
"""The filters that each facet leaves out, for it shows what else there is to choose."""


class Found(Struct, frozen=True):
    """A product that fits; price in minor units.

    `exact`: it has the words, and its `rank` is above 1; else its name is like them, by its `rank`, which is 1 at most.
    """

    sku: str
    name: str
    department: str
    brand: str
    price: int
    currency: str
    available: int
    listed_at: datetime
    exact: bool
    rank: float


class Counted(Struct, frozen=True):
    """So many of the products that fit are of this department or brand; one without any has the empty name."""

    value: str
    count: int


class PriceBand(Struct, frozen=True):
    """So many cost between these, both included, in minor units of the currency; the last band has no end."""

    currency: str
    min_price: int
    max_price: int | None
    count: int


class Facets(Struct, frozen=True):
    """Counts by department, brand and price: each of what all other filters leave, those with most products first."""

    departments: list[Counted]
    brands: list[Counted]
    prices: list[PriceBand]


class FoundPage(Struct, frozen=True):
    """One page; `total` and `facets` come with the first one, and are null on those that follow."""

    items: list[Found]
    next: str | None
    total: int | None
    facets: Facets | None


def question(given: Collection[str], sort: str, counted: bool) -> str:
    """SQL for a search by the `given` filters, in one of SORTS: its one row has `items` and, if asked, the counts.

    An item has its `place`, the values that it is sorted by; with `place0`, `place1` … given, those behind that.
    """
    return _question(frozenset(given), sort, counted)


@cache
def _question(given: frozenset[str], sort: str, counted: bool) -> str:
    keys, _ = SORTS[sort]
    tests = {name: test for name, test in FILTERS.items() if name in given}
    apart = [name for own in OWN.values() for name in own if name in tests] if counted else []
    where = [test for name, test in ({"q": _FITS} | tests).items() if name in given and name not in apart]
    flags = "".join(f", {tests[name]} AS by_{name}" for name in apart)
    chosen = _all(f"by_{name}" for name in apart)
    places = ", ".join(f"%(place{n})s::{kind}" for n, kind in enumerate(keys.values()))
    behind = f"({', '.join(keys)}) > ({places})" if "place0" in given else "true"
    order = ", ".join(keys)
    return f"""
WITH fitting AS {"MATERIALIZED" if counted else "NOT MATERIALIZED"} (
  SELECT s.sku, s.name, s.department, s.brand, p.price, p.currency, p.available, p.listed_at,
    {_RANKED if "q" in given else _ALL_ALIKE}{flags}
  FROM search AS s JOIN products AS p ON p.sku = s.sku{_ASKED if "q" in given else ""}
  WHERE {_all(["NOT s.withdrawn", *where])}
), page AS (
  SELECT *, jsonb_build_array({order}) AS place, row_number() OVER (ORDER BY {order}) AS nth FROM (
    SELECT sku, name, department, brand, price, currency, available, listed_at, exact, rank
    FROM fitting WHERE {chosen} AND {behind} ORDER BY {order} LIMIT %(limit)s
  ) AS few
)
SELECT (SELECT coalesce(jsonb_agg(to_jsonb(page) - 'nth' ORDER BY nth), '[]') FROM page) AS items{
        _counts(apart, chosen) if counted else ""
    }
"""  # noqa: S608  only constants are put in


_ASKED = " CROSS JOIN websearch_to_tsquery('simple', %(q)s) AS asked"
_FITS = "(s.words @@ asked OR %(q)s <%% s.name)"
_ALL_ALIKE = "true AS exact, 1::float8 AS rank"
_RANKED = """s.words @@ asked AS exact,
    (CASE WHEN s.words @@ asked THEN 1 + ts_rank(s.words, asked) ELSE word_similarity(%(q)s, s.name) END)::float8
    AS rank"""


def _counts(apart: Collection[str], chosen: str) -> str:
    others = {facet: _all(f"by_{name}" for name in apart if name not in own) for facet, own in OWN.items()}
    bands = ", ".join(map(str, BANDS))
    return f""",
  (SELECT count(*) FROM fitting WHERE {chosen}) AS total,
  jsonb_build_object(
    'departments', {_values("department", others["departments"])},
    'brands', {_values("brand", others["brands"])},
    'prices', (SELECT coalesce(jsonb_agg(jsonb_build_object('currency', currency,
        'min_price', coalesce((ARRAY[{bands}])[nullif(band, 0)], 0), 'max_price', (ARRAY[{bands}])[band + 1] - 1,
        'count', count) ORDER BY currency, band), '[]')
      FROM (SELECT currency, width_bucket(price, ARRAY[{bands}]::int8[]) AS band, count(*)
        FROM fitting WHERE {others["prices"]} GROUP BY 1, 2) AS bands)
  ) AS facets"""  # noqa: S608


def _values(column: str, fits: str) -> str:
    return f"""(SELECT coalesce(jsonb_agg(jsonb_build_object('value', {column}, 'count', count)
        ORDER BY count DESC, {column}), '[]')
      FROM (SELECT {column}, count(*) FROM fitting WHERE {fits} GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT {MANY}) AS most)"""  # noqa: S608


def _all(tests: Iterable[str]) -> str:
    return " AND ".join(tests) or "true"
