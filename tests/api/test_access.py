"""Access is a matrix: everybody at every route, with the ids of others in path, query, body, cursor and key.

What is asked of a customer about another's goes through both gateways: contexts that run apart decide for themselves.
"""

import json
import time
from bisect import bisect_right
from collections.abc import Iterator
from typing import Any, NamedTuple
from uuid import uuid4

import httpx2
import pytest

from api.access import RULES
from api.app import create_app
from api.paths import outward_of
from api.tokens import ROLES
from events.memory import MemoryLog
from tests.api.entries import Person, in_process
from tests.api.world import World, order, settings

pytestmark = [pytest.mark.anyio, pytest.mark.infra]

WHO = ("nobody", "customer", "staff", "operator", "analyst")
SAMPLES = {
    "order_id": str(uuid4()), "customer_id": str(uuid4()), "sku": "nowhere", "command_id": str(uuid4()),
    "context": "order", "name": "orders", "letter": str(uuid4()), "sender": "stripe", "return_id": str(uuid4()),
    "address_id": str(uuid4()), "notification_id": str(uuid4()), "device_id": "phone", "token": "forged",
    "user_id": str(uuid4()),
}  # fmt: skip
"""What fits a path, and is not there."""

EXPECTED = """
route                                                   nobody customer staff operator analyst
POST /orders                                            401    +        +     403      403
GET  /orders                                            401    +        +     403      +
GET  /orders/{order_id}                                 401    404      +     403      +
GET  /orders/{order_id}/history                         401    404      +     403      +
POST /orders/{order_id}/cancel                          401    404      +     403      403
POST /orders/{order_id}/lines/{sku}/cancel              401    404      +     403      403
POST /orders/{order_id}/address                         401    404      +     403      403
POST /orders/{order_id}/amend                           401    404      +     403      403
POST /orders/{order_id}/notes                           401    404      +     403      403
POST /orders/{order_id}/returns                         401    404      +     403      403
POST /orders/{order_id}/returns/{return_id}/receive     401    403      +     403      403
POST /orders/{order_id}/ship                            401    403      +     403      403
POST /orders/{order_id}/deliver                         401    403      +     403      403
POST /orders/{order_id}/refund                          401    403      +     403      403
GET  /orders/{order_id}/notifications                   401    404      +     403      403
GET  /orders/{order_id}/live                            401    404      +     403      403
GET  /customers/{customer_id}/live                      401    404      +     403      403
GET  /customers/{customer_id}/spending                  401    +        +     403      +
GET  /spending                                          401    403      +     403      +
GET  /revenue                                           401    403      +     403      +
GET  /products                                          +      +        +     +        +
GET  /products/search                                   +      +        +     +        +
GET  /products/{sku}                                    +      +        +     +        +
GET  /products/{sku}/prices                             +      +        +     +        +
GET  /products/{sku}/stock                              401    403      +     403      +
POST /products                                          401    403      +     403      403
POST /products/{sku}/describe                           401    403      +     403      403
POST /products/{sku}/price                              401    403      +     403      403
POST /products/{sku}/withdraw                           401    403      +     403      403
POST /products/{sku}/stock/receive                      401    403      +     403      403
POST /products/{sku}/stock/adjust                       401    403      +     403      403
POST /products/{sku}/stock/count                        401    403      +     403      403
POST /products/{sku}/stock/transfer                     401    403      +     403      403
POST /products/{sku}/stock/low                          401    403      +     403      403
POST /products/{sku}/stock/await                        401    +        +     403      403
POST /products/{sku}/stock/stop-awaiting                401    +        +     403      403
POST /payments/{order_id}/attempts                      401    404      +     403      403
GET  /payments                                          401    403      +     403      +
GET  /payments/{order_id}                               401    404      +     403      +
POST /payments/webhooks/{sender}                        +      +        +     +        +
POST /users                                             +      +        +     +        +
POST /users/verification                                +      +        +     +        +
POST /users/verify                                      +      +        +     +        +
POST /refresh                                           +      +        +     +        +
POST /logout                                            +      +        +     +        +
POST /password-reset                                    +      +        +     +        +
POST /password-reset/confirm                            +      +        +     +        +
POST /logout/all                                        401    +        +     +        +
POST /me/profile                                        401    +        +     +        +
POST /me/password                                       401    +        +     +        +
POST /me/addresses                                      401    +        +     +        +
POST /me/addresses/{address_id}                         401    +        +     +        +
POST /me/addresses/{address_id}/default                 401    +        +     +        +
POST /me/addresses/{address_id}/remove                  401    +        +     +        +
POST /me/preferences                                    401    +        +     +        +
POST /me/delete                                         401    +        +     +        +
POST /users/{user_id}/erase                             401    404      +     403      403
POST /login                                             +      +        +     +        +
GET  /me                                                401    401      401   401      401
GET  /.well-known/jwks.json                             +      +        +     +        +
GET  /notifications                                     401    +        +     403      403
GET  /notifications/{notification_id}                   401    404      404   403      403
GET  /notifications/contacts/{customer_id}              401    404      404   403      403
POST /notifications/contacts/{customer_id}/describe     401    404      403   403      403
POST /notifications/contacts/{customer_id}/channels     401    404      403   403      403
POST /notifications/contacts/{customer_id}/devices      401    404      403   403      403
POST /notifications/contacts/{customer_id}/devices/{device_id}/drop 401 404 403 403    403
POST /notifications/contacts/{customer_id}/trust        401    403      +     403      403
GET  /notifications/templates                           401    403      +     403      403
GET  /notifications/templates/{name}/preview            401    403      +     403      403
GET  /notifications/unsubscribe/{token}                 404    404      404   404      404
POST /notifications/unsubscribe/{token}                 404    404      404   404      404
POST /notifications/{notification_id}/reports/twilio    404    404      404   404      404
POST /notifications/reports/mail                        403    403      403   403      403
GET  /commands/{command_id}                             +      +        +     +        +
GET  /commands/{context}/{command_id}                   +      +        +     +        +
GET  /summary                                           401    403      +     +        +
GET  /statistics                                        401    403      +     +        +
GET  /projections                                       401    403      403   +        403
GET  /projections/{context}/{name}                      401    403      403   +        403
GET  /projections/{context}/{name}/progress             401    403      403   +        403
GET  /dead-letters                                      401    403      403   +        403
GET  /dead-letters/{context}                            401    403      403   +        403
GET  /dead-letters/{context}/{letter}                   401    403      403   +        403
POST /dead-letters/{context}/{letter}/retry             401    403      403   +        403
POST /dead-letters/{context}/{letter}/edit              401    403      403   +        403
POST /dead-letters/{context}/{letter}/discard           401    403      403   +        403
GET  /health                                            +      +        +     +        +
GET  /ready                                             +      +        +     +        +
"""
"""What each is told about things that are not there; + is whatever comes after the door, never 401 or 403. None of them
has an account, so that nobody is anybody at /me."""


