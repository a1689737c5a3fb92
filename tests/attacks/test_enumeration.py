"""Nobody learns from us whether an address has an account: neither by an answer, nor by how long it takes."""

import asyncio
import time
from bisect import bisect_right
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from itertools import count
from typing import Any
from uuid import uuid4

import httpx2
import pytest
from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher

from api import accounts
from api.accounts import Passwords, Verified
from api.asking import Asked
from api.persons import account_of
from schemas.user import OpenAccount, Proof, RequestReset
from tests.api import world as worlds
from tests.api.people import PASSWORD, Person, account, registered
from tests.api.world import World

pytestmark = pytest.mark.anyio

N = 200
"""Requests of each kind, one of each in turn."""
BOUND = 1.95 * (2 / N) ** 0.5
"""Of the Kolmogorov-Smirnov distance: two samples of N of the same distribution are further apart once in 1,000."""

Ask = Callable[[], Awaitable[httpx2.Response]]
_NUMBER = count()


@pytest.fixture(scope="module")
async def world(postgres: str) -> AsyncIterator[World]:
    """A whole system whose people must verify their address; hashing takes a fifth of the usual time."""
    hasher = PasswordHash((Argon2Hasher(time_cost=2, memory_cost=19456, parallelism=1),))
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(accounts, "_hasher", hasher)
        accounts._nobodys.cache_clear()
        async with worlds.world_on(postgres, "enumeration", login_unverified=False) as strict:
            yield strict
    accounts._nobodys.cache_clear()


def distance(one: list[float], other: list[float]) -> float:
    """Kolmogorov and Smirnov's: how far apart the two distributions are at most, from 0 to 1."""
    one, other = sorted(one), sorted(other)
    return max(abs(bisect_right(one, x) / len(one) - bisect_right(other, x) / len(other)) for x in one + other)


async def timed(ask: Ask) -> float:
    began = time.perf_counter()
    await ask()
    return time.perf_counter() - began


async def apart(one: Ask, other: Ask, n: int = N) -> float:
    """How far apart the times of two questions are, asked in turn so that a busy moment meets both."""
    times: tuple[list[float], list[float]] = ([], [])
    for turn in range(n):
        for kind in (0, 1) if turn % 2 else (1, 0):
            times[kind].append(await timed((one, other)[kind]))
    return distance(*times)


async def looks_the_same(one: Ask, other: Ask) -> None:
    """The times are of one distribution; once in 1,000 chance says no, so it is asked twice."""
    found = await apart(one, other)
    assert found < BOUND or (found := await apart(one, other)) < BOUND, f"{found:.3f} apart, {BOUND:.3f} is chance"


def shown(answer: httpx2.Response) -> tuple[int, dict[str, str], Any]:
    """An answer without what is different in each."""
    headers = {name: value for name, value in answer.headers.items() if name != "x-request-id"}
    return answer.status_code, headers, {name: v for name, v in answer.json().items() if name != "request_id"}


def fresh() -> str:
    """An address as long as all others."""
    return f"person-{next(_NUMBER):06}-{uuid4().hex}@example.org"


@pytest.fixture(scope="module")
async def ada(world: World) -> Person:
    """Somebody with an account and a verified address."""
    ada = await registered(world, fresh())
    await world.client.post("/users/verify", json={"token": await ada.code("verify")})
    return ada


async def test_a_taken_address_and_a_new_one_get_the_same_answer_waited_for_or_not(world: World, ada: Person) -> None:
    for post in (world.post, lambda url, body: world.client.post(url, json=body)):
        new, taken = [await post("/users", account(email)) for email in (fresh(), ada.email)]
        assert shown(new) == shown(taken)
        assert new.status_code == 202
    assert "already" in (await world.mail(ada.email, "already")).text


@pytest.mark.parametrize("url", ["/password-reset", "/users/verification"])
async def test_a_known_address_and_an_unknown_one_get_the_same_answer(world: World, ada: Person, url: str) -> None:
    for post in (world.post, lambda url, body: world.client.post(url, json=body)):
        known, unknown = [await post(url, {"email": email}) for email in (ada.email, fresh())]
        assert shown(known) == shown(unknown)
        assert known.status_code == 202


