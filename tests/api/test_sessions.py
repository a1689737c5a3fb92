"""Sessions over HTTP: tokens are exchanged, and one that comes again ends the session, whoever brings it."""

import asyncio
from datetime import timedelta

import pytest

from aggregates import login
from events.topics import events
from schemas.ticket import Ticket, written
from tests.api.people import Person, registered
from tests.api.world import World, beside, settings

pytestmark = pytest.mark.anyio


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """An exchange counts as a while ago as soon as it is made."""
    monkeypatch.setattr(login, "AT_ONCE", timedelta(0))


def recorded(world: World) -> bytes:
    """All that the user's log has, bodies and headers."""
    found = [r for place, records in world.log.records.items() if place.topic == events("user") for r in records]
    return b"".join(record.value + repr(record.headers).encode() for record in found)


async def revoked(ada: Person, token: str) -> None:
    answer = await ada.refresh(token)
    assert (answer.status_code, answer.json()["code"]) == (401, "SessionOver")
    assert answer.headers["www-authenticate"] == "Bearer"


async def test_a_token_is_exchanged_for_the_next_and_no_record_has_either(world: World) -> None:
    ada = await registered(world)
    first = (await ada.tokens())["refresh_token"]
    answer = await ada.refresh(first)
    assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store")
    second = answer.json()["refresh_token"]
    me = await world.client.get("/me", headers={"Authorization": f"Bearer {answer.json()['access_token']}"})
    assert me.json()["email"] == ada.email
    assert (await ada.refresh(second)).status_code == 200
    for token in (first, second):
        assert token.encode() not in recorded(world)


@pytest.mark.usefixtures("at_once")
async def test_a_stolen_token_that_comes_again_ends_the_session_and_its_owner_is_warned(world: World) -> None:
    ada = await registered(world)
    stolen, other = [(await ada.tokens())["refresh_token"] for _ in range(2)]
    following = (await ada.refresh(stolen)).json()["refresh_token"]
    again = await ada.refresh(stolen)
    assert (again.status_code, again.json()["code"]) == (401, "TokenReused")
    await revoked(ada, following)
    await revoked(ada, stolen)
    assert (await ada.refresh(other)).status_code == 200
    assert "twice" in (await world.mail(ada.email, "logged you out")).text


@pytest.mark.parametrize("times", [2, 20])
async def test_of_those_who_refresh_at_the_same_time_one_wins_and_all_others_are_told_so(
    world: World, times: int
) -> None:
    ada = await registered(world)
    token = (await ada.tokens())["refresh_token"]
    answers = await asyncio.gather(*(ada.refresh(token) for _ in range(times)))
    won = [answer for answer in answers if answer.status_code == 200]
    lost = [(answer.status_code, answer.json().get("code")) for answer in answers if answer.status_code != 200]
    assert len(won) == 1
    assert lost == [(409, "TokenJustUsed")] * (times - 1)
    assert (await ada.refresh(won[0].json()["refresh_token"])).status_code == 200


async def test_a_forged_token_never_reaches_the_log_and_ends_no_session(world: World) -> None:
    ada = await registered(world)
    token = (await ada.tokens())["refresh_token"]
    me = (await world.client.get("/me", headers=await ada.bearer())).json()["user_id"]
    before = world.commands()
    guessed = Ticket("session", me, me, 0, bytes(32))
    for forged in (
        written(guessed, "another secret"),
        written(guessed._replace(purpose="reset"), settings().account_secret),
        token[:-2] + ("AA" if token[-2:] != "AA" else "BB"),
        token[10:],
        "x",
    ):
        await revoked(ada, forged)
    assert world.commands() == before
    assert (await ada.refresh(token)).status_code == 200


async def test_who_logs_out_ends_this_session_or_all(world: World) -> None:
    ada = await registered(world)
    one, two, three = [(await ada.tokens())["refresh_token"] for _ in range(3)]
    out = await world.client.post("/logout", json={"refresh_token": one})
    assert (out.status_code, out.content) == (204, b"")
    await revoked(ada, one)
    assert (await world.client.post("/logout", json={"refresh_token": one})).status_code == 204
    two = (await ada.refresh(two)).json()["refresh_token"]
    assert (await world.client.post("/logout/all", headers=await ada.bearer())).status_code == 204
    await revoked(ada, two)
    await revoked(ada, three)
    assert (await world.client.post("/logout/all")).status_code == 401
    assert (await world.client.post("/logout", json={"refresh_token": "x"})).status_code == 204


async def test_an_exchanged_token_logs_its_session_out_all_the_same(world: World) -> None:
    ada = await registered(world)
    first = (await ada.tokens())["refresh_token"]
    second = (await ada.refresh(first)).json()["refresh_token"]
    assert (await world.client.post("/logout", json={"refresh_token": first})).status_code == 204
    await revoked(ada, second)


async def test_two_processes_of_the_api_exchange_a_token_once(world: World, postgres: str) -> None:
    ada = await registered(world)
    token = (await ada.tokens())["refresh_token"]
    async with beside(postgres, world.log) as other:
        everywhere = (ada, ada._replace(world=other)) * 5
        answers = await asyncio.gather(*(person.refresh(token) for person in everywhere))
    assert sorted(answer.status_code for answer in answers) == [200] + [409] * 9
