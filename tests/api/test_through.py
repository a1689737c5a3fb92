"""Keys, positions, tags and cursors hold through the gateway too, whether a context is in its process or apart."""

from uuid import uuid4

import httpx2
import pytest

from tests.api.entries import Person
from tests.api.world import World, order

pytestmark = [pytest.mark.anyio, pytest.mark.infra]


async def test_a_repeat_gets_the_first_answer_again_by_every_name_of_its_url(
    entry: httpx2.AsyncClient, world: World
) -> None:
    ada, sku, key = Person(entry, "customer"), await world.listed(), str(uuid4())
    body = order(sku, customer_id=ada.id)
    first = await ada.post("/api/orders", body, Idempotency_Key=key)
    url = first.headers["location"]
    await ada.get(url, wait_for="settled")
    await ada.post(f"{url}/cancel")
    for name in ("/api/orders", "/api/v1/orders"):
        again = await ada.post(name, body, Idempotency_Key=key)
        assert (again.status_code, again.json(), again.headers["etag"]) == (201, first.json(), first.headers["etag"])
        assert again.headers["idempotent-replayed"] == "true"
        assert again.headers["location"] == name + url.removeprefix("/api/orders")
    other = await ada.post("/api/orders", {**body, "email": "eve@example.org"}, Idempotency_Key=key)
    assert (other.status_code, other.json()["code"]) == (422, "KeyReused")
    assert (await ada.get(f"/api/commands/order/{other.json()['command_id']}")).json()["status"] == "accepted"


async def test_anothers_key_says_nothing_of_what_was_asked_under_it(entry: httpx2.AsyncClient, world: World) -> None:
    ada, bob, key = Person(entry, "customer"), Person(entry, "customer"), str(uuid4())
    hers = (await ada.placed(await world.listed()))["order_id"]
    body = {"reason": "changed my mind"}
    assert (await ada.post(f"/api/orders/{hers}/cancel", body, Idempotency_Key=key)).status_code == 200
    answers = [await bob.post(f"/api/orders/{of}/cancel", body, Idempotency_Key=key) for of in (hers, uuid4())]
    said = [{**answer.json(), "instance": "", "request_id": ""} for answer in answers]
    assert (answers[0].status_code, said[0]) == (404, said[1])
    assert answers[0].headers.keys() == answers[1].headers.keys()


async def test_who_has_placed_an_order_may_look_at_it_at_once_with_its_position(
    entry: httpx2.AsyncClient, world: World
) -> None:
    ada, bob, sku = Person(entry, "customer"), Person(entry, "customer"), await world.listed()
    accepted = await ada.ask("POST", "/api/orders", json=order(sku, customer_id=ada.id))
    position = {"Log-Position": accepted.headers["log-position"], "Prefer": "wait=10"}
    resource, command = accepted.json()["resource"], accepted.json()["command"]
    assert (accepted.status_code, command) == (202, accepted.headers["location"])
    assert command.startswith("/api/commands/order/")
    seen = await ada.ask("GET", resource, headers=position)
    assert (seen.status_code, seen.json()["customer_id"]) == (200, ada.id)
    assert (await bob.ask("GET", resource, headers=position)).status_code == 404
    listed = await ada.ask("GET", "/api/orders", params={"after": position["Log-Position"]})
    assert [row["order_id"] for row in listed.json()["items"]] == [seen.json()["order_id"]]
    again = await ada.ask("POST", "/api/orders", json=order(sku, customer_id=ada.id))
    headers = {"Log-Position": again.headers["log-position"], "Prefer": "wait=10"}
    mails = await ada.ask("GET", again.json()["resource"] + "/notifications", headers=headers)
    assert mails.status_code == 200, "whose the order is, is asked once the position is reached"


async def test_what_one_has_seen_is_changed_and_nothing_else(entry: httpx2.AsyncClient, world: World) -> None:
    staff, sku = Person(entry, "staff"), await world.listed()
    url = f"/api/products/{sku}"
    tag = (await staff.get(url)).headers["etag"]
    assert (await staff.ask("GET", url, headers={"If-None-Match": tag})).status_code == 304
    for price, status in ((300, 200), (400, 412)):
        answer = await staff.ask("POST", f"{url}/price", json={"price": price}, headers={"If-Match": tag})
        assert answer.status_code == status, answer.text
    assert (await staff.get(url)).json()["price"] == 300


async def test_a_page_goes_on_below_the_prefix_for_who_asked_for_it(entry: httpx2.AsyncClient, world: World) -> None:
    ada, bob, sku = Person(entry, "customer"), Person(entry, "customer"), await world.listed()
    orders = [(await ada.placed(sku))["order_id"] for _ in range(3)]
    first = await ada.get("/api/v1/orders", limit=2)
    following = first.json()["next"]
    assert first.headers["link"] == f'<{following}>; rel="next"'
    assert following.startswith("/api/v1/orders?limit=2&cursor=")
    assert [row["order_id"] for row in (await ada.get(following)).json()["items"]] == orders[:1]
    for somebody in (bob, Person(entry, "staff")):
        assert (await somebody.get(following)).json()["errors"][0]["field"] == "cursor"
    changed = following.replace("limit=2", f"customer_id={ada.id}")
    assert (await ada.get(changed)).status_code == 422
