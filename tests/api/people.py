"""People are accounts of these tests, and what they send."""

from typing import Any, NamedTuple
from uuid import uuid4

import httpx2

from tests.api.world import WAIT, World

PASSWORD = "correct horse"


class Person(NamedTuple):
    """An account as its owner knows it."""

    world: World
    email: str
    password: str = PASSWORD

    async def login(self, password: str = "") -> httpx2.Response:
        credentials = {"email": self.email, "password": password or self.password}
        return await self.world.client.post("/login", json=credentials)

    async def tokens(self, password: str = "") -> dict[str, Any]:
        """What a login gives."""
        answer = await self.login(password)
        assert answer.status_code == 200, answer.text
        tokens: dict[str, Any] = answer.json()
        return tokens

    async def refresh(self, token: str) -> httpx2.Response:
        return await self.world.client.post("/refresh", json={"refresh_token": token})

    async def bearer(self) -> dict[str, str]:
        """Headers of somebody who is logged in."""
        return {"Authorization": f"Bearer {(await self.tokens())['access_token']}"}

    async def code(self, subject: str) -> str:
        """The token of the last mail with this subject."""
        return max((await self.world.mail(self.email, subject)).text.split(), key=len)


def account(email: str = "") -> dict[str, str]:
    """What somebody registers with."""
    return {"email": email or f"{uuid4().hex}@example.org", "name": "Ada", "password": PASSWORD}


async def registered(world: World, email: str = "") -> Person:
    """Somebody with an account."""
    body = account(email)
    answer = await world.post("/users", body)
    assert answer.status_code == 202, answer.text
    return Person(world, body["email"])


async def told(world: World, url: str, body: Any, bearer: dict[str, str]) -> httpx2.Response:
    """Ask as somebody who is logged in, and wait for the outcome."""
    return await world.client.post(url, json=body, headers={**WAIT, **bearer})
