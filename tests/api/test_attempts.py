"""Another card over HTTP, named while a declined payment awaits one, once for each key; and money per shipment."""

from typing import Any
from uuid import uuid4

import pytest

from tests.api.world import World

pytestmark = [pytest.mark.anyio, pytest.mark.infra]

DECLINED = {"payment_token": "tok_declined", "payment_attempts": 3}


async def awaiting(world: World) -> tuple[str, dict[str, Any]]:
    """A payment that awaits another card, and the URL where it is named."""
    placed = await world.placed(await world.listed(), **DECLINED)
    url = f"/payments/{placed['order_id']}"
    return f"{url}/attempts", await world.until(url, status="awaiting_method")


async def test_another_card_is_named_and_pays(world: World) -> None:
    url, payment = await awaiting(world)
    assert (payment["reason"], payment["attempts_left"]) == ("card_declined", 2)
    assert payment["due_at"] > payment["requested_at"]
    order = (await world.client.get(f"/orders/{payment['order_id']}")).json()
    assert order["status"] == "secured"

    first = await world.post(url, {"payment_token": "tok_declined"}, Idempotency_Key="the second card")
    assert first.status_code == 200, first.text
    await world.until(f"/payments/{payment['order_id']}", status="awaiting_method", attempts_left=1)
    again = await world.post(url, {"payment_token": "tok_declined"}, Idempotency_Key="the second card")
    assert again.json()["attempts_left"] == 1
    await world.post(url, {"payment_token": "tok_visa"})

    paid = await world.until(f"/payments/{payment['order_id']}", status="captured")
    assert [each["status"] for each in paid["attempts"]] == ["declined", "declined", "authorized"]
    assert "tok" not in str(paid)
    assert (await world.settled(payment["order_id"]))["status"] == "confirmed"


async def test_a_card_that_is_not_awaited_is_refused_and_says_why(world: World) -> None:
    url, payment = await awaiting(world)
    await world.post(f"/orders/{payment['order_id']}/cancel")
    await world.until(f"/payments/{payment['order_id']}", status="declined", reason="order off")

    late = await world.post(url, {"payment_token": "tok_visa"})

    assert (late.status_code, late.json()["code"]) == (409, "AttemptNotAwaited")
    assert "Order anew" in late.json()["detail"]
    unknown = await world.post(f"/payments/{uuid4()}/attempts", {"payment_token": "tok_visa"})
    assert (unknown.status_code, unknown.json()["code"]) == (404, "PaymentUnknown")


@pytest.mark.parametrize("attempts", [0, 6, "2"])
async def test_how_often_a_payment_may_be_tried_is_one_to_five(world: World, attempts: Any) -> None:
    placed = await world.post("/orders", {"payment_attempts": attempts})
    assert placed.status_code == 422
    assert "payment_attempts" in [error["field"] for error in placed.json()["errors"]]


async def test_money_that_waits_for_a_shipment_is_not_under_way(world: World) -> None:
    francs = {"currency": "CHF", "capture": "per_shipment", "shipping_cents": 90}  # of which there are no others
    placed = await world.placed(await world.listed(), **francs)
    url = f"/payments/{placed['order_id']}"
    held = await world.until(url, status="authorized")
    assert (held["capture"], held["captures"], held["captured"]) == ("per_shipment", [], 0)
    await world.until(f"/orders/{placed['order_id']}", ready_to_ship=True)
    assert await _under_way(world, "CHF") == 0

    await world.post(f"/orders/{placed['order_id']}/ship", {"tracking": "T1"})
    paid = await world.until(url, status="captured")

    assert [part["amount"] for part in paid["captures"]] == [placed["total"]] == [340]
    assert await _under_way(world, "CHF") == 0


async def _under_way(world: World, currency: str) -> int:
    money = (await world.client.get("/summary")).json()["money"]
    return sum(int(row["under_way"]) for row in money if row["currency"] == currency)
