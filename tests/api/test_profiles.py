"""Profiles over HTTP: what somebody tells of themselves is theirs, and nobody else's key or id reaches it."""

from uuid import uuid4

import pytest

from tests.api.people import registered, told
from tests.api.world import World

pytestmark = pytest.mark.anyio

PLACE = {"name": "Ada", "street": "1 Main Street", "city": "Springfield", "postal_code": "12345", "country": "US"}


async def test_a_profile_is_told_and_seen(world: World) -> None:
    ada = await registered(world)
    bearer = await ada.bearer()
    said = {"name": "Ada L.", "phone": "+4312345678", "locale": "de-AT"}
    answer = await told(world, "/me/profile", said, bearer)
    assert answer.status_code == 200, answer.text
    me = (await world.client.get("/me", headers=bearer)).json()
    assert said.items() <= me.items()


async def test_addresses_are_kept_corrected_chosen_and_removed(world: World) -> None:
    ada = await registered(world)
    bearer = await ada.bearer()
    home = (await told(world, "/me/addresses", {"label": "home", "address": PLACE}, bearer)).json()
    [first] = home["addresses"]
    assert home["default_address"] == first["address_id"]
    both = (await told(world, "/me/addresses", {"label": "work", "address": PLACE, "default": True}, bearer)).json()
    second = both["addresses"][1]
    assert both["default_address"] == second["address_id"]

    url = f"/me/addresses/{first['address_id']}"
    moved = (await told(world, url, {"label": "home", "address": {**PLACE, "city": "Ogdenville"}}, bearer)).json()
    assert [each["city"] for each in moved["addresses"]] == ["Ogdenville", "Springfield"]
    removed = (await told(world, f"/me/addresses/{second['address_id']}/remove", {}, bearer)).json()
    assert (len(removed["addresses"]), removed["default_address"]) == (1, first["address_id"])
    gone = await told(world, f"/me/addresses/{second['address_id']}/default", {}, bearer)
    assert (gone.status_code, gone.json()["code"]) == (404, "AddressUnknown")


async def test_preferences_are_told_by_kind_and_channel(world: World) -> None:
    ada = await registered(world)
    bearer = await ada.bearer()
    await told(world, "/me/preferences", {"preferences": {"marketing": {"email": False}}}, bearer)
    answer = await told(world, "/me/preferences", {"preferences": {"marketing": {"sms": True}}}, bearer)
    assert answer.json()["preferences"] == {"marketing": {"email": False, "sms": True}}
    refused = await told(world, "/me/preferences", {"preferences": {"security": {"email": False}}}, bearer)
    assert (refused.status_code, refused.json()["code"]) == (422, "SecurityMailStays")


async def test_the_same_key_of_two_people_is_two_commands(world: World) -> None:
    ada, bob = await registered(world), await registered(world)
    key = {"Idempotency-Key": "my-first-profile"}
    for person, name in ((ada, "Ada the first"), (bob, "Bob the first")):
        answer = await told(world, "/me/profile", {"name": name}, {**await person.bearer(), **key})
        assert (answer.status_code, answer.json()["name"]) == (200, name)
    again = await told(world, "/me/profile", {"name": "Ada the first"}, {**await ada.bearer(), **key})
    assert again.headers["idempotent-replayed"] == "true"


async def test_somebody_elses_address_is_as_unknown_as_one_that_is_not_there(world: World) -> None:
    ada, bob = await registered(world), await registered(world)
    kept = (await told(world, "/me/addresses", {"address": PLACE}, await ada.bearer())).json()
    bearer = await bob.bearer()
    answers = [
        await told(world, f"/me/addresses/{address_id}/remove", {}, bearer)
        for address_id in (kept["default_address"], str(uuid4()))
    ]
    assert [(answer.status_code, answer.json()["code"]) for answer in answers] == [(404, "AddressUnknown")] * 2
    assert (await world.client.get("/me", headers=await ada.bearer())).json()["addresses"] == kept["addresses"]
