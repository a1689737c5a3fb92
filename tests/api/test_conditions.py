"""Entity tags: what a client has is not sent again, and what it has not seen is not changed."""

import asyncio

import pytest

from api.app import create_app
from api.conditions import expected
from events.memory import MemoryLog
from tests.api.people import registered
from tests.api.world import World, client_of, settings

pytestmark = pytest.mark.anyio


async def test_what_has_not_changed_is_not_sent_again(world: World) -> None:
    sku = await world.listed()
    first = await world.client.get(f"/products/{sku}")
    for said in (first.headers["etag"], f'"9.9", W/{first.headers["etag"]}', "*"):
        again = await world.client.get(f"/products/{sku}", headers={"If-None-Match": said})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", first.headers["etag"])
    priced = await world.post(f"/products/{sku}/price", {"price": 300})
    later = await world.client.get(f"/products/{sku}", headers={"If-None-Match": first.headers["etag"]})
    assert (later.status_code, later.headers["etag"]) == (200, priced.headers["etag"])


async def test_a_change_of_what_has_been_seen_is_made_and_of_what_has_not_is_refused(world: World) -> None:
    sku = await world.listed()
    tag = (await world.client.get(f"/products/{sku}")).headers["etag"]
    done = await world.client.post(f"/products/{sku}/price", json={"price": 300}, headers={"If-Match": tag})
    stale = await world.client.post(f"/products/{sku}/price", json={"price": 400}, headers={"If-Match": tag})
    assert (done.status_code, done.json()["price"]) == (200, 300)
    assert (stale.status_code, stale.json()["code"]) == (412, "PreconditionFailed")
    assert (await world.client.get(f"/products/{sku}")).json()["price"] == 300
    new = done.headers["etag"]
    either = await world.client.post(f"/products/{sku}/price", json={"price": 5}, headers={"If-Match": f"{tag}, {new}"})
    assert either.json()["price"] == 5


async def test_of_many_who_have_seen_the_same_one_changes_it(world: World) -> None:
    """A check in the API would let several through: it is the writer who decides."""
    sku = await world.listed(stock=0)
    tag = (await world.client.get(f"/products/{sku}")).headers["etag"]
    url, headers = f"/products/{sku}/stock/receive", {"If-Match": tag, "Prefer": "wait=10"}
    sent = (world.client.post(url, json={"quantity": 1}, headers=headers) for _ in range(20))
    answers = await asyncio.gather(*sent)
    assert sorted(answer.status_code for answer in answers) == [200, *[412] * 19]
    assert (await world.client.get(f"/products/{sku}")).json()["on_hand"] == 1


async def test_ones_own_account_that_has_not_changed_is_not_sent_again(world: World) -> None:
    bearer = await (await registered(world)).bearer()
    first = await world.client.get("/me", headers=bearer)
    again = await world.client.get("/me", headers={**bearer, "If-None-Match": first.headers["etag"]})
    assert (first.status_code, again.status_code, again.content) == (200, 304, b"")
    changed = await world.post("/me/profile", {"name": "Countess"}, If_Match=first.headers["etag"], **bearer)
    stale = await world.post("/me/profile", {"name": "Ada"}, If_Match=first.headers["etag"], **bearer)
    assert (changed.status_code, changed.json()["name"], stale.status_code) == (200, "Countess", 412)
    later = await world.client.get("/me", headers={**bearer, "If-None-Match": first.headers["etag"]})
    assert (later.status_code, later.headers["etag"]) == (200, changed.headers["etag"])


async def test_any_version_is_one_that_is_there(world: World) -> None:
    sku = await world.listed()
    assert (await world.post(f"/products/{sku}/withdraw", If_Match="*")).status_code == 200
    assert (await world.post("/products/nobodys/withdraw", If_Match="*")).status_code == 412


@pytest.mark.parametrize("said", ["7", '"x"', 'W/"7"', '"7", *', "", ",".join(['"1"'] * 11)])
async def test_a_condition_that_makes_no_sense_is_refused(door: World, said: str) -> None:
    answer = await door.client.post("/products/tea/withdraw", headers={"If-Match": said})
    assert (answer.status_code, answer.json()["code"]) == (422, "BadCondition")
    assert door.commands() == 0


async def test_a_command_that_needs_a_condition_is_not_sent_without() -> None:
    log = MemoryLog()
    async with client_of(create_app(settings(if_match="PriceProduct"), log=log)) as client:
        answer = await client.post("/products/tea/price", json={"price": 1})
        other = await client.post("/products/tea/withdraw")
    assert (answer.status_code, answer.json()["code"]) == (428, "ConditionMissing")
    assert other.status_code == 202


def test_a_name_that_is_no_such_command_is_refused_at_the_start_with_those_that_are() -> None:
    with pytest.raises(ValueError, match=r"'PriceProducts' has an If-Match; there are .*PriceProduct, "):
        create_app(settings(if_match="CancelOrder, PriceProducts"), log=MemoryLog())


@pytest.mark.parametrize(
    ("said", "meant"), [([], ""), (["*"], "*"), (['"7.1"'], "7"), (['"7.1", "8"'], "7,8"), (['"1"', '"02.1"'], "1,2")]
)
def test_tags_are_versions(said: list[str], meant: str) -> None:
    assert expected(said) == meant
