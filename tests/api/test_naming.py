"""An older version's clients go on with the names of fields that they know: sent, answered, and told to be wrong."""

import json
from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import httpx2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.types import Receive, Scope, Send

from api.front import Front
from api.gateway import Gateway
from api.naming import Naming
from api.problems import Problem
from api.transform import Version
from events.memory import MemoryLog
from schemas.settings import CONTEXTS
from tests.api.entries import TOKENS, Person, client_of, closed, serving
from tests.api.world import WAIT, World, databases_of, order

pytestmark = pytest.mark.anyio

ROWS = {
    "buyer": "customer_id",
    "ship_to": "shipping_address",
    "ship_to.zip": "postal_code",
    "lines.price": "unit_price",
}
OLD = Version("v1", paths={"/baskets": "/orders"}, fields={"/orders": ROWS})
NAMING = Naming(ROWS)


def old(*skus: str, **changes: Any) -> dict[str, Any]:
    """An order as clients of the old version send it."""
    today: dict[str, Any] = json.loads(NAMING.answer(json.dumps(order(*skus)).encode()))
    return {**today, **changes}


PAIRS = [
    (b'{"buyer":"ada"}', b'{"customer_id":"ada"}'),
    (b'{"a":1,"buyer":null,"z":[]}', b'{"a":1,"customer_id":null,"z":[]}'),
    (b'{"ship_to":{"zip":"1","city":"x"}}', b'{"shipping_address":{"postal_code":"1","city":"x"}}'),
    (b'{"lines":[{"price":1},{"price":2}]}', b'{"lines":[{"unit_price":1},{"unit_price":2}]}'),
    (b'{"lines":[{"price":1.0},{"price":1e999},-0]}', b'{"lines":[{"unit_price":1.0},{"unit_price":1e999},-0]}'),
    (b'{"buyer":"\\ud83c\\udf75 \\u0000"}', b'{"customer_id":"\\ud83c\\udf75 \\u0000"}'),
    (b'{"lines":[[{"price":1}],7,"price"]}', b'{"lines":[[{"unit_price":1}],7,"price"]}'),
    (b'{"ship_to":"buyer","lines":null}', b'{"shipping_address":"buyer","lines":null}'),
]  # fmt: skip


@pytest.mark.parametrize(("theirs", "ours"), PAIRS)
def test_what_is_sent_is_understood_and_answered_byte_for_byte_but_for_its_names(theirs: bytes, ours: bytes) -> None:
    assert NAMING.request(theirs) == ours
    assert NAMING.answer(ours) == theirs


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b'{"buyer":', b"7", b'"buyer"', b"\xff\xfe{", b"[" * 100_000, b'{"buyer":1' + b"0" * 5000 + b"}"],
)
def test_what_is_no_object_or_no_json_is_left_to_those_who_refuse_it(body: bytes) -> None:
    assert NAMING.request(body) == body


@pytest.mark.parametrize(
    ("body", "field", "said"),
    [
        ({"customer_id": "ada"}, "customer_id", "is called buyer in this version"),
        ({"buyer": "ada", "customer_id": "eve"}, "customer_id", "is called buyer in this version"),
        ({"lines": [{"price": 1}, {"unit_price": 1}]}, "lines[1].unit_price", "is called price in this version"),
        ({"ship_to": {"postal_code": "1"}}, "ship_to.postal_code", "is called zip in this version"),
    ],
)
def test_todays_names_are_none_of_an_old_versions(body: dict[str, Any], field: str, said: str) -> None:
    with pytest.raises(Problem) as no:
        NAMING.request(json.dumps(body).encode())
    assert [(error["field"], error["detail"]) for error in no.value.errors] == [(field, said)]


@pytest.mark.parametrize("body", [b'{"buyer": "ada", "buyer": "eve"}', b'{"buyer":"ada","email":"a","email":"b"}'])
def test_a_field_that_comes_twice_is_refused_before_one_of_them_is_lost(body: bytes) -> None:
    with pytest.raises(Problem, match="is there more than once"):
        NAMING.request(body)


def test_rows_of_a_list_are_called_as_the_one_thing_is_and_a_name_with_a_new_meaning_is_left_out() -> None:
    page = {"items": [{"customer_id": "ada", "buyer": {"name": "Ada"}}, {"buyer": 1}], "next": None}
    assert json.loads(NAMING.answer(json.dumps(page).encode())) == {"items": [{"buyer": "ada"}, {}], "next": None}


NAMES = st.sampled_from(["buyer", "ship_to", "zip", "lines", "price", "x", "y"])
BODIES = st.recursive(
    st.none() | st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=4),
    max_leaves=8,
)


@given(BODIES)
@settings(max_examples=50, deadline=None)
def test_an_answer_has_the_names_of_its_request(body: Any) -> None:
    raw = json.dumps(body).encode()
    assert json.loads(NAMING.answer(NAMING.request(raw))) == body


@pytest.fixture
async def gateway() -> AsyncIterator[Person]:
    """Somebody of the shop's at a gateway with nothing behind it."""
    async with client_of(Front(closed(), MemoryLog(), versions=(OLD, Version("v2")))) as client:
        yield Person(client, "staff")


