"""Lists: a cursor goes on with its own question only, and a parameter that nobody knows is refused by name."""

from uuid import uuid4

import pytest

from tests.api.world import World

pytestmark = pytest.mark.anyio


async def pages(world: World, customer: str) -> str:
    """A list of two pages; the URL of the second."""
    sku = await world.listed()
    for _ in range(3):
        await world.placed(sku, customer_id=customer)
    first = await world.client.get("/orders", params={"customer_id": customer, "limit": 2})
    following: str = first.json()["next"]
    assert first.headers["link"] == f'<{following}>; rel="next"'
    return following


async def test_a_cursor_goes_on_with_its_own_question(world: World) -> None:
    following = await pages(world, f"c-{uuid4()}")
    assert len((await world.client.get(following)).json()["items"]) == 1
    assert (await world.client.get(following.replace("limit=2", "limit=9"))).status_code == 200


@pytest.mark.parametrize("change", ["customer_id=c-", "/orders", "cursor="])
async def test_a_cursor_that_was_changed_or_is_of_another_question_is_refused(world: World, change: str) -> None:
    following = await pages(world, f"c-{uuid4()}")
    other = {"customer_id=c-": "customer_id=d-", "/orders": "/payments", "cursor=": "cursor=W"}[change]
    url = following.replace(change, other, 1)
    if other == "/payments":
        url = url.split("?")[0] + "?cursor=" + url.split("cursor=")[1]
    answer = await world.client.get(url)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "cursor")


@pytest.mark.parametrize(
    ("url", "field"),
    [
        ("/orders?custumer_id=ada", "custumer_id"),
        ("/products/tea/stock?colour=green", "colour"),
        ("/orders/3da7ad0f-01dd-4549-bf64-67cbe3214b83/history?limit=3", "limit"),
        ("/summary?of=orders", "of"),
        ("/orders?limit=1&limit=2", "limit"),
    ],
)
async def test_a_parameter_that_is_unknown_or_repeated_is_refused_by_name(door: World, url: str, field: str) -> None:
    answer = await door.client.get(url)
    assert (answer.status_code, [error["field"] for error in answer.json()["errors"]]) == (422, [field])


async def test_a_problem_names_the_trace_it_belongs_to(door: World) -> None:
    trace = uuid4().hex
    answer = await door.client.get("/orders?x=1", headers={"traceparent": f"00-{trace}-{uuid4().hex[:16]}-01"})
    assert answer.json()["trace_id"] == trace
    assert "trace_id" not in (await door.client.get("/orders?x=1", headers={"traceparent": "nonsense"})).json()
