"""Search over HTTP: words and filters together, what each facet counts, pages that neither lose nor repeat."""

from collections import Counter
from collections.abc import Iterator
from itertools import groupby, product
from random import Random
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

import pytest

from api.answers import write_cursor
from api.questions import signature
from projections.finding import BANDS, SORTS
from projections.postgres import DatabaseUnavailable
from tests.api.world import World, settings

pytestmark = pytest.mark.anyio

DEPARTMENTS, BRANDS, CURRENCIES = ("TEA", "DELI", ""), ("National", "Private", ""), ("EUR", "USD")
Row = dict[str, Any]


class Shelf:
    """Products that share a word which no other product has, and what a shopper must find among them."""

    def __init__(self, world: World, word: str, rows: list[Row]) -> None:
        self.world, self.word, self.rows = world, word, rows

    async def ask(self, **more: Any) -> Row:
        answer = await self.world.client.get("/products/search", params={"q": self.word, **more})
        assert answer.status_code == 200, answer.text
        page: Row = answer.json()
        return page

    def fitting(self, asked: Row, but: tuple[str, ...] = ()) -> list[Row]:
        given = {name: value for name, value in asked.items() if name not in but}
        return [row for row in self.rows if all(_fits(row, name, value) for name, value in given.items())]


def _fits(row: Row, name: str, value: Any) -> bool:
    match name:
        case "min_price":
            return bool(row["price"] >= value)
        case "max_price":
            return bool(row["price"] <= value)
        case "in_stock":
            return bool((row["stock"] > 0) == value)
        case "currency":
            return bool(row["currency"] == value)
        case _:
            return bool(row[name] in value)


@pytest.fixture(scope="module")
async def shelf(world: World) -> Shelf:
    word, random = f"w{uuid4().hex[:10]}", Random(3)
    rows = [
        {
            "sku": f"{word}-{nth:02}",
            "name": f"{word} {random.choice(('oolong', 'Assam', 'zest', 'Éclair'))}",
            "department": department,
            "brand": brand,
            "price": random.choice((0, 99, 100, 450, 450, 100_000)),
            "currency": random.choice(CURRENCIES),
            "stock": random.choice((0, 3)),
        }
        for nth, (department, brand, _) in enumerate(product(DEPARTMENTS, BRANDS, range(4)))
    ]
    answers = [await world.post("/products", row) for row in rows]
    assert {answer.status_code for answer in answers} == {201}
    return Shelf(world, word, rows)


def questions() -> Iterator[Row]:
    """Filters in all sorts of company."""
    random = Random(11)
    for _ in range(40):
        asked: Row = {
            "department": random.sample(DEPARTMENTS, random.randint(1, 2)),
            "brand": random.sample(BRANDS, random.randint(1, 2)),
            "min_price": random.choice((0, 99, 100)),
            "max_price": random.choice((99, 450, 100_000)),
            "currency": random.choice(CURRENCIES),
            "in_stock": random.choice((True, False)),
        }
        kept = {name: value for name, value in asked.items() if random.random() < 0.4}
        if kept.get("min_price", 0) <= kept.get("max_price", 10**6):
            yield kept


def counted(rows: list[Row], name: str) -> dict[str, int]:
    return dict(Counter(row[name] for row in rows))


async def test_a_search_finds_what_fits_and_each_facet_counts_what_the_others_leave(shelf: Shelf) -> None:
    for asked in questions():
        page = await shelf.ask(**asked, limit=200)
        assert {item["sku"] for item in page["items"]} == {row["sku"] for row in shelf.fitting(asked)}, asked
        assert page["total"] == len(page["items"])
        for facet, name in (("departments", "department"), ("brands", "brand")):
            found = {each["value"]: each["count"] for each in page["facets"][facet]}
            assert found == counted(shelf.fitting(asked, (name,)), name), (facet, asked)
        wanted = Counter(
            (row["currency"], sum(row["price"] >= band for band in BANDS))
            for row in shelf.fitting(asked, ("min_price", "max_price"))
        )
        assert sum(band["count"] for band in page["facets"]["prices"]) == sum(wanted.values())
        for band in page["facets"]["prices"]:
            assert band["count"] == wanted[band["currency"], sum(band["min_price"] >= each for each in BANDS)]


async def test_what_a_facet_offers_finds_as_many_as_it_counts(shelf: Shelf) -> None:
    facets = (await shelf.ask(brand="Private"))["facets"]
    for each in facets["departments"]:
        assert (await shelf.ask(brand="Private", department=each["value"]))["total"] == each["count"]
    for band in facets["prices"]:
        asked = {name: value for name, value in band.items() if name != "count" and value is not None}
        assert (await shelf.ask(brand="Private", **asked))["total"] == band["count"]


