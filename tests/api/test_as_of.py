"""One resource as it was: at every event of its history, before it, and at what is no moment."""

import pytest

from tests.api.world import World

pytestmark = [pytest.mark.infra, pytest.mark.anyio]


async def test_an_order_is_shown_as_it_was_at_every_event_of_its_history(world: World) -> None:
    row = await world.placed(await world.listed())
    await world.settled(row["order_id"])
    await world.post(f"/orders/{row['order_id']}/cancel")
    url = f"/orders/{row['order_id']}"
    now = await world.until(url, status="cancelled")
    past = (await world.client.get(f"{url}/history")).json()["items"]

    seen = []
    for event in past:
        by_time = (await world.client.get(url, params={"as_of": event["at"]})).json()
        last = by_time.pop("as_of")
        by_position = (await world.client.get(url, params={"as_of": str(last["position"])})).json()
        assert by_position.pop("as_of") == last
        assert by_position == by_time, "a time, and the offset of the last record before it, mean the same"
        assert by_time["version"] >= event["version"], "what happened at a moment is included"
        seen.append(by_time["status"])
    assert seen[0] == "placed"
    assert "confirmed" in seen
    assert by_time == now


async def test_what_was_not_there_yet_is_not_there(world: World) -> None:
    row = await world.placed(await world.listed())
    answer = await world.client.get(f"/orders/{row['order_id']}", params={"as_of": "2001-01-01T00:00:00Z"})
    assert (answer.status_code, answer.json()["code"]) == (404, "OrderUnknown")
    assert "as of 2001-01-01" in answer.json()["detail"]


async def test_a_product_and_a_payment_have_a_past_too(world: World) -> None:
    sku = await world.listed(stock=7)
    row = await world.placed(sku)
    await world.settled(row["order_id"])
    full = await world.until(f"/products/{sku}", available=6)
    then = (await world.client.get(f"/products/{sku}", params={"as_of": full["updated_at"]})).json()
    assert (then.pop("as_of")["at"], then) == (full["updated_at"], full)
    await world.until(f"/payments/{row['order_id']}", captured=250)
    payment = (await world.client.get(f"/payments/{row['order_id']}", params={"as_of": "2999-01-01"})).json()
    assert payment["captured"] == 250


@pytest.mark.parametrize("said", ["yesterday", "-1", "2026-13-01", ""])
async def test_what_is_no_moment_is_refused_by_name(world: World, said: str) -> None:
    answer = await world.client.get("/products/tea", params={"as_of": said})
    assert answer.status_code == 422
    [error] = answer.json()["errors"]
    assert (error["field"], error["code"]) == ("as_of", "moment")
    assert "2026-11-28T10:00:00Z" in error["detail"]
