"""Users register, log in, and are recognized by their token."""

from uuid import uuid4

import pytest

from tests.api.world import World

pytestmark = pytest.mark.anyio


async def registered(world: World) -> dict[str, str]:
    account = {"email": f"{uuid4().hex}@Example.org", "name": "Ada", "password": "correct horse"}
    answer = await world.post("/users", account)
    assert answer.status_code == 201, answer.text
    assert "password" not in answer.text
    return account


async def test_a_user_registers_logs_in_and_is_known(world: World) -> None:
    account = await registered(world)
    login = await world.client.post("/login", json={"email": account["email"].lower(), "password": account["password"]})
    assert login.json()["token_type"] == "Bearer"
    me = await world.client.get("/me", headers={"Authorization": f"Bearer {login.json()['access_token']}"})
    assert (me.json()["email"], me.json()["name"]) == (account["email"], "Ada")
    assert "password" not in me.text


async def test_an_address_is_taken_once_whatever_its_case(world: World) -> None:
    account = await registered(world)
    again = await world.post("/users", {**account, "email": account["email"].upper()})
    assert (again.status_code, again.json()["code"]) == (409, "EmailTaken")


async def test_a_wrong_password_and_an_unknown_address_look_the_same(world: World) -> None:
    account = await registered(world)
    wrong = await world.client.post("/login", json={"email": account["email"], "password": "wrong"})
    unknown = await world.client.post("/login", json={"email": "nobody@example.org", "password": "wrong"})
    for answer in (wrong, unknown):
        assert (answer.status_code, answer.json()["code"]) == (401, "CredentialsWrong")
