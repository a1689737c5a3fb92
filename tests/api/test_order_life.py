"""The life of an order over HTTP: lines cancelled, parts shipped, goods sent back, notes, and who it was."""

from typing import Any
from uuid import uuid4

import pytest

from tests.api.world import World

pytestmark = pytest.mark.anyio


async def ready(world: World, *skus: str, quantity: int = 3) -> dict[str, Any]:
    """An order that may be shipped, with tax on its lines, and shipping."""
    lines = [{"sku": sku, "quantity": quantity, "unit_price": 250, "tax_cents": 60} for sku in skus]
    placed = await world.placed(skus[0], lines=lines, shipping_cents=490)
    return await world.until(f"/orders/{placed['order_id']}", ready_to_ship=True)


async def test_an_order_is_cancelled_by_line_shipped_in_parts_and_sent_back(world: World) -> None:
    tea, tin = await world.listed(), await world.listed()
    order = await ready(world, tea, tin)
    url = f"/orders/{order['order_id']}"
    assert (order["total"], order["shipping_cents"]) == (2 * (750 + 60) + 490, 490)

    fewer = await world.post(f"{url}/lines/{tin}/cancel", {"quantity": 1, "reason": "too many"})
    assert fewer.status_code == 200, fewer.text
    assert (fewer.json()["cancelled"], fewer.json()["total"]) == ({tin: 1}, order["total"] - 270)

    part = await world.post(f"{url}/ship", {"tracking": "T1", "lines": [{"sku": tea, "quantity": 3}]})
    assert part.json()["status"] == "partially_shipped"
    [shipment] = part.json()["shipments"]
    arrived = await world.post(f"{url}/deliver", {"shipment_id": shipment["shipment_id"]})
    assert arrived.json()["shipments"][0]["delivered_at"]

    rest = await world.post(f"{url}/lines/{tin}/cancel")
    assert (rest.json()["status"], rest.json()["cancelled"]) == ("delivered", {tin: 3})

    back = await world.post(f"{url}/returns", {"items": [{"sku": tea, "quantity": 2}], "reason": "stale"})
    [asked] = back.json()["returns"]
    verdicts = [{"sku": tea, "quantity": 1, "verdict": "restock"}, {"sku": tea, "quantity": 1, "verdict": "refuse"}]
    seen = await world.post(f"{url}/returns/{asked['return_id']}/receive", {"items": verdicts})
    assert (seen.json()["returns"][0]["amount"], seen.json()["total"]) == (270, 540 + 490)


async def test_a_key_used_again_cancels_ships_and_returns_once(world: World) -> None:
    tea = await world.listed()
    order = await ready(world, tea)
    url = f"/orders/{order['order_id']}"
    for _ in range(2):
        once = await world.post(f"{url}/lines/{tea}/cancel", {"quantity": 1}, Idempotency_Key="one")
        part = await world.post(f"{url}/ship", {"lines": [{"sku": tea, "quantity": 1}]}, Idempotency_Key="two")
    assert once.json()["cancelled"] == {tea: 1}
    assert [each["items"] for each in part.json()["shipments"]] == [{tea: 1}]


async def test_what_cannot_be_done_is_said_with_its_code(world: World) -> None:
    tea = await world.listed()
    order = await ready(world, tea)
    url = f"/orders/{order['order_id']}"
    refusals = {
        f"{url}/lines/{tea}/cancel": ({"quantity": 4}, 409, "LineTooSmall"),
        f"{url}/lines/other/cancel": ({}, 404, "LineUnknown"),
        f"{url}/ship": ({"lines": [{"sku": tea, "quantity": 9}]}, 409, "LineTooSmall"),
        f"{url}/returns": ({"items": [{"sku": tea, "quantity": 1}], "reason": "stale"}, 409, "ReturnTooLarge"),
        f"{url}/returns/{uuid4()}/receive": ({"items": []}, 404, "ReturnUnknown"),
        f"{url}/amend": ({"lines": [{"sku": tea, "quantity": 9, "unit_price": 250}]}, 409, "OrderAlreadySecured"),
        f"/orders/{uuid4()}/amend": ({"lines": [{"sku": tea, "quantity": 9, "unit_price": 250}]}, 404, "OrderUnknown"),
        f"{url}/amend ": ({"lines": [{"sku": "nothing", "quantity": 9, "unit_price": 250}]}, 422, "SkuUnknown"),
    }
    for path, (body, status, code) in refusals.items():
        answer = await world.post(path.strip(), body)
        assert (answer.status_code, answer.json()["code"]) == (status, code), path


async def test_the_address_changes_until_something_is_shipped(world: World) -> None:
    tea = await world.listed()
    order = await ready(world, tea)
    url, there = f"/orders/{order['order_id']}", {**order["shipping_address"], "city": "Shelbyville"}
    moved = await world.post(f"{url}/address", {"shipping_address": there})
    assert moved.json()["shipping_address"] == there
    await world.post(f"{url}/ship")
    late = await world.post(f"{url}/address", {"shipping_address": order["shipping_address"]})
    assert (late.status_code, late.json()["code"]) == (409, "OrderAlreadyShipped")


def token(world: World, subject: str, role: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {world.app.state.system.tokens.issue(subject, roles=(role,))}"}


async def test_history_tells_who_it_was_and_why(world: World) -> None:
    staff, tea = token(world, "sam", "staff"), await world.listed()
    order = await ready(world, tea)
    url = f"/orders/{order['order_id']}"

    await world.post(f"{url}/notes", {"text": "call first", "audience": "everyone"}, **staff)
    await world.post(f"{url}/lines/{tea}/cancel", {"quantity": 1, "reason": "too many"}, **staff)
    forged = await world.post(f"{url}/cancel", {"by": "somebody else"})

    noted, less = (await world.client.get(f"{url}/history")).json()["items"][-2:]
    assert (noted["data"]["text"], noted["data"]["by"]) == ("call first", "sam")
    assert (less["data"]["reason"], less["data"]["by"]) == ("too many", "sam")
    assert (forged.status_code, forged.json()["code"]) == (422, "Invalid")


async def test_what_staff_write_for_each_other_no_customer_reads(world: World) -> None:
    staff, ada, tea = token(world, "sam", "staff"), token(world, "c-1", "customer"), await world.listed()
    order = await ready(world, tea)
    url = f"/orders/{order['order_id']}"
    noted = await world.post(f"{url}/notes", {"text": "a difficult one", "audience": "staff"}, **staff)
    assert [note["text"] for note in noted.json()["staff_notes"]] == ["a difficult one"]

    for answer in (
        await world.client.get(url, headers=ada),
        await world.client.get(f"{url}/history", headers=ada),
        await world.client.get("/orders?customer_id=c-1", headers=ada),
        await world.post(f"{url}/notes", {"text": "please ring", "audience": "everyone"}, **ada),
    ):
        assert answer.status_code == 200, answer.text
        assert "difficult" not in answer.text
