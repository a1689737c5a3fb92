"""The gateway is the one entry: whether the contexts are in its process or behind URLs, a client sees the same."""

from uuid import uuid4

import httpx2
import pytest

from tests.api.entries import Person
from tests.api.world import WAIT, World, order

pytestmark = [pytest.mark.anyio, pytest.mark.infra]


async def test_somebody_registers_logs_in_orders_follows_and_cancels(entry: httpx2.AsyncClient, world: World) -> None:
    sku, guest = await world.listed(), Person(entry)
    account = {"email": f"{uuid4().hex}@example.org", "name": "Ada", "password": "correct horse"}
    assert (await guest.post("/api/auth/register", account)).status_code < 300
    login = await guest.post("/api/auth/login", {name: account[name] for name in ("email", "password")})
    token = {"Authorization": f"Bearer {login.json()['access_token']}"}
    me = (await entry.get("/api/users/me", headers=token)).json()
    assert me["email"] == account["email"]

    placed = await entry.post("/api/orders", json=order(sku, customer_id=me["user_id"]), headers=token)
    assert placed.status_code == 202, placed.text
    command = placed.headers["location"]
    assert command.startswith("/api/commands/order/")
    assert placed.json()["command"] == command
    done = await entry.get(command, headers={**token, "Prefer": "wait=10"})
    assert done.json()["status"] == "accepted", done.text
    where = placed.json()["resource"]
    assert done.json()["resource"] == where
    assert where.startswith("/api/orders/")

    settled = await entry.get(where, params={"wait_for": "settled"}, headers=token)
    assert settled.json()["status"] == "confirmed", settled.text
    assert [o["order_id"] for o in (await entry.get("/api/orders", headers=token)).json()["items"]] == [where[12:]]
    cancelled = await entry.post(f"{where}/cancel", json={"reason": "changed my mind"}, headers={**token, **WAIT})
    assert cancelled.json()["status"] == "cancelled", cancelled.text
    history = (await entry.get(f"{where}/history", headers=token)).json()["items"]
    assert [row["type"] for row in history][:1] == ["order.placed.v1"], history[0]
    await world.until(where.removeprefix("/api").replace("orders", "payments"), status="refunded")
    payment = await entry.get(where.replace("orders", "payments"), headers=token)
    assert payment.json()["order_id"] == where[12:]


async def test_pages_link_to_the_next_below_the_prefix(entry: httpx2.AsyncClient, world: World) -> None:
    guest = Person(entry)
    for _ in range(3):
        await world.listed()
    first = await guest.get("/api/products", limit=2)
    following = first.json()["next"]
    assert following.startswith("/api/products?")
    assert first.headers["link"] == f'<{following}>; rel="next"'
    second = (await guest.get(following)).json()["items"]
    assert second
    assert not {row["sku"] for row in second} & {row["sku"] for row in first.json()["items"]}


async def test_a_key_sent_twice_makes_one_order(entry: httpx2.AsyncClient, world: World) -> None:
    ada, sku = Person(entry, "customer"), await world.listed()
    key, body = str(uuid4()), order(sku, customer_id=ada.id)
    first = await ada.post("/api/orders", body, Idempotency_Key=key)
    again = await ada.post("/api/orders", body, Idempotency_Key=key)
    assert (first.status_code, again.headers["idempotent-replayed"]) == (201, "true")
    assert first.json()["order_id"] == again.json()["order_id"]
    assert first.headers["location"] == f"/api/orders/{first.json()['order_id']}"


ABSENT = "00000000-0000-4000-8000-000000000000"


