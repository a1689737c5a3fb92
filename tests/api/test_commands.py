"""Commands are answered at once or with their outcome, and a retry takes effect once."""

import asyncio
from uuid import uuid4

import pytest

from tests.api.world import World, order

pytestmark = pytest.mark.anyio


async def test_a_command_is_accepted_at_once_and_its_outcome_can_be_followed(world: World) -> None:
    sku = await world.listed()
    answer = await world.client.post("/orders", json=order(sku))
    assert answer.status_code == 202
    assert answer.headers["retry-after"] == "1"
    followed = await world.until(answer.headers["location"], status="accepted")
    assert followed["resource"] == answer.json()["resource"]
    assert (await world.client.get(f"/commands/{answer.json()['command_id']}")).json() == followed
    assert (await world.client.get(followed["resource"])).json()["customer_id"] == "c-1"


async def test_who_waits_reads_their_own_write(world: World) -> None:
    sku = await world.listed()
    answer = await world.post("/orders", order(sku))
    assert answer.status_code == 201
    assert answer.headers["preference-applied"] == "wait=10"
    assert answer.headers["location"] == f"/orders/{answer.json()['order_id']}"
    assert (answer.json()["total"], answer.json()["line_count"]) == (250, 1)


async def test_a_rule_that_says_no_is_a_problem_with_its_reason(world: World) -> None:
    row = await world.placed(await world.listed())
    for url, status, code in (
        (f"/orders/{row['order_id']}/deliver", 409, "OrderNotShipped"),
        (f"/orders/{uuid4()}/cancel", 404, "OrderUnknown"),
        (f"/orders/{uuid4()}/refund", 404, "PaymentUnknown"),
        (f"/products/{uuid4()}/withdraw", 404, "ProductUnknown"),
    ):
        answer = await world.post(url)
        assert (answer.status_code, answer.json()["code"]) == (status, code)
        assert answer.json()["detail"]
        assert answer.headers["preference-applied"] == "wait=10"


async def test_a_rejected_command_can_be_read_later(world: World) -> None:
    answer = await world.client.post(f"/orders/{uuid4()}/ship")
    found = await world.until(answer.headers["location"], status="rejected")
    assert (found["code"], found["detail"]) == ("OrderUnknown", "There is no such order.")


async def test_the_same_key_takes_effect_once(world: World) -> None:
    sku, key = await world.listed(stock=0), str(uuid4())
    first = await world.post(f"/products/{sku}/stock/receive", {"quantity": 5}, Idempotency_Key=key)
    again = await world.post(f"/products/{sku}/stock/receive", {"quantity": 5}, Idempotency_Key=key.upper())
    assert (first.status_code, again.status_code) == (200, 200)
    assert again.headers["idempotent-replayed"] == "true"
    assert again.json()["on_hand"] == 5


async def test_a_key_that_is_no_uuid_counts_per_resource(world: World) -> None:
    one, other = await world.listed(stock=0), await world.listed(stock=0)
    for sku in (one, other, one):
        answer = await world.post(f"/products/{sku}/stock/receive", {"quantity": 5}, Idempotency_Key="monday's truck")
        assert answer.json()["on_hand"] == 5


async def test_requests_at_the_same_moment_under_one_key_place_one_order(world: World) -> None:
    sku, key = await world.listed(), str(uuid4())
    body = order(sku, customer_id=f"c-{key}")
    answers = await asyncio.gather(*(world.post("/orders", body, Idempotency_Key=key) for _ in range(10)))
    assert sorted({answer.status_code for answer in answers}) == [201, 409]
    [placed] = [answer.json() for answer in answers if answer.status_code == 201]
    for answer in answers:
        if answer.status_code == 409:
            assert (answer.json()["code"], answer.headers["retry-after"]) == ("KeyRunning", "1")
    again = await world.post("/orders", body, Idempotency_Key=key)
    assert (again.status_code, again.json()) == (201, placed)
    found = await world.client.get("/orders", params={"customer_id": f"c-{key}"})
    assert len(found.json()["items"]) == 1


async def test_a_refused_command_is_refused_again_under_its_key(world: World) -> None:
    url, key = f"/orders/{uuid4()}/cancel", str(uuid4())
    await world.post(url, Idempotency_Key=key)
    before = world.commands()
    again = await world.post(url, Idempotency_Key=key)
    assert (again.status_code, again.headers["idempotent-replayed"]) == (404, "true")
    assert world.commands() == before


async def test_what_is_so_already_is_no_creation(world: World) -> None:
    sku, order_id = await world.listed(), str(uuid4())
    first = await world.post("/orders", order(sku, order_id=order_id))
    again = await world.post("/orders", order(sku, order_id=order_id))
    other = await world.post("/orders", order(sku, order_id=order_id, customer_id="c-2"))
    assert [first.status_code, again.status_code, other.status_code] == [201, 200, 409]
    assert other.json()["code"] == "OrderExists"


async def test_the_command_carries_the_request_behind_it(world: World) -> None:
    trace = f"00-{uuid4().hex}-{uuid4().hex[:16]}-01"
    headers = {"X-Request-Id": "req-1", "traceparent": trace}
    answer = await world.client.post("/products/tea/withdraw", headers=headers)
    assert answer.headers["x-request-id"] == "req-1"
    record = next(
        record
        for records in world.log.records.values()
        for record in records
        if record.headers.get("ce_id") == answer.json()["command_id"].encode()
    )
    assert (record.headers["correlation"], record.headers["origin"]) == (b"req-1", b"client")
    assert record.headers["traceparent"] == trace.encode()


@pytest.mark.parametrize("preference", ["wait=soon", "wait=-1", "respond-async", "await=5", "wait=0"])
async def test_a_preference_that_asks_for_no_wait_is_answered_at_once(door: World, preference: str) -> None:
    headers = {"Prefer": preference}
    answer = await door.client.post(f"/orders/{uuid4()}/cancel", headers=headers)
    assert answer.status_code == 202


async def test_a_wait_without_a_read_model_ends_with_a_202(door: World) -> None:
    answer = await door.client.post(f"/orders/{uuid4()}/cancel", headers={"Prefer": "respond-async, wait=1"})
    assert answer.status_code == 202
    assert "preference-applied" not in answer.headers