class Cell(NamedTuple):
    """Somebody at a route."""

    method: str
    path: str
    who: str
    wanted: str


def cells() -> Iterator[Cell]:
    for line in EXPECTED.strip().splitlines()[1:]:
        method, path, *wanted = line.split()
        yield from (Cell(method, path, who, said) for who, said in zip(WHO, wanted, strict=True))


def person(client: httpx2.AsyncClient, who: str) -> Person:
    return Person(client, *(role for role in ROLES if role == who))


def public(path: str) -> str:
    """Where a route is for clients."""
    user = path.startswith(("/login", "/logout", "/refresh", "/password-reset", "/.well-known"))
    now = "?timeout=0" if path.endswith("/live") else ""  # else it would go on
    return outward_of("user" if user else "", path).format(**SAMPLES) + now


def test_every_route_of_the_openapi_document_is_in_the_table_and_in_the_matrix() -> None:
    document = create_app(settings(), log=MemoryLog()).openapi()
    routes = {(method.upper(), path) for path, methods in document["paths"].items() for method in methods}
    pages = {("GET", "/"), ("GET", "/problems"), ("POST", "/keys")}
    assert routes == set(RULES) - pages
    assert routes == {(cell.method, cell.path) for cell in cells()}


async def test_everybody_at_every_route(entry: httpx2.AsyncClient) -> None:
    wrong = []
    for cell in cells():
        asking = person(entry, cell.who)
        answer = await asking.ask(cell.method, public(cell.path), json={} if cell.method == "POST" else None)
        right = answer.status_code not in (401, 403) if cell.wanted == "+" else answer.status_code == int(cell.wanted)
        if cell.path == "/login":  # without an address and a password
            right = answer.status_code == 422
        if not right or answer.status_code >= 500:
            wrong.append(f"{cell}: {answer.status_code} {answer.text[:200]}")
    assert wrong == []


async def test_no_method_that_a_route_does_not_know_does_anything(entry: httpx2.AsyncClient) -> None:
    known: dict[str, set[str]] = {}
    for method, path in RULES:
        known.setdefault(path, set()).add(method)
    ada = Person(entry, "customer")
    for path in sorted(set(known) - {"/", "/problems", "/health", "/ready", "/keys"}):
        for method in {"GET", "POST", "PUT", "PATCH", "DELETE"} - known[path]:
            answer = await ada.ask(method, public(path))
            twin = any(p != path and method in known[p] and _alike(p, path) for p in known)
            assert answer.status_code == 405 or (twin and answer.status_code in (403, 404, 422)), (method, path)


