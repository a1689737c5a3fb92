"""Users register, log in, and are recognized by their token."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import jwt
import pytest

from api.accounts import ALGORITHM, AUDIENCE, ISSUER
from tests.api.world import World, settings

pytestmark = pytest.mark.anyio

SECRET = settings().jwt_secret


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


def token(secret: str = SECRET, algorithm: str = ALGORITHM, **changes: object) -> str:
    now = datetime.now(UTC)
    claims = {
        "sub": str(uuid4()), "iss": ISSUER, "aud": AUDIENCE, "iat": now, "exp": now + timedelta(hours=1), "jti": "1"
    }  # fmt: skip
    claims.update(changes)
    return jwt.encode({name: value for name, value in claims.items() if value is not None}, secret, algorithm)


@pytest.mark.parametrize(
    "authorization",
    [
        "",
        "Bearer",
        "Bearer x.y.z",
        "Basic YTpi",
        "Bearer \xe9\xe8",
        f"Bearer {token(secret='somebody else signed this, long enough')}",
        f"Bearer {token(secret=SECRET * 2, algorithm='HS512')}",
        f"Bearer {jwt.encode({'sub': 'x'}, '', algorithm='none')}",
        f"Bearer {token(exp=datetime.now(UTC) - timedelta(seconds=1))}",
        f"Bearer {token(exp=None)}",
        f"Bearer {token(aud='another')}",
        f"Bearer {token(iss='another')}",
        f"Bearer {token(jti=None)}",
    ],
)
async def test_a_token_that_is_not_ours_is_refused(door: World, authorization: str) -> None:
    answer = await door.client.get("/me", headers=[(b"Authorization", authorization.encode("latin-1"))])
    assert (answer.status_code, answer.json()["code"]) == (401, "NotLoggedIn")
    assert answer.headers["www-authenticate"] == "Bearer"
