"""Resources are what the read models say: one order from its placing to its delivery, and lists of everything."""

from uuid import uuid4

import pytest

from tests.api.world import World, order

NOBODY = "5d7216e6-0bfd-4369-8e6e-c8c8e6c0113d"

pytestmark = pytest.mark.anyio


async def test_an_order_goes_all_the_way(world: World) -> None:
    row = await world.placed(sku := await world.listed(stock=3))
    url = f"/orders/{row['order_id']}"
    assert (await world.settled(row["order_id"]))["status"] == "confirmed"
    await world.until(url, ready_to_ship=True)
    shipped = await world.post(f"{url}/ship", {"tracking": "T-1"})
    assert (shipped.status_code, shipped.json()["status"], shipped.json()["tracking"]) == (200, "shipped", "T-1")
    assert (await world.post(f"{url}/cancel")).json()["code"] == "OrderAlreadyShipped"
    assert (await world.post(f"{url}/deliver")).json()["status"] == "delivered"
    await world.until(f"/products/{sku}", on_hand=2, held=0, shipped=1)
    await world.until(f"/payments/{row['order_id']}", status="captured", captured=250)


async def test_a_history_tells_all_and_keeps_the_card(world: World) -> None:
    row = await world.placed(await world.listed(), payment_token="tok_secret")
    await world.settled(row["order_id"])
    answer = await world.client.get(f"/orders/{row['order_id']}/history")
    types = [event["type"] for event in answer.json()["items"]]
    assert types[0] == "order.placed.v1"
    assert "order.confirmed.v1" in types
    assert [event["version"] for event in answer.json()["items"]] == list(range(1, len(types) + 1))
    assert "tok_secret" not in answer.text


async def test_who_waits_for_an_order_gets_it_rejected_with_the_reason(world: World) -> None:
    row = await world.placed(await world.listed(stock=0))
    settled = await world.settled(row["order_id"])
    assert settled["status"] == "rejected"
    assert settled["reason"]


async def test_money_is_given_back_once_per_request(world: World) -> None:
    row = await world.placed(await world.listed())
    await world.until(f"/payments/{row['order_id']}", status="captured")
    url, key = f"/orders/{row['order_id']}/refund", str(uuid4())
    for _ in range(2):
        assert (await world.post(url, {"amount": 100}, Idempotency_Key=key)).status_code == 200
    await world.until(f"/payments/{row['order_id']}", refunded=100, status="captured")
    assert (await world.post(url, {"amount": 500})).json()["code"] == "RefundTooLarge"


async def test_customers_orders_come_page_by_page_the_latest_first(world: World) -> None:
    sku, customer = await world.listed(), f"c-{uuid4().hex}"
    placed = [(await world.placed(sku, customer_id=customer))["order_id"] for _ in range(5)]
    url, found = f"/orders?customer_id={customer}&limit=2", []
    while url:
        page = await world.client.get(url)
        found.append([row["order_id"] for row in page.json()["items"]])
        url = page.json()["next"]
        assert (page.headers.get("link") is None) == (url is None)
    assert found == [placed[:2:-1], placed[2:0:-1], placed[:1]]
    rejected = await world.client.get("/orders", params={"customer_id": customer, "status": "rejected"})
    assert rejected.json() == {"items": [], "next": None}


async def test_products_are_found_by_words_and_listed_by_sku(world: World) -> None:
    word = f"w{uuid4().hex[:10]}"
    skus = sorted([await world.listed(name=f"Tea {word}") for _ in range(3)])
    first = (await world.client.get("/products", params={"q": word, "limit": "2"})).json()
    rest = (await world.client.get(first["next"])).json()
    assert [row["sku"] for row in first["items"] + rest["items"]] == skus
    assert rest["next"] is None
    odd = await world.client.get("/products", params={"q": "\"' OR (-)) & | ! : * %"})
    assert odd.status_code == 200


async def test_a_product_changes_by_commands(world: World) -> None:
    url = f"/products/{await world.listed(stock=10)}"
    for command, body, wanted in (
        ("describe", {"name": "Black tea", "department": "drinks"}, {"name": "Black tea", "department": "drinks"}),
        ("price", {"price": 300}, {"price": 300}),
        ("stock/receive", {"quantity": 5}, {"on_hand": 15}),
        ("stock/adjust", {"delta": -2, "reason": "broken"}, {"on_hand": 13}),
        ("stock/count", {"quantity": 12}, {"on_hand": 12, "available": 12}),
        ("withdraw", {}, {"withdrawn": True}),
    ):
        answer = await world.post(f"{url}/{command}", body)
        assert answer.status_code == 200, answer.text
        assert wanted.items() <= answer.json().items()


async def test_customers_are_told(world: World) -> None:
    row = await world.placed(await world.listed())
    url = f"/orders/{row['order_id']}/notifications"
    await world.settled(row["order_id"])
    found = await world.listing(url)
    assert found[0]["recipient"] == "ada@example.org"
    listed = (await world.client.get("/notifications", params={"limit": "1"})).json()
    assert len(listed["items"]) == 1


async def test_payments_are_listed_the_latest_first(world: World) -> None:
    sku = await world.listed()
    for _ in range(2):
        await world.settled((await world.placed(sku))["order_id"])
    items = (await world.client.get("/payments", params={"limit": "2"})).json()["items"]
    assert items[0]["requested_at"] >= items[1]["requested_at"]


@pytest.mark.parametrize(
    ("url", "code"),
    [
        (f"/orders/{NOBODY}", "OrderUnknown"),
        (f"/orders/{NOBODY}?wait_for=settled&timeout=0.1", "OrderUnknown"),
        (f"/orders/{NOBODY}/history", "OrderUnknown"),
        (f"/products/{NOBODY}", "ProductUnknown"),
        (f"/products/{NOBODY}/stock", "ProductUnknown"),
        (f"/payments/{NOBODY}", "PaymentUnknown"),
    ],
)
async def test_what_the_read_model_has_not_is_a_404(world: World, url: str, code: str) -> None:
    answer = await world.client.get(url)
    assert (answer.status_code, answer.json()["code"]) == (404, code)


async def test_rows_show_nothing_of_where_they_lie(world: World) -> None:
    row = await world.placed(await world.listed())
    assert not {"partition", "position"} & row.keys()
    assert row["version"] >= 1


async def test_an_order_of_the_largest_size_is_placed(world: World) -> None:
    sku = await world.listed(stock=1000)
    row = await world.placed(sku, lines=order(*[sku] * 500)["lines"])
    assert (row["line_count"], row["total"]) == (500, 125_000)