def _alike(one: str, other: str) -> bool:
    """Whether a sample of the other route is one of this too, such as products/search of products/{sku}."""
    left, right = one.split("/"), other.split("/")
    return len(left) == len(right) and all(a == b or "{" in a for a, b in zip(left, right, strict=True))


OTHERS = (
    ("GET", "/api/orders/{}"),
    ("GET", "/api/orders/{}?as_of=2030-01-01T00:00:00Z"),
    ("GET", "/api/orders/{}?wait_for=settled&timeout=5"),
    ("GET", "/api/orders/{}/history"),
    ("GET", "/api/orders/{}/live?timeout=0"),
    ("GET", "/api/orders/{}/notifications"),
    ("GET", "/api/payments/{}"),
    ("GET", "/api/payments/{}?as_of=2030-01-01T00:00:00Z"),
    ("POST", "/api/orders/{}/cancel"),
    ("POST", "/api/payments/{}/attempts"),
)


async def test_what_is_anothers_looks_as_if_it_were_not_there(entry: httpx2.AsyncClient, world: World) -> None:
    ada, bob = Person(entry, "customer"), Person(entry, "customer")
    hers = (await ada.placed(await world.listed()))["order_id"]
    await world.settled(hers)
    await world.until(f"/payments/{hers}", order_id=hers)
    absent, before = str(uuid4()), world.commands()
    for method, url in OTHERS:
        theirs = await bob.ask(method, url.format(hers))
        nobodys = await bob.ask(method, url.format(absent))
        assert theirs.status_code == 404, (url, theirs.text)
        assert _said(theirs, hers) == _said(nobodys, absent)
        assert theirs.headers.keys() == nobodys.headers.keys()
    assert world.commands() == before
    for method, url in OTHERS[:-2]:
        assert (await ada.ask(method, url.format(hers))).status_code == 200, url


CONTACT = "/api/notifications/contacts/{}"
OTHERS_CONTACTS: tuple[tuple[str, str, Any], ...] = (
    ("GET", CONTACT, None),
    ("GET", CONTACT + "?as_of=2030-01-01T00:00:00Z", None),
    ("POST", CONTACT + "/describe", {"phone": "+491701234567"}),
    ("POST", CONTACT + "/channels", {"kind": "order", "channel": "email", "wanted": False}),
    ("POST", CONTACT + "/devices", {"device_id": "phone", "platform": "fcm", "push_address": "a token"}),
    ("POST", CONTACT + "/devices/phone/drop", {}),
)


async def test_how_another_is_reached_is_nobodys_business(entry: httpx2.AsyncClient, world: World) -> None:
    ada, bob, absent = Person(entry, "customer"), Person(entry, "customer"), str(uuid4())
    said = await ada.post(f"{CONTACT.format(ada.id)}/describe", {"locale": "de"})
    assert (said.json()["customer_id"], said.json()["locale"]) == (ada.id, "de"), said.text
    before = world.commands()
    for method, url, body in OTHERS_CONTACTS:
        theirs = await bob.ask(method, url.format(ada.id), json=body)
        nobodys = await bob.ask(method, url.format(absent), json=body)
        assert theirs.status_code == 404, (url, theirs.text)
        assert _said(theirs, ada.id) == _said(nobodys, absent)
    assert world.commands() == before
    assert (await ada.get(CONTACT.format(ada.id))).json()["locale"] == "de"


async def test_a_customer_sees_what_they_were_told_and_nobody_else(entry: httpx2.AsyncClient, world: World) -> None:
    ada, bob, both = Person(entry, "customer"), Person(entry, "customer"), Person(entry, "customer", "analyst")
    hers = (await ada.placed(await world.listed()))["order_id"]
    await world.settled(hers)
    await world.listing(f"/notifications?customer_id={ada.id}")
    [message] = (await ada.get("/api/notifications")).json()["items"]
    assert (message["about"], message["customer_id"]) == (f"order-{hers}", ada.id)
    for somebody in (bob, both):
        for asked in ({}, {"customer_id": ada.id}):
            assert (await somebody.get("/api/notifications", **asked)).json() == {"items": [], "next": None}
    absent, key = str(uuid4()), message["notification_id"]
    for query in ("", "?as_of=2030-01-01T00:00:00Z"):
        url = "/api/notifications/{}" + query
        assert (await ada.ask("GET", url.format(key))).status_code == 200
        theirs, nobodys = await bob.ask("GET", url.format(key)), await bob.ask("GET", url.format(absent))
        assert theirs.status_code == 404
        assert _said(theirs, key) == _said(nobodys, absent)


def _said(answer: httpx2.Response, key: str) -> Any:
    said = json.loads(answer.text.replace(key, "…"))
    return said | {"request_id": ""}