async def test_unknown_wrong_closed_and_not_verified_are_one_answer(world: World, ada: Person) -> None:
    new = await registered(world, fresh())
    closed = await registered(world, fresh())
    await world.client.post("/users/verify", json={"token": await closed.code("verify")})
    bearer = await closed.bearer()
    await world.client.post("/me/delete", json={"password": PASSWORD}, headers={**bearer, "Prefer": "wait=10"})
    answers = [
        await Person(world, fresh()).login(),
        await ada.login("wrong"),
        await new.login(),
        await new.login("wrong"),
        await closed.login(),
    ]
    assert [shown(answer) for answer in answers] == [shown(answers[0])] * len(answers)
    assert (answers[0].status_code, answers[0].json()["code"]) == (401, "CredentialsWrong")
    assert (await ada.login()).status_code == 200


async def test_who_registers_and_logs_in_at_once_cannot_tell_whether_the_address_was_taken(
    world: World, ada: Person
) -> None:
    """The way round the answer: had it been new, one's own password would fit."""
    email = fresh()
    for address in (email, ada.email):
        await world.post("/users", {**account(address), "password": "mallory's own"})
    new, taken = [await Person(world, address).login("mallory's own") for address in (email, ada.email)]
    assert shown(new) == shown(taken)


async def test_what_became_of_it_cannot_be_asked_for(world: World, ada: Person) -> None:
    """Whoever knows the key can work out the id that a command under it would have; these have another."""
    key, ids = str(uuid4()), []
    for email in (ada.email, fresh()):
        said, user_id = account(email), (await account_of(world.app.state.system, email)).user_id
        proof = Proof(proof_id=key, nonce="0" * 64, token_hash="0" * 64)
        opened = OpenAccount(user_id=user_id, email=email, name=said["name"], password_hash="", proof=proof)
        for path, body, command in (
            ("/users", said, opened),
            ("/password-reset", {"email": email}, RequestReset(user_id=user_id, proof=proof)),
        ):
            assert (await world.post(path, body, Idempotency_Key=key)).status_code == 202
            ids.append(Asked("", f"POST {path}", key, True, 0, "", "", "").id_of(command))
    headers = {"Prefer": "wait=1"}
    found = await asyncio.gather(*(world.client.get(f"/commands/user/{each}", headers=headers) for each in ids))
    assert [answer.json()["status"] for answer in found] == ["pending"] * 4


@pytest.mark.timeout(240)
async def test_a_login_takes_as_long_with_an_unknown_address_as_with_a_wrong_password(
    world: World, ada: Person
) -> None:
    await looks_the_same(lambda: Person(world, fresh()).login("wrong"), lambda: ada.login("wrong"))


@pytest.mark.timeout(240)
async def test_a_registration_takes_as_long_with_a_taken_address_as_with_a_new_one(world: World) -> None:
    taken = deque([(await registered(world, fresh())).email])

    def ask(email: str) -> Awaitable[httpx2.Response]:
        taken.append(email)
        return world.client.post("/users", json=account(email))

    await ask(fresh())
    await looks_the_same(lambda: ask(fresh()), lambda: ask(taken.popleft()))


async def test_a_reset_takes_as_long_with_an_unknown_address_as_with_a_known_one(world: World, ada: Person) -> None:
    def reset(email: str) -> Awaitable[httpx2.Response]:
        return world.client.post("/password-reset", json={"email": email})

    await looks_the_same(lambda: reset(fresh()), lambda: reset(ada.email))


async def test_the_measurement_would_notice_a_password_that_is_not_hashed(
    world: World, ada: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    honest = Passwords.verify

    async def hasty(self: Passwords, password: str, hashed: str) -> Verified:
        return await honest(self, password, hashed) if hashed else Verified(False, None)

    monkeypatch.setattr(Passwords, "verify", hasty)
    found = await apart(lambda: Person(world, fresh()).login("wrong"), lambda: ada.login("wrong"), 30)
    assert found > 0.9