@pytest.mark.parametrize("sort", SORTS)
async def test_pages_have_everything_once_in_one_order(shelf: Shelf, sort: str) -> None:
    whole = [item["sku"] for item in (await shelf.ask(sort=sort, limit=200, in_stock=True))["items"]]
    page = await shelf.ask(sort=sort, limit=3, in_stock=True)
    found = [item["sku"] for item in page["items"]]
    while page["next"]:
        page = (await shelf.world.client.get(page["next"])).json()
        assert (page["total"], page["facets"]) == (None, None)
        found += [item["sku"] for item in page["items"]]
    assert found == whole
    rows = {row["sku"]: row for row in shelf.fitting({"in_stock": True})}
    orders = {
        "price": sorted(rows, key=lambda sku: (rows[sku]["price"], sku)),
        "-price": sorted(rows, key=lambda sku: (-rows[sku]["price"], sku)),
        "newest": sorted(rows, reverse=True),
    }
    assert found == orders.get(sort, found)
    if sort == "name":
        names = [rows[sku]["name"].lower() for sku in found]
        assert len(list(groupby(names))) == len(set(names)), "the same names stand together"


async def test_pages_hold_together_while_the_catalogue_grows(shelf: Shelf, world: World) -> None:
    first = await shelf.ask(sort="-price", limit=20)
    dearer = f"{shelf.word}-new"
    row = {**shelf.rows[0], "sku": dearer, "price": 999_999}
    assert (await world.post("/products", row)).status_code == 201
    shelf.rows.append(row)
    rest = (await world.client.get(first["next"])).json()
    found = [item["sku"] for item in first["items"] + rest["items"]]
    assert len(found) == len(set(found)) == len(shelf.rows) - 1


async def test_prices_and_stock_are_those_of_now(shelf: Shelf, world: World) -> None:
    sku = await world.listed(stock=1, name=f"tin {(word := f'w{uuid4().hex[:10]}')}")
    await world.post(f"/products/{sku}/price", {"price": 777, "currency": "EUR"})
    await world.post(f"/products/{sku}/stock/count", {"quantity": 0})
    page = (await world.client.get("/products/search", params={"q": word, "in_stock": "false"})).json()
    assert [(item["price"], item["available"]) for item in page["items"]] == [(777, 0)]
    assert (await world.client.get("/products/search", params={"q": word, "in_stock": "true"})).json()["items"] == []


async def test_without_words_the_whole_catalogue_is_there_and_what_is_withdrawn_is_not(world: World) -> None:
    department = f"d{uuid4().hex[:10]}"
    skus = [await world.listed() for _ in range(3)]
    for sku in skus:
        await world.post(f"/products/{sku}/describe", {"name": "x", "department": department, "brand": "B"})
    await world.post(f"/products/{skus[0]}/withdraw")
    page = (await world.client.get("/products/search", params={"department": department})).json()
    assert [item["sku"] for item in page["items"]] == sorted(skus[1:])
    assert {"value": department, "count": 2} in page["facets"]["departments"]
    assert page["facets"]["brands"] == [{"value": "B", "count": 2}]


async def test_a_read_model_of_before_that_lacks_a_column_is_waited_for(world: World) -> None:
    with pytest.raises(DatabaseUnavailable):
        await world.databases["product"].fetch("SELECT column_of_tomorrow FROM products")


INJECTED = [
    "'; DROP TABLE search; --",
    "%(q)s",
    "%s",
    "{0}",
    "') OR true --",
    "\\x00",
    "$1",
    'x" OR "1'.replace("\\", ""),
]


def signed(cursor: str, **filters: str) -> str:
    """The cursor as the list would give it."""
    said = urlencode(sorted(filters.items()))
    return f"{cursor}.{signature(settings().account_secret, cursor, '/products/search', said)}"


@pytest.mark.parametrize("words", INJECTED)
async def test_what_looks_like_sql_is_a_word_like_any_other(shelf: Shelf, words: str) -> None:
    for name in ("department", "brand"):
        assert (await shelf.ask(**{name: words}))["items"] == []
    assert (await shelf.world.client.get("/products/search", params={"q": words})).status_code == 200
    for sort in SORTS:
        place = {"relevance": [False, -1.0, words], "name": [words, words]}.get(sort, [0, words])
        await shelf.ask(sort=sort, cursor=signed(write_cursor(place, sort), q=shelf.word, sort=sort))
    assert len((await shelf.ask(limit=200))["items"]) == len(shelf.rows)


@pytest.mark.parametrize(
    "cursor",
    [
        write_cursor([0, "x"], "name"),
        write_cursor([2**70, "x"], "price"),
        write_cursor(["x", "x"], "price"),
        write_cursor([0, "a\0b"], "price"),
        write_cursor([0], "price"),
        write_cursor("x"),
    ],
)
async def test_a_cursor_of_another_list_is_refused(shelf: Shelf, cursor: str) -> None:
    asked = {"sort": "price", "cursor": signed(cursor, sort="price")}
    answer = await shelf.world.client.get("/products/search", params=asked)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "cursor")