@pytest.mark.parametrize(
    ("body", "field", "pointer"),
    [
        ({**old("tea"), "buyer": 7}, "buyer", "#/buyer"),
        ({**old("tea"), "buyer": "a b", "coupon": 1}, "coupon", "#/coupon"),
        (old("tea", lines=[{"sku": "tea", "quantity": 1}]), "lines[0].price", "#/lines/0/price"),
        ({**old("tea"), "ship_to": {**old()["ship_to"], "zip": ""}}, "ship_to.zip", "#/ship_to/zip"),
        ({**old("tea"), "ship_to": "here"}, "ship_to", "#/ship_to"),
        ({**old("tea"), "customer_id": "ada"}, "customer_id", "#/customer_id"),
        ({}, "buyer", "#/buyer"),
    ],
)
async def test_a_client_is_told_what_is_wrong_by_the_name_it_used(
    gateway: Person, body: dict[str, Any], field: str, pointer: str
) -> None:
    answer = await gateway.post("/api/v1/baskets", body)
    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (422, "Invalid"), problem
    named = {error["field"]: error["pointer"] for error in problem["errors"]}
    assert named[field] == pointer
    assert f"{field}: " in problem["detail"]
    foreign = {"postal_code", "unit_price", "shipping_address"} | ({"customer_id"} - body.keys())
    assert not [name for name in foreign if name in answer.text], answer.text


async def test_other_versions_and_what_a_urls_question_is_called_stay_as_they_are(gateway: Person) -> None:
    for url in ("/api/v2/orders", "/api/orders"):
        refused = (await gateway.post(url, old("tea"))).json()
        assert {"buyer", "customer_id"} <= {error["field"] for error in refused["errors"]}
    asked = await gateway.get("/api/v1/baskets", customer_id="a b")
    assert [error["field"] for error in asked.json()["errors"]] == ["customer_id"]


async def test_what_a_context_gets_is_as_long_as_its_header_says() -> None:
    heard: list[tuple[int, bytes]] = []

    async def context(scope: Scope, receive: Receive, send: Send) -> None:
        length = dict(scope["headers"])[b"content-length"]
        heard.append((int(length), (await receive())["body"]))
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/plain")]})
        await send({"type": "http.response.body", "body": b'{"customer_id": 1}'})

    front = Front(closed(), MemoryLog())
    apart = dict.fromkeys(CONTEXTS, context)
    front.gateway = Gateway(closed(), TOKENS, front.gateway._routes, apart, front.inner, context, versions=(OLD,))
    async with client_of(front) as client:
        bodies = (b'{"buyer":"ada"}', b'{"x": 1}', b"no json")
        for kind, body in [("application/json", body) for body in bodies] + [("text/plain", bodies[0])]:
            answer = await Person(client).ask("POST", "/api/v1/orders", content=body, headers={"Content-Type": kind})
            assert answer.text == '{"customer_id": 1}'
    assert [body for _, body in heard] == [b'{"customer_id":"ada"}', b'{"x":1}', b"no json", b'{"buyer":"ada"}']
    assert all(length == len(body) for length, body in heard)


@pytest.mark.infra
async def test_a_client_of_an_old_version_orders_reads_pages_and_follows(world: World, postgres: str) -> None:
    front = Front(closed(), world.log, databases_of(postgres, CONTEXTS), versions=(OLD,))
    async with serving(front) as url, httpx2.AsyncClient(base_url=f"{url}/api/v1", timeout=20) as client:
        ada, sku, key = Person(client, "customer"), await world.listed(), {"Idempotency_Key": str(uuid4())}
        placed = await ada.post("/baskets", old(sku, buyer=ada.id), **key)
        assert placed.status_code == 201, placed.text
        assert placed.headers["location"] == f"/api/v1/orders/{placed.json()['order_id']}"
        again = await ada.post("/baskets", old(sku, buyer=ada.id), **key)
        assert (again.json()["order_id"], again.headers["idempotent-replayed"]) == (placed.json()["order_id"], "true")
        await ada.post("/baskets", old(sku, buyer=ada.id))

        where = f"/orders/{placed.json()['order_id']}"
        one = (await ada.get(where, wait_for="settled")).json()
        assert one["buyer"] == ada.id
        assert one["ship_to"]["zip"] == order()["shipping_address"]["postal_code"]
        assert [line["price"] for line in one["lines"]] == [250]
        assert not {"customer_id", "shipping_address"} & one.keys()

        first = (await ada.get("/baskets", limit=1)).json()
        assert first["next"].startswith("/api/v1/orders?")
        second = (await ada.ask("GET", f"{url}{first['next']}")).json()
        assert [row["buyer"] for page in (first, second) for row in page["items"]] == [ada.id] * 2

        assert (await ada.ask("POST", f"{where}/cancel", json={}, headers=WAIT)).json()["buyer"] == ada.id
        live = await ada.get(f"{where}/live")
        assert live.headers["content-type"].startswith("text/event-stream")
        assert '"customer_id":' in live.text
        assert '"buyer":' not in live.text
