"""Passwords over HTTP: changed by who knows the old one, reset by who has the mail, and hashed anew at a login."""

from datetime import timedelta
from uuid import uuid4

import pytest
from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher

from aggregates import login
from events.ids import derive
from schemas.user import RegisterUser
from tests.api.people import Person, registered, told
from tests.api.world import World
from tests.scenarios.shop import client_draft, place_of

pytestmark = pytest.mark.anyio

NEW = "battery staple"


async def change(ada: Person, old: str, new: str = NEW, **more: str) -> tuple[int, str]:
    body = {"old_password": old, "new_password": new, **more}
    answer = await told(ada.world, "/me/password", body, await ada.bearer())
    return answer.status_code, answer.json().get("code", "")


async def test_who_changes_the_password_stays_logged_in_here_and_nowhere_else(world: World) -> None:
    ada = await registered(world)
    here, there = [(await ada.tokens())["refresh_token"] for _ in range(2)]
    assert await change(ada, "wrong") == (403, "PasswordWrong")
    assert (await ada.login()).status_code == 200
    assert await change(ada, ada.password, refresh_token=here) == (200, "")
    assert (await ada.login()).status_code == 401
    assert (await ada.login(NEW)).status_code == 200
    assert (await ada.refresh(here)).status_code == 200
    assert (await ada.refresh(there)).status_code == 401
    await world.mail(ada.email, "password has been changed")


async def test_a_password_is_reset_by_the_mail_once_and_everybody_is_logged_out(world: World) -> None:
    ada = await registered(world)
    before = (await ada.tokens())["refresh_token"]
    assert (await world.post("/password-reset", {"email": ada.email})).status_code == 202
    code = await ada.code("new password")
    body = {"token": code, "password": NEW}
    assert (await world.client.post("/password-reset/confirm", json=body)).status_code == 200
    again = await world.client.post("/password-reset/confirm", json={**body, "password": "a third one"})
    assert (again.status_code, again.json()["code"]) == (422, "ProofSpent")
    assert (await ada.refresh(before)).status_code == 401
    assert (await ada.login()).status_code == 401
    assert (await ada.login(NEW)).status_code == 200
    me = await world.client.get("/me", headers=await ada._replace(password=NEW).bearer())
    assert me.json()["verified"] is True


async def test_a_code_is_in_the_mail_and_in_no_record_and_no_view(world: World) -> None:
    ada = await registered(world)
    await world.post("/password-reset", {"email": ada.email})
    codes = [await ada.code("new password"), await ada.code("verify")]
    kept = repr(world.log.records)
    for database in world.databases.values():
        tables = await database.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        for table in tables:
            kept += repr(await database.fetch(f"SELECT * FROM {table['tablename']}"))
    assert "verify_email" in kept
    assert [code for code in codes if code in kept] == []


async def test_a_code_is_of_no_use_after_half_an_hour(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    ada = await registered(world)
    monkeypatch.setattr(login, "RESET", timedelta(0))
    await world.post("/password-reset", {"email": ada.email})
    body = {"token": await ada.code("new password"), "password": NEW}
    answer = await world.client.post("/password-reset/confirm", json=body)
    assert (answer.status_code, answer.json()["code"]) == (422, "ProofSpent")
    assert (await ada.login()).status_code == 200


async def test_a_code_for_one_thing_does_nothing_else(world: World) -> None:
    ada = await registered(world)
    await world.post("/password-reset", {"email": ada.email})
    verification, reset = await ada.code("verify"), await ada.code("new password")
    assert (await world.client.post("/users/verify", json={"token": reset})).status_code == 422
    body = {"token": verification, "password": NEW}
    assert (await world.client.post("/password-reset/confirm", json=body)).status_code == 422
    assert (await ada.refresh(reset)).status_code == 401


async def test_a_login_hashes_the_password_anew_if_hashes_are_made_otherwise_today(world: World) -> None:
    old = PasswordHash((Argon2Hasher(time_cost=1, memory_cost=8192, parallelism=1),)).hash("correct horse")
    ada = Person(world, f"{uuid4().hex}@example.org")
    user_id = derive("user", ada.email)  # as ids were before addresses were looked up by a key
    command = RegisterUser(user_id=user_id, email=ada.email, name="Ada", password_hash=old)
    await world.log.append(place_of(command), [client_draft(command, str(uuid4()))])
    query = "SELECT password_hash, password_changes FROM users WHERE user_id = %(id)s"
    while not await world.databases["user"].fetch(query, {"id": user_id}):
        pass
    await ada.tokens()
    [row] = await world.databases["user"].fetch(query, {"id": user_id})
    rehashed = await world.app.state.system.keys.opened(row["password_hash"])
    assert rehashed.startswith("$argon2id$v=19$m=65536")
    assert row["password_changes"] == 0
    await ada.tokens()
    assert (await ada.login("wrong")).status_code == 401
