"""Who asks with the Log-Position of an answer reads what it has told, or hears how far the read model is behind."""

from typing import Any
from uuid import uuid4

import pytest

from api.positions import Seen, read, write
from tests.api.world import World, order

pytestmark = pytest.mark.anyio

UNDECIDED = "0a000000-0000-8000-8000-00000000000a"


async def test_a_question_waits_until_the_accepted_command_is_seen(world: World) -> None:
    sku = await world.listed()
    accepted = await world.client.post("/orders", json=order(sku))
    assert accepted.status_code == 202
    headers = {"Log-Position": accepted.headers["log-position"], "Prefer": "wait=10"}
    answer = await world.client.get(accepted.json()["resource"], headers=headers)
    assert (answer.status_code, answer.json()["total"]) == (200, 250)


async def test_a_list_waits_too_and_for_several_places_in_several_contexts(world: World) -> None:
    product: dict[str, Any] = {"sku": f"sku-{uuid4().hex[:12]}", "name": "tea", "price": 250, "stock": 9}
    await world.post("/products", product)
    customer = f"c-{uuid4()}"
    sent = [await world.client.post("/orders", json=order(product["sku"], customer_id=customer)) for _ in range(8)]
    sent.append(await world.client.post(f"/products/{product['sku']}/price", json={"price": 300}))
    after = ",".join(answer.headers["log-position"] for answer in sent)
    headers = {"Prefer": "wait=10"}
    found = await world.client.get("/orders", params={"customer_id": customer, "after": after}, headers=headers)
    assert len(found.json()["items"]) == 8
    priced = await world.client.get(f"/products/{product['sku']}", params={"after": after}, headers=headers)
    assert priced.json()["price"] == 300


async def test_an_answer_says_where_its_last_event_lies(world: World) -> None:
    row = await world.placed(await world.listed())
    await world.settled(row["order_id"])
    answer = await world.client.get(f"/orders/{row['order_id']}")
    [seen] = read(answer.headers["log-position"], "x")
    assert seen.context == "order"
    again = await world.client.get("/orders", headers={"Log-Position": answer.headers["log-position"]})
    assert again.status_code == 200


async def test_a_read_model_that_is_behind_says_by_how_much(world: World) -> None:
    [row] = await world.databases["order"].fetch("SELECT next FROM checkpoints WHERE partition = 0")
    far = write([Seen("order", 0, row["next"] + 1_000_000)])
    answer = await world.client.get("/orders", params={"after": far}, headers={"Prefer": "wait=1"})
    assert (answer.status_code, answer.json()["code"]) == (503, "BehindPosition")
    assert answer.headers["retry-after"] == "1"
    [behind] = answer.json()["behind"]
    assert (behind["context"], behind["partition"]) == ("order", 0)
    assert 0 < behind["records"] <= 1_000_001


async def test_a_command_that_is_not_decided_is_waited_for_no_longer_than_asked(world: World) -> None:
    word = write([Seen("order", 1, command_id=UNDECIDED)])
    answer = await world.client.get("/orders", headers={"Log-Position": word, "Prefer": "wait=1"})
    assert (answer.status_code, answer.json()["code"]) == (503, "BehindPosition")


@pytest.mark.parametrize("word", ["x", "====", "b3JkZXI", "bm9ib2R5LzAvMQ", "b3JkZXIvOTkvMQ", "a" * 4001, "\xe9"])
async def test_a_word_that_is_no_position_is_refused_by_name(door: World, word: str) -> None:
    answer = await door.client.get("/orders", params={"after": word})
    assert (answer.status_code, [error["field"] for error in answer.json()["errors"]]) == (422, ["after"])


def test_places_come_back_as_they_were_written() -> None:
    places = [Seen("order", 3, 118), Seen("product", 0, 0), Seen("payment", 2, command_id=UNDECIDED)]
    assert read(write(places), "x") == places
    assert read(f"{write(places[:1])}, {write(places[1:])}", "x") == places