@pytest.mark.parametrize(
    ("method", "url", "status"),
    [
        ("GET", "/api/nothing", 404),
        ("GET", "/api/", 404),
        ("GET", "/api", 404),
        ("GET", "/api/orders/", 404),
        ("GET", "/api//orders", 404),
        ("GET", "/api/auth/orders", 404),
        ("GET", "/api/auth/me", 404),
        ("GET", f"/api/orders/{ABSENT}", 404),
        ("GET", f"/api/payments/{ABSENT}", 404),
        ("GET", f"/api/commands/nobody/{ABSENT}", 404),
        ("GET", "/orders", 404),
        ("GET", "/", 404),
        ("GET", "/openapi.json", 404),
        ("GET", "/docs", 404),
        ("DELETE", "/api/orders", 405),
        ("PUT", "/api/products", 405),
        ("GET", "/api/auth/login", 405),
        ("POST", f"/api/orders/{ABSENT}", 405),
        ("GET", "/api/orders/17", 422),
        ("GET", "/api/orders?cursor=x", 422),
        ("GET", "/api/orders?colour=red", 422),
    ],
)
async def test_a_no_is_a_problem_with_the_path_that_was_asked(
    entry: httpx2.AsyncClient, method: str, url: str, status: int
) -> None:
    answer = await Person(entry, "staff").ask(method, f"http://shop{url}")
    problem = answer.json()
    assert (answer.status_code, problem["status"]) == (status, status), answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert problem["instance"] == httpx2.URL(f"http://shop{url}").path
    assert problem["request_id"] == answer.headers["x-request-id"]
    assert problem["type"].endswith(f"/problems#{problem['code']}")
    assert problem["type"].startswith("/api/") == url.startswith("/api")
    assert status != 405 or answer.headers["allow"]


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (b"{", "application/json", 400),
        (b"a=1", "application/x-www-form-urlencoded", 415),
        (b'{"lines": []}', "application/json", 422),
        (b'"' + b"x" * (1 << 20) + b'"', "application/json", 413),
    ],
)
async def test_a_body_that_does_not_fit_is_refused(
    entry: httpx2.AsyncClient, body: bytes, kind: str, status: int
) -> None:
    answer = await Person(entry, "staff").ask("POST", "/api/orders", content=body, headers={"Content-Type": kind})
    assert (answer.status_code, answer.json()["instance"]) == (status, "/api/orders")


async def test_what_all_contexts_know_is_one_answer(entry: httpx2.AsyncClient, world: World) -> None:
    operator, ada = Person(entry, "operator"), Person(entry, "customer")
    placed = await ada.post("/api/orders", order(await world.listed(), customer_id=ada.id))
    assert placed.status_code == 201
    assert {"orders", "money", "stock", "messages"} <= (await operator.get("/api/summary")).json().keys()
    listed = (await operator.get("/api/projections")).json()["items"]
    assert {"order", "product", "payment", "user", "notification"} <= {row["context"] for row in listed}
    async with entry.stream("GET", "/api/projections/order/orders/progress", headers=operator.headers) as stream:
        assert stream.headers["content-type"].startswith("text/event-stream")
        assert b"event: done" in await stream.aread()
    accepted = await ada.ask("POST", f"/api/orders/{placed.json()['order_id']}/cancel", json={})
    command_id = accepted.json()["command_id"]
    await ada.ask("GET", accepted.headers["location"], headers=WAIT)
    assert (await ada.get(f"/api/commands/{command_id}")).json()["status"] == "accepted"
    assert (await ada.get(f"/api/commands/{uuid4()}")).json()["status"] == "pending"


async def test_who_is_asked_is_told_the_request_id_that_the_client_chose(entry: httpx2.AsyncClient) -> None:
    answer = await Person(entry).ask("GET", "/api/products", headers={"X-Correlation-Id": "a-request-of-mine"})
    assert answer.headers.get_list("x-request-id") == [answer.headers["x-request-id"]]
    named = await Person(entry).ask("GET", "/api/products", headers={"X-Request-Id": "a-request-of-mine"})
    assert named.headers["x-request-id"] == "a-request-of-mine"


async def test_health_and_keys_are_there_for_everybody(entry: httpx2.AsyncClient) -> None:
    assert (await entry.get("/health")).json()["status"] == "ok"
    assert (await entry.get("/ready")).status_code == 200
    keys = (await entry.get("/api/auth/.well-known/jwks.json")).json()
    assert keys == (await entry.get("/.well-known/jwks.json")).json()
    assert {key["alg"] for key in keys["keys"]} == {"EdDSA"}
    assert not {"d", "p", "q"} & {name for key in keys["keys"] for name in key}


async def test_the_document_says_of_every_path_who_may_and_that_is_so(entry: httpx2.AsyncClient) -> None:
    guest = Person(entry)
    document = (await guest.get("/api/openapi.json")).json()
    asked = [(path, method, said) for path, several in document["paths"].items() for method, said in several.items()]
    assert len(asked) > 40
    names = {"order_id": str(uuid4()), "command_id": str(uuid4()), "letter": str(uuid4()), "context": "order"}
    names |= {"return_id": str(uuid4()), "address_id": str(uuid4()), "notification_id": str(uuid4())}
    names |= {"device_id": "phone", "token": "forged", "user_id": str(uuid4())}
    for path, method, said in asked:
        named = path.format_map({"sku": "tea", "customer_id": "ada", "name": "orders", "sender": "stripe", **names})
        answer = await guest.ask(method.upper(), named, json={} if method == "post" else None)
        if path != "/api/auth/login":
            assert (answer.status_code == 401) == bool(said["security"]), (path, answer.text)
        assert answer.status_code != 405, path
        assert (answer.status_code != 404) or "{" in path, path
