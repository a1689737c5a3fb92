"""An Idempotency-Key stands for one request of one user at one URL: the first answer again, or a clear no."""

import asyncio
from uuid import uuid4

import pytest
from starlette.requests import Request

from api.asking import asked
from api.tokens import Principal
from events.ids import key_of, under
from events.memory import MemoryLog
from schemas.order import CancelOrder
from schemas.product import ReceiveStock
from schemas.user import RegisterUser
from tests.api.world import World, beside, order
from tests.builders.values import A, B


@pytest.mark.anyio
async def test_a_repeat_gets_the_first_answer_again_whatever_has_happened_since(world: World) -> None:
    sku, key = await world.listed(), str(uuid4())
    first = await world.post("/orders", order(sku), Idempotency_Key=key)
    order_id = first.json()["order_id"]
    await world.settled(order_id)
    await world.post(f"/orders/{order_id}/cancel", {"reason": "so"})
    again = await world.post("/orders", order(sku), Idempotency_Key=key)
    assert (again.status_code, again.json()) == (201, first.json())
    for name in ("location", "etag", "log-position", "content-type"):
        assert again.headers[name] == first.headers[name]
    assert again.headers["idempotent-replayed"] == "true"
    assert "idempotent-replayed" not in first.headers
    assert (await world.client.get(f"/orders/{order_id}")).json()["status"] == "cancelled"


@pytest.mark.anyio
async def test_a_command_of_several_events_is_answered_with_all_of_them(world: World) -> None:
    key, product = str(uuid4()), {"sku": f"sku-{uuid4().hex[:12]}", "name": "tea", "price": 250, "stock": 7}
    first = await world.post("/products", product, Idempotency_Key=key)
    await world.post(f"/products/{product['sku']}/stock/receive", {"quantity": 5})
    again = await world.post("/products", product, Idempotency_Key=key)
    assert first.json()["on_hand"] == 7
    assert again.json() == first.json()


@pytest.mark.anyio
async def test_another_body_under_a_key_is_refused_and_changes_nothing(world: World) -> None:
    sku, key = await world.listed(stock=0), str(uuid4())
    url = f"/products/{sku}/stock/receive"
    await world.post(url, {"quantity": 5}, Idempotency_Key=key)
    before = world.commands()
    other = await world.post(url, {"quantity": 6}, Idempotency_Key=key)
    assert (other.status_code, other.json()["code"]) == (422, "KeyReused")
    assert world.commands() == before
    assert (await world.post(url, {"quantity": 5}, Idempotency_Key=key)).json()["on_hand"] == 5


@pytest.mark.anyio
async def test_another_order_under_the_key_of_one_is_refused_also_with_an_id_of_its_own(world: World) -> None:
    sku, key = await world.listed(), str(uuid4())
    await world.post("/orders", order(sku, order_id=str(uuid4())), Idempotency_Key=key)
    other = await world.post("/orders", order(sku, order_id=str(uuid4())), Idempotency_Key=key)
    assert (other.status_code, other.json()["code"]) == (422, "KeyReused")


@pytest.mark.anyio
async def test_what_differs_only_as_text_is_the_same_request(world: World) -> None:
    sku, key = await world.listed(stock=0), str(uuid4())
    url, headers = f"/products/{sku}/stock/receive", {"Idempotency-Key": key, "Content-Type": "application/json"}
    for text in ('{"quantity": 5}', '{ "quantity":5 }\n'):
        answer = await world.client.post(url, content=text, headers={**headers, "Prefer": "wait=10"})
        assert (answer.status_code, answer.json()["on_hand"]) == (200, 5)


@pytest.mark.anyio
async def test_the_writer_itself_refuses_what_another_process_has_let_in(world: World, postgres: str) -> None:
    sku, key = await world.listed(stock=0), str(uuid4())
    url = f"/products/{sku}/stock/receive"
    async with beside(postgres, world.log) as other:
        answers = await asyncio.gather(
            world.post(url, {"quantity": 5}, Idempotency_Key=key), other.post(url, {"quantity": 6}, Idempotency_Key=key)
        )
    for quantity, answer in zip((5, 6), answers, strict=True):
        again = await world.post(url, {"quantity": quantity}, Idempotency_Key=key)
        assert (again.status_code, again.json().get("code")) == (answer.status_code, answer.json().get("code"))
    [refused] = [answer.json() for answer in answers if answer.status_code == 422]
    [done] = [answer.json() for answer in answers if answer.status_code == 200]
    assert refused["code"] == "KeyReused"
    assert (await world.client.get(f"/products/{sku}")).json()["on_hand"] == done["on_hand"]


@pytest.mark.anyio
async def test_another_process_answers_a_repeat_alike(world: World, postgres: str) -> None:
    sku, key = await world.listed(), str(uuid4())
    first = await world.post("/orders", order(sku), Idempotency_Key=key)
    async with beside(postgres, world.log) as other:
        again = await other.post("/orders", order(sku), Idempotency_Key=key)
    assert (again.status_code, again.json(), again.headers["idempotent-replayed"]) == (201, first.json(), "true")


@pytest.mark.anyio
async def test_what_is_accepted_and_not_decided_is_accepted_again_and_not_sent_again(
    world: World, postgres: str
) -> None:
    log, key, url = MemoryLog(), str(uuid4()), f"/orders/{uuid4()}/deliver"
    async with beside(postgres, log) as undecided:
        first = await undecided.client.post(url, json={"shipment_id": A}, headers={"Idempotency-Key": key})
        again = await undecided.client.post(url, json={"shipment_id": A}, headers={"Idempotency-Key": key})
        other = await undecided.client.post(url, json={"shipment_id": B}, headers={"Idempotency-Key": key})
        assert undecided.commands() == 1
    assert (first.status_code, again.status_code, again.json()) == (202, 202, first.json())
    assert again.headers["idempotent-replayed"] == "true"
    assert (other.status_code, other.json()["code"]) == (422, "KeyReused")


def request(who: str, path: str = "/orders", key: str = "k", root: str = "") -> Request:
    headers, principal = [(b"idempotency-key", key.encode())], Principal(who, frozenset({"customer"}))
    scope = {"type": "http", "method": "POST", "path": path, "root_path": root, "headers": headers, "request_id": "r"}
    return Request({**scope, "principal": principal})


def test_a_key_is_of_one_user_and_one_url() -> None:
    command = CancelOrder(order_id=str(uuid4()))
    ours = asked(request("ada")).id_of(command)
    others = [request("eve"), request("ada", "/orders/x/cancel"), request("ada", key="l")]
    assert key_of(ours) not in {key_of(asked(other).id_of(command)) for other in others}
    assert asked(request("ada", "/api/orders", root="/api")).id_of(command) == ours


def test_what_is_said_under_a_key_decides_the_end_of_the_id() -> None:
    one, other = (asked(request("ada")).id_of(ReceiveStock(sku="tea", quantity=n)) for n in (5, 6))
    assert one != other
    assert key_of(one) == key_of(other) == one[:28]
    assert key_of(str(uuid4())) == ""


def test_a_password_is_not_in_the_id_not_even_as_a_digest() -> None:
    said = {"user_id": str(uuid4()), "email": "ada@example.org", "name": "Ada"}
    one, other = (RegisterUser(**said, password_hash=salted) for salted in ("a", "b"))
    assert asked(request("")).id_of(one) == asked(request("")).id_of(other)


def test_nobody_can_tell_from_an_id_what_was_said_without_the_key() -> None:
    assert under("", "POST /", "one key", b"said")[28:] != under("", "POST /", "another", b"said")[28:]
