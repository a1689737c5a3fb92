"""Dead letters: found in their order, mended, retried, discarded; the client of a mended command is told of it."""

import json
from typing import Any
from uuid import uuid4

import pytest

from events import audit
from events.envelope import CLIENT, Envelope
from events.log import Draft
from events.topics import PARTITIONS, partition_of
from schemas.order import CancelOrder, ShipOrder
from schemas.values import Command
from tests.api.world import WAIT, World, order
from tests.scenarios.shop import place_of

pytestmark = pytest.mark.anyio


async def sent(world: World, command: Command, body: bytes | None = None) -> str:
    """Write a command as a client of another make would, perhaps with a body that does not fit."""
    name, stream = str(uuid4()), command.stream
    envelope = Envelope(name, command.tag, "api", "2026-03-02T12:00:00+00:00", stream, name, name, CLIENT)
    value = command.model_dump_json().encode() if body is None else body
    await world.log.append(place_of(command), [Draft(stream, value, envelope.headers())])
    return name


async def stuck(world: World) -> tuple[str, str, list[dict[str, Any]]]:
    """A confirmed order with a cancellation that nobody can read, and a command behind it: the order, ids, letters."""
    row = await world.placed(await world.listed())
    await world.settled(row["order_id"])
    first = await sent(world, CancelOrder(order_id=row["order_id"]), b'{"order_id": 7, "reason": "typo"}')
    await sent(world, ShipOrder(order_id=row["order_id"]))
    await world.until(f"/commands/order/{first}", status="parked")
    stream = f"order-{row['order_id']}"
    while True:
        items = (await world.client.get("/dead-letters/order", params={"limit": "200"})).json()["items"]
        if len(found := [item for item in items if item["stream"] == stream]) == 2:
            return row["order_id"], first, found


def url(letter: dict[str, Any], what: str = "") -> str:
    return f"/dead-letters/order/{letter['id']}" + (f"/{what}" if what else "")


async def test_letters_are_listed_with_who_waits_behind_whom(world: World) -> None:
    _, first, [head, second] = await stuck(world)
    assert (head["status"], head["attempts"], head["waiting"], head["behind"]) == ("open", 1, 1, "")
    assert (head["command_id"], head["consumer"], head["type"]) == (first, "order.writer", "order.cancel")
    assert (second["behind"], second["waiting"], second["attempts"]) == (head["id"], 0, 0)
    assert head in (await world.client.get("/dead-letters", params={"status": "open", "limit": "200"})).json()["items"]


async def test_one_is_shown_decoded_as_far_as_possible(world: World) -> None:
    _, _, [head, second] = await stuck(world)
    shown = (await world.client.get(url(head))).json()
    assert (shown["body"], shown["readable"]) == ({"order_id": 7, "reason": "typo"}, False)
    assert "order_id" in shown["reason"]
    assert [each["id"] for each in shown["waiting_behind"]] == [second["id"]]
    assert (await world.client.get(url(second))).json()["readable"] is True


async def test_an_edit_mends_it_and_lets_the_rest_go_on_in_order(world: World) -> None:
    order_id, first, [head, second] = await stuck(world)
    mended = {"body": {"order_id": order_id, "reason": "typo"}, "why": "the id was no text"}

    answer = await world.post(url(head, "edit"), mended)

    assert (answer.status_code, answer.json()["status"]) == (200, "retried"), answer.text
    assert answer.json()["why"] == "the id was no text"
    assert (await world.until(f"/orders/{order_id}", status="cancelled"))["reason"] == "typo"
    assert (await world.client.get(f"/commands/order/{first}")).json()["status"] == "accepted"
    behind = (await world.client.get(f"/commands/order/{second['command_id']}")).json()
    assert (behind["status"], behind["code"]) == ("rejected", "OrderSettled")
    assert (await world.client.get(url(second))).json()["status"] == "retried"


async def test_a_retry_of_what_is_as_bad_as_before_fails_and_counts(world: World) -> None:
    _, first, [head, _] = await stuck(world)
    answer = await world.post(url(head, "retry"))
    assert (answer.status_code, answer.json()["code"]) == (409, "LetterFailedAgain")
    assert "order_id" in answer.json()["detail"]
    assert (await world.client.get(url(head))).json()["attempts"] == 2
    assert (await world.client.get(f"/commands/order/{first}")).json()["status"] == "parked"


async def test_with_one_discarded_the_rest_goes_on_and_its_client_is_told(world: World) -> None:
    order_id, first, [head, second] = await stuck(world)
    answer = await world.post(url(head, "discard"), {"why": "the customer changed his mind"})
    assert (answer.status_code, answer.json()["status"]) == (200, "discarded"), answer.text
    told = (await world.client.get(f"/commands/order/{first}")).json()
    assert (told["status"], told["code"]) == ("rejected", "LetterDiscarded")
    assert told["detail"] == "the customer changed his mind"
    await world.until(f"/commands/order/{second['command_id']}", status="accepted")
    await world.until(f"/orders/{order_id}", status="shipped")