async def test_a_customer_lists_their_own_orders_whatever_they_ask_for(entry: httpx2.AsyncClient, world: World) -> None:
    ada, bob, sku = Person(entry, "customer"), Person(entry, "customer"), await world.listed()
    hers = [(await ada.placed(sku))["order_id"] for _ in range(3)]
    his = (await bob.placed(sku))["order_id"]
    first = (await ada.get("/api/orders", limit=1)).json()
    assert [row["order_id"] for row in first["items"]] == hers[-1:]
    assert {row["order_id"] for row in (await bob.get("/api/orders")).json()["items"]} == {his}
    assert (await bob.get("/api/orders", customer_id=ada.id)).json() == {"items": [], "next": None}
    assert (await bob.get("/api/orders", customer_id=str(uuid4()))).json() == {"items": [], "next": None}
    with_her_cursor = await bob.ask("GET", first["next"])
    assert (with_her_cursor.status_code, with_her_cursor.json()["errors"][0]["field"]) == (422, "cursor")
    for somebody in (ada.id, str(uuid4())):
        assert (await bob.get(f"/api/customers/{somebody}/spending")).json() == {"items": []}


async def test_nobody_orders_for_another_or_under_an_id_of_their_own(entry: httpx2.AsyncClient, world: World) -> None:
    ada, bob, sku = Person(entry, "customer"), Person(entry, "customer"), await world.listed()
    hers = (await ada.placed(sku))["order_id"]
    before = world.commands()
    for body, field in (
        (order(sku, customer_id=ada.id), "customer_id"),
        (order(sku, customer_id=bob.id, order_id=hers), "order_id"),
        (order(sku, customer_id=bob.id, order_id=str(uuid4())), "order_id"),
    ):
        answer = await bob.post("/api/orders", body)
        assert answer.status_code == 422, answer.text
        assert [error["field"] for error in answer.json()["errors"]] == [field]
    assert world.commands() == before
    staff = Person(entry, "staff")
    assert (await staff.post("/api/orders", order(sku, customer_id=ada.id))).status_code == 201


@pytest.mark.parametrize("key", ["00000000-0000-4000-8000-000000000001", "her key"])
async def test_anothers_key_opens_nothing(entry: httpx2.AsyncClient, world: World, key: str) -> None:
    ada, bob, sku = Person(entry, "customer"), Person(entry, "customer"), await world.listed()
    hers = await ada.post("/api/orders", order(sku, customer_id=ada.id), Idempotency_Key=key)
    his = await bob.post("/api/orders", order(sku, customer_id=bob.id), Idempotency_Key=key)
    assert (hers.status_code, his.status_code) == (201, 201)
    assert his.json()["order_id"] != hers.json()["order_id"]
    assert "idempotent-replayed" not in his.headers


async def test_the_outcome_of_a_command_is_its_senders(entry: httpx2.AsyncClient, world: World) -> None:
    ada, bob, guest = Person(entry, "customer"), Person(entry, "customer"), Person(entry)
    sent = await ada.ask("POST", "/api/orders", json=order(await world.listed(), customer_id=ada.id))
    url = sent.headers["location"]
    assert (await ada.ask("GET", url, headers={"Prefer": "wait=10"})).json()["status"] == "accepted"
    for somebody in (bob, guest, Person(entry, "analyst")):
        for asked in (url, url.replace("/order/", "/")):
            said = (await somebody.get(asked)).json()
            assert said == {"command_id": sent.json()["command_id"], "status": "pending"}
    assert (await Person(entry, "staff").get(url)).json()["status"] == "accepted"


async def test_with_several_roles_somebody_may_what_one_of_them_may(entry: httpx2.AsyncClient, world: World) -> None:
    ada, both = Person(entry, "customer"), Person(entry, "customer", "staff")
    hers = (await ada.placed(await world.listed()))["order_id"]
    assert (await both.get(f"/api/orders/{hers}")).status_code == 200
    assert (await both.get("/api/dead-letters")).status_code == 403


async def test_what_is_anothers_takes_as_long_as_what_is_not_there(postgres: str, world: World) -> None:
    """Kolmogorov and Smirnov's distance of both times, asked in turns; one more question would make it nearly 1."""
    async with in_process(postgres, world) as client:
        ada, bob = Person(client, "customer"), Person(client, "customer")
        hers = (await ada.placed(await world.listed()))["order_id"]
        theirs: list[float] = []
        nobodys: list[float] = []
        for _ in range(200):
            for times, key in ((theirs, hers), (nobodys, str(uuid4()))):
                began = time.perf_counter()
                assert (await bob.get(f"/api/orders/{key}")).status_code == 404
                times.append(time.perf_counter() - began)
    assert _distance(theirs, nobodys) < 0.4


def _distance(one: list[float], other: list[float]) -> float:
    """The most that the shares of both below some value differ by."""
    shares = ((bisect_right(sorted(one), x), bisect_right(sorted(other), x)) for x in (*one, *other))
    return max(abs(a / len(one) - b / len(other)) for a, b in shares)
