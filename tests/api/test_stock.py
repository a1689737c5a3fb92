"""Prices, stock by location, low stock and back in stock, over HTTP."""

import asyncio
from uuid import uuid4

import pytest

from tests.api.world import World, order

pytestmark = pytest.mark.anyio


async def test_a_product_tells_what_it_cost_since_when_and_why(world: World) -> None:
    sku = await world.listed()
    for price, reason in ((300, "frost in Assam"), (275, "")):
        changed = await world.post(f"/products/{sku}/price", {"price": price, "currency": "EUR", "reason": reason})
        assert changed.status_code == 200
    url = f"/products/{sku}/prices"
    now, frost, listed = (await world.client.get(url)).json()["items"]
    assert [(item["price"], item["reason"]) for item in (now, frost, listed)] == [
        (275, ""),
        (300, "frost in Assam"),
        (250, "listed"),
    ]
    assert (listed["until"], frost["until"], now["until"]) == (frost["since"], now["since"], None)
    assert all(item["request"] for item in (now, frost, listed))
    first = (await world.client.get(f"{url}?limit=2")).json()
    rest = (await world.client.get(first["next"])).json()
    assert (first["items"], rest) == ([now, frost], {"items": [listed], "next": None})
    assert (await world.client.get("/products/nothing/prices")).json()["code"] == "ProductUnknown"
    assert (await world.client.get(f"{url}?cursor=WyJ4Il0")).status_code == 422


async def test_an_order_keeps_the_price_that_it_was_placed_at(world: World) -> None:
    placed = await world.placed(sku := await world.listed())
    await world.post(f"/products/{sku}/price", {"price": 999, "currency": "EUR", "reason": "dearer"})
    await world.settled(placed["order_id"])
    row = await world.until(f"/payments/{placed['order_id']}", status="captured")
    now = (await world.client.get(f"/orders/{placed['order_id']}")).json()
    assert ([line["unit_price"] for line in now["lines"]], now["total"], row["captured"]) == ([250], 250, 250)


async def test_an_order_is_filled_from_several_locations_the_fullest_first(world: World) -> None:
    sku = await world.listed(stock=1)
    stock = f"/products/{sku}/stock"
    await world.post(f"{stock}/receive", {"quantity": 4, "location": "annex"})
    moved = (await world.post(f"{stock}/transfer", {"quantity": 1, "source": "annex", "target": "shop"})).json()
    assert (moved["on_hand"], moved["locations"]) == (5, {"main": 1, "annex": 3, "shop": 1})
    too_many = await world.post(f"{stock}/transfer", {"quantity": 4, "source": "annex", "target": "shop"})
    assert (too_many.status_code, too_many.json()["code"]) == (409, "StockElsewhere")

    lines = order(sku)["lines"]
    lines[0]["quantity"] = 4
    placed = await world.placed(sku, lines=lines)
    await world.until(f"/orders/{placed['order_id']}", ready_to_ship=True)
    held = await world.until(stock, held=4)
    assert (held["available"], held["locations"]) == (1, {"main": 1, "annex": 3, "shop": 1})
    await world.post(f"/orders/{placed['order_id']}/ship")
    row = await world.until(f"/products/{sku}", shipped=4)
    assert row["locations"] == {"shop": 1}


async def test_stock_that_is_low_says_so_and_is_found(world: World) -> None:
    word = f"w{uuid4().hex[:10]}"
    sku = await world.listed(stock=3, name=word)
    whom = f"{word}@example.org"
    row = (await world.post(f"/products/{sku}/stock/low", {"threshold": 2, "tell": whom})).json()
    assert (row["threshold"], row["low"]) == (2, False)
    low = f"/products?q={word}&low=true"
    assert (await world.client.get(low)).json()["items"] == []
    row = (await world.post(f"/products/{sku}/stock/adjust", {"delta": -1, "reason": "broken"})).json()
    assert row["low"] is True
    assert [item["sku"] for item in (await world.client.get(low)).json()["items"]] == [sku]
    assert "2 can still be sold" in (await world.mail(whom, "is running low")).text
    assert (await world.post(f"/products/{sku}/stock/low", {})).json()["errors"][0]["field"] == "threshold"


async def test_those_who_wait_get_one_mail_each_when_there_is_some_again(world: World) -> None:
    sku = await world.listed(stock=0)
    url = f"/products/{sku}/stock"
    for name in ("ada", "bob", "cid"):
        for _ in range(2):
            body = {"customer_id": name, "email": f"{name}@{sku}.example"}
            assert (await world.post(f"{url}/await", body)).status_code == 200
    await world.post(f"{url}/stop-awaiting", {"customer_id": "cid"})
    answer = await world.post(f"{url}/receive", {"quantity": 1})
    assert "example" not in answer.text, "nobody reads who else waits"

    await mailed(world, sku, "ada", "bob")
    # What comes next is heard of after all that came before: had anybody been told again, it would be there.
    await world.post(f"{url}/count", {"quantity": 0})
    await world.post(f"{url}/await", {"customer_id": "last", "email": f"last@{sku}.example"})
    await world.post(f"{url}/receive", {"quantity": 1})
    await mailed(world, sku, "ada", "bob", "last")
    refused = await world.post(f"{url}/await", {"customer_id": "ada", "email": "ada@example.org"})
    assert (refused.status_code, refused.json()["code"]) == (409, "StockThere")


async def mailed(world: World, sku: str, *names: str) -> None:
    """Wait until those, and nobody else, have had a mail of the product."""
    wanted = sorted(f"{name}@{sku}.example" for name in names)
    async with asyncio.timeout(15):
        while True:
            rows = await world.databases["notification"].fetch(
                "SELECT recipient FROM notifications WHERE about = %(about)s AND status = 'delivered'",
                {"about": f"product-{sku}"},
            )
            if len(rows) >= len(wanted):
                opened = world.app.state.system.keys.opened
                assert sorted([await opened(row["recipient"]) for row in rows]) == wanted
                return
            await asyncio.sleep(0.02)
