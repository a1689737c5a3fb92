"""Users register, log in, and are recognized by their token."""

from uuid import uuid4

import pytest

from tests.api.people import Person, registered, told
from tests.api.world import World

pytestmark = pytest.mark.anyio


async def test_a_user_registers_logs_in_and_is_known(world: World) -> None:
    ada = await registered(world, f"{uuid4().hex}@Example.org")
    login = await Person(world, ada.email.lower()).login()
    assert (login.json()["token_type"], login.headers["cache-control"]) == ("Bearer", "no-store")
    me = await world.client.get("/me", headers={"Authorization": f"Bearer {login.json()['access_token']}"})
    assert (me.json()["email"], me.json()["name"], me.json()["verified"]) == (ada.email, "Ada", False)
    assert "password_hash" not in me.json()


async def test_a_mail_verifies_the_address(world: World) -> None:
    ada = await registered(world)
    code = await ada.code("verify")
    for _ in range(2):  # who clicks twice is told the same
        answer = await world.client.post("/users/verify", json={"token": code})
        assert (answer.status_code, answer.json()) == (200, {"status": "verified"})
    assert (await world.client.get("/me", headers=await ada.bearer())).json()["verified"] is True


@pytest.mark.parametrize("token", ["x", "A" * 114, "\u00e9" * 114, "=" * 10, "a" * 200])
@pytest.mark.parametrize("url", ["/users/verify", "/password-reset/confirm"])
async def test_a_code_that_is_none_of_ours_never_reaches_the_log(door: World, url: str, token: str) -> None:
    body = {"token": token} | ({"password": "long enough"} if "reset" in url else {})
    answer = await door.client.post(url, json=body)
    assert (answer.status_code, answer.json()["code"]) == (422, "ProofSpent")
    assert door.commands() == 0


async def test_an_account_is_closed_and_can_be_opened_again_with_nothing_of_the_old_one(world: World) -> None:
    ada = await registered(world)
    tokens, bearer = await ada.tokens(), await ada.bearer()
    await told(world, "/me/profile", {"name": "Ada L.", "phone": "+4312345678"}, bearer)
    wrong = await told(world, "/me/delete", {"password": "wrong"}, bearer)
    assert (wrong.status_code, wrong.json()["code"]) == (403, "PasswordWrong")
    gone = await told(world, "/me/delete", {"password": ada.password}, bearer)
    assert (gone.status_code, gone.json()["status"], gone.json()["email"]) == (200, "deleted", "")

    assert (await ada.login()).json()["code"] == "CredentialsWrong"
    assert (await ada.refresh(tokens["refresh_token"])).json()["code"] == "SessionOver"
    assert (await world.client.get("/me", headers=bearer)).status_code == 401
    [row] = await world.databases["user"].fetch(
        "SELECT * FROM users WHERE user_id = %(id)s", {"id": gone.json()["user_id"]}
    )
    assert ada.email not in str(row)
    assert "Ada" not in str(row)
    assert "closed" in (await world.mail(ada.email, "closed")).text

    again = await registered(world, ada.email)
    me = await world.client.get("/me", headers=await again.bearer())
    assert (me.json()["name"], me.json()["phone"], me.json()["user_id"]) == ("Ada", "", gone.json()["user_id"])
