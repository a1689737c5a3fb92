"""What the OpenAPI document says of bodies, answers, headers and examples is so."""

import json
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import httpx2
import jsonschema_rs
import pytest

from api.bodies import MODELS, parse
from api.print_openapi import document
from api.transform import SECURITY
from tests.api.entries import Person, in_process
from tests.api.world import World, order

SAID = document()
SCHEMAS = SAID["components"]["schemas"]
JSON = "application/json"
EVERYWHERE = {"content-length", "content-type", "www-authenticate", "allow", "cache-control"}
"""Headers that need no describing."""


def operations() -> Iterator[tuple[str, dict[str, Any]]]:
    for path, methods in SAID["paths"].items():
        for method, operation in methods.items():
            yield f"{method.upper()} {path}", operation


def name_of(part: dict[str, Any]) -> str:
    """The schema that a body or an answer in JSON refers to."""
    return str(part["content"][JSON]["schema"]["$ref"]).rpartition("/")[2]


BODIES = sorted(
    {
        name_of(said["requestBody"])
        for which, said in operations()
        if JSON in said.get("requestBody", {}).get("content", {}) and "/webhooks/" not in which  # the provider's own
    }
)
ANSWERS = sorted(
    {
        name_of(answer)
        for _, said in operations()
        for status, answer in said["responses"].items()
        if status[0] == "2" and JSON in answer.get("content", {})
    }
)


def fitting(name: str) -> list[Any]:
    """The examples of a schema, which fit it."""
    schema, found = {**SCHEMAS[name], "components": SAID["components"]}, SCHEMAS[name].get("examples", [])
    for example in found:
        jsonschema_rs.validate(schema, example)
    return list(found)


@pytest.mark.parametrize("name", BODIES)
def test_every_body_has_an_example_that_the_door_takes(name: str) -> None:
    [example] = fitting(name)
    assert parse(MODELS[name], json.dumps(example).encode())


@pytest.mark.parametrize("name", [*ANSWERS, "Problem"])
def test_every_answer_has_an_example_with_nothing_in_it_that_is_not_described(name: str) -> None:
    [example] = fitting(name)
    assert example.keys() <= SCHEMAS[name]["properties"].keys()


def test_every_answer_in_json_is_described() -> None:
    bare = [which for which, said in operations() for a in said["responses"].values() if a.get("content") == {JSON: {}}]
    assert not bare
    assert all(said["responses"]["default"] for _, said in operations())


def test_every_question_may_wait_for_a_position() -> None:
    for which, said in operations():
        names = {each["name"] for each in said["parameters"]} if which.startswith("GET") else {"after", "Log-Position"}
        assert {"after", "Log-Position"} <= names, which


def test_no_answer_is_said_to_have_a_secret() -> None:
    assert "password_hash" not in SCHEMAS["UserView"]["properties"]


def undescribed(said: dict[str, Any], path: str, answer: httpx2.Response) -> set[str]:
    """Headers of an answer of which the document does not know."""
    responses = said["paths"][path][answer.request.method.lower()]["responses"]
    known = responses.get(str(answer.status_code)) or responses["default"]
    return {name.lower() for name in answer.headers} - {name.lower() for name in known["headers"]} - EVERYWHERE


@pytest.mark.anyio
@pytest.mark.infra
async def test_every_header_that_is_sent_is_described(world: World) -> None:
    sku, key = await world.listed(), str(uuid4())
    placed, again = [await world.post("/orders", order(sku), Idempotency_Key=key) for _ in range(2)]
    accepted = await world.client.post("/orders", json=order(sku))
    refused = await world.post("/orders", order(sku, email="eve@example.org"), Idempotency_Key=key)
    url = placed.headers["location"]
    one = await world.client.get(url)
    unchanged = await world.client.get(url, headers={"If-None-Match": one.headers["etag"]})
    assert one.json().keys() == SCHEMAS["OrderView"]["properties"].keys()
    noted = await world.post(f"{url}/notes", {"text": "x"})
    page = await world.client.get("/orders", params={"limit": 1})
    for path, answer, sent in (
        ("/orders", placed, {"location", "etag", "log-position", "preference-applied"}),
        ("/orders", again, {"idempotent-replayed", "location", "etag", "log-position"}),
        ("/orders", accepted, {"location", "retry-after", "log-position"}),
        ("/orders", refused, set()),
        ("/orders/{order_id}", one, {"etag", "log-position"}),
        ("/orders/{order_id}", unchanged, {"etag", "log-position"}),
        ("/orders/{order_id}/notes", noted, {"etag", "log-position", "preference-applied"}),
        ("/orders", page, {"link"}),
    ):
        assert sent <= {name.lower() for name in answer.headers}, answer.headers
        assert not undescribed(SAID, f"/api{path}", answer), path


@pytest.mark.anyio
@pytest.mark.infra
async def test_what_the_gateway_adds_is_described_too(postgres: str, world: World) -> None:
    async with in_process(postgres, world) as client:
        said = (await client.get("/api/openapi.json")).json()
        ada = Person(client, "customer")
        placed = await ada.post("/api/orders", order(await world.listed(), customer_id=ada.id))
    assert {"ratelimit", "ratelimit-policy", "location", "etag"} <= {name.lower() for name in placed.headers}
    assert not undescribed(said, "/api/orders", placed) - set(SECURITY)
