"""Questions that the newer read models answer: what is found by words and typos, what was spent, what was sold."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from api.app import create_app
from events.memory import MemoryLog
from projections.postgres import Database
from tests.api.world import World, client_of, order, settings

pytestmark = pytest.mark.anyio


async def found(world: World, words: str, **more: str) -> list[dict[str, Any]]:
    answer = await world.client.get("/products/search", params={"q": words, **more})
    assert answer.status_code == 200, answer.text
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


async def test_exact_words_come_before_typos_and_what_is_withdrawn_not_at_all(world: World) -> None:
    exact = await world.listed(name="Dark chocolade deluxe")
    alike = await world.listed(name="Dark chocolate")
    gone = await world.listed(name="White chocolade")
    await world.post(f"/products/{gone}/withdraw")

    items = await found(world, "chocolade")
    skus = [item["sku"] for item in items]
    assert skus[0] == exact
    assert (alike in skus, gone in skus) == (True, False)
    assert [item["exact"] for item in items] == sorted((item["exact"] for item in items), reverse=True)
    assert items[0]["rank"] > 1 >= items[-1]["rank"] > 0
    assert [item["rank"] for item in items] == sorted((item["rank"] for item in items), reverse=True)
    assert len(await found(world, "chocolade", limit="1")) == 1


async def test_names_count_more_than_departments_and_these_more_than_descriptions(world: World) -> None:
    word = f"w{uuid4().hex[:8]}"
    placed = [await world.listed(name="Tin") for _ in range(2)] + [await world.listed(name=f"{word} tin")]
    await world.post(f"/products/{placed[0]}/describe", {"name": "Tin", "description": f"like {word}"})
    await world.post(f"/products/{placed[1]}/describe", {"name": "Tin", "department": word})
    assert [item["sku"] for item in await found(world, word)] == placed[::-1]


@pytest.mark.parametrize("words", ["\"' OR (-)) & | ! : * %", "%", "_", "\\", "''", "-nothing", "tea or", "é ß 日本"])
async def test_whatever_people_type_is_searched_for(world: World, words: str) -> None:
    await found(world, words)


async def test_a_stranger_has_spent_nothing(world: World) -> None:
    assert (await world.client.get("/customers/nobody/spending")).json() == {"items": []}


async def test_what_is_cancelled_is_taken_back(world: World) -> None:
    sku, customer = await world.listed(), f"c-{uuid4().hex}"
    kept, gone = [(await world.placed(sku, customer_id=customer))["order_id"] for _ in range(2)]
    for order_id in (kept, gone):
        assert (await world.settled(order_id))["status"] == "confirmed"
    url, row = f"/customers/{customer}/spending", {"customer_id": customer, "currency": "EUR"}
    assert (await world.client.get(url)).json()["items"] == [{**row, "orders": 2, "spent": 500}]
    await world.post(f"/orders/{gone}/cancel")
    assert (await world.client.get(url)).json()["items"] == [{**row, "orders": 1, "spent": 250}]
    everybody = (await world.client.get("/spending", params={"currency": "EUR", "limit": "200"})).json()["items"]
    assert {**row, "orders": 1, "spent": 250} in everybody
    assert (await world.client.get("/spending?currency=XTS")).json() == {"items": []}


async def test_revenue_is_of_the_days_asked_for_by_the_departments_that_the_catalogue_has(world: World) -> None:
    department, sku, tea = f"d-{uuid4().hex[:8]}", await world.listed(), await world.listed()
    await world.post(f"/products/{sku}/describe", {"name": "x", "department": department})
    row = await world.placed(sku, lines=order(sku, sku, tea)["lines"])
    await world.settled(row["order_id"])

    today = datetime.now(UTC).date()
    days = {"from": str(today - timedelta(days=1)), "to": str(today)}
    report = (await world.client.get("/revenue", params={**days, "by": "department,day"})).json()
    mine = [item for item in report["items"] if item["department"] == department]
    assert [(item["currency"], item["quantity"], item["revenue"]) for item in mine] == [("EUR", 2, 500)]
    assert ({"from", "to"} <= report.keys(), mine[0]["day"] in days.values()) == (True, True)
    past = await world.client.get("/revenue", params={"from": "0001-01-01", "to": "0001-01-02"})
    assert past.json() == {"from": "0001-01-01", "to": "0001-01-02", "items": []}
    assert (await world.client.get("/revenue?to=0001-01-01")).json()["from"] == "0001-01-01"


async def test_who_does_not_serve_products_says_that_departments_are_not_known_here(
    world: World, postgres: str
) -> None:
    databases = {"order": Database(postgres, world.databases["order"].context)}
    async with client_of(create_app(settings(contexts="order"), log=MemoryLog(), databases=databases)) as client:
        answer = await client.get("/revenue")
        assert (answer.status_code, answer.json()["code"]) == (404, "NotServedHere")
        assert "product" in answer.json()["detail"]
        assert (await client.get("/revenue?by=day")).status_code == 200
        assert (await client.get("/products/tea/stock")).status_code == 404