async def test_without_waiting_the_answer_says_where_to_look(world: World) -> None:
    _, _, [head, _] = await stuck(world)
    answer = await world.client.post(url(head, "discard"), json={"why": "so"})
    assert answer.status_code == 202
    await world.until(answer.headers["Location"], status="accepted")
    assert answer.json()["resource"] == url(head)


async def test_the_same_request_twice_is_done_once(world: World) -> None:
    _, _, [head, _] = await stuck(world)
    key = str(uuid4())
    for _ in range(2):
        assert (await world.post(url(head, "retry"), idempotency_key=key)).status_code == 409
    assert (await world.client.get(url(head))).json()["attempts"] == 2


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"why": "so"}, "body"),
        ({"body": {"order_id": "?"}, "why": "so"}, "order_id"),
        ({"body": {}, "why": ""}, "why"),
        ({"body": {"order_id": "0a000000-0000-4000-8000-00000000000a"}, "why": "so"}, "body"),
        ({"body": {"order_id": "0a000000-0000-4000-8000-00000000000a", "colour": 1}, "why": "so"}, "colour"),
    ],
)
async def test_an_edit_that_does_not_fit_names_the_field(world: World, body: dict[str, Any], field: str) -> None:
    _, _, [head, _] = await stuck(world)
    answer = await world.post(url(head, "edit"), body)
    assert answer.status_code == 422
    assert field in [error["field"] for error in answer.json()["errors"]], answer.text


async def test_one_that_waits_cannot_go_first(world: World) -> None:
    _, _, [head, second] = await stuck(world)
    answer = await world.post(url(second, "retry"))
    assert (answer.status_code, answer.json()["code"]) == (409, "LetterWaits")
    assert head["id"] in answer.json()["detail"]


async def test_who_asked_for_what_is_on_record(world: World) -> None:
    _, _, [head, _] = await stuck(world)
    await world.post(url(head, "discard"), {"why": "so"})
    act = (await audit.read(world.log, 1))[0].event
    assert act is not None
    assert (act.action, act.target, act.why) == ("dead-letters discard", f"order/{head['id']}", "so")


async def test_what_is_not_there_is_unknown(world: World) -> None:
    await world.listed()
    for what in ("", "/retry"):
        ask = world.client.post if what else world.client.get
        answer = await ask(f"/dead-letters/order/{uuid4()}{what}", headers=WAIT)
        assert (answer.status_code, answer.json()["code"]) == (404, "LetterUnknown")
    assert (await world.client.get(f"/dead-letters/weather/{uuid4()}")).status_code == 404
    assert (await world.client.post(f"/dead-letters/order/{uuid4()}/discard", json={})).status_code == 422


async def test_garbage_can_be_discarded_too(world: World) -> None:
    await world.log.append(place_of(CancelOrder(order_id=str(uuid4()))), [Draft("?", b"\xff", [("ce_type", b"?")])])
    items = await world.listing("/dead-letters/order?status=aside")
    answer = await world.post(url(items[-1], "discard"), {"why": "garbage"})
    assert (answer.status_code, answer.json()["status"]) == (200, "discarded"), answer.text
    assert (await world.client.get(url(items[-1]))).json()["text"]


async def test_secrets_are_not_shown_and_stay_as_they_are_when_they_are_left_out(world: World) -> None:
    sku, order_id = await world.listed(), str(uuid4())
    wanted = {**order(sku), "order_id": order_id, "currency": "EUR", "payment_token": "tok_visa"}
    stream = f"order-{order_id}"
    name = str(uuid4())
    envelope = Envelope(name, "order.place", "api", "", stream, name, name, CLIENT)
    place = place_of(CancelOrder(order_id=order_id))
    assert place.partition == partition_of(stream, PARTITIONS)
    await world.log.append(place, [Draft(stream, json.dumps({**wanted, "lines": 7}).encode(), envelope.headers())])
    await world.until(f"/commands/order/{name}", status="parked")
    items = (await world.client.get("/dead-letters/order", params={"limit": "200"})).json()["items"]
    [letter] = [item for item in items if item["stream"] == stream]
    shown = (await world.client.get(url(letter))).json()
    assert "payment_token" not in shown["body"]
    assert "value" not in shown
    body = {**shown["body"], "lines": wanted["lines"]}
    assert (await world.post(url(letter, "edit"), {"body": body, "why": "lines"})).status_code == 200
    assert (await world.settled(order_id))["status"] == "confirmed"
