"""Nobody sets by a body what is not theirs to set: who they are, their role, whether their address is verified."""

from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import pytest

from api.app import create_app
from tests.api import world as worlds
from tests.api.world import World, settings

pytestmark = pytest.mark.anyio

PLACE = {"name": "Ada", "street": "1 Main Street", "city": "Springfield", "postal_code": "12345", "country": "US"}
EMAIL, PASSWORD, TOKEN = {"email": "ada@example.org"}, {"password": "correct horse"}, {"token": "x"}
BODIES: dict[str, dict[str, Any]] = {
    "/users": {**EMAIL, **PASSWORD, "name": "Ada"},
    "/users/verification": EMAIL,
    "/users/verify": TOKEN,
    "/login": {**EMAIL, **PASSWORD},
    "/refresh": {"refresh_token": "x"},
    "/logout": {"refresh_token": "x"},
    "/password-reset": EMAIL,
    "/password-reset/confirm": {**TOKEN, **PASSWORD},
    "/me/password": {"old_password": "correct horse", "new_password": "battery staple"},
    "/me/profile": {"name": "Ada"},
    "/me/addresses": {"address": PLACE},
    "/me/addresses/{address_id}": {"address": PLACE},
    "/me/addresses/{address_id}/remove": {},
    "/me/addresses/{address_id}/default": {},
    "/me/preferences": {"preferences": {}},
    "/me/delete": PASSWORD,
    "/users/{user_id}/erase": PASSWORD,
}
"""Every body of the user context, as it is meant."""

SURPLUS: dict[str, Any] = {
    "id": str(uuid4()),
    "user_id": str(uuid4()),
    "role": "operator",
    "roles": ["operator"],
    "admin": True,
    "verified": True,
    "email_verified": True,
    "status": "active",
    "password_hash": "$argon2id$v=19$m=8,t=1,p=1$x$x",
    "password_changes": 7,
    "registered_at": "2026-01-01T00:00:00Z",
    "session_id": str(uuid4()),
    "proof": {},
    "version": 1,
    "tag": "user.delete",
    "__proto__": {"admin": True},
}


@pytest.fixture(scope="module")
async def door() -> AsyncIterator[World]:
    async with worlds.door() as world:
        yield world


@pytest.mark.parametrize("url", BODIES)
async def test_a_field_that_nobody_may_send_is_refused_by_name_and_nothing_reaches_the_log(
    door: World, url: str
) -> None:
    bearer = {"Authorization": f"Bearer {door.app.state.system.tokens.issue(str(uuid4()))}"}
    for field, value in SURPLUS.items():
        body = {**BODIES[url], field: value}
        answer = await door.client.post(url.format(address_id=uuid4(), user_id=uuid4()), json=body, headers=bearer)
        assert (answer.status_code, answer.json()["code"]) == (422, "Invalid"), (field, answer.text)
        assert [error["field"] for error in answer.json()["errors"]] == [field]
    assert door.commands() == 0


@pytest.mark.parametrize("field", ["address_id", "user_id", "default", "phone"])
async def test_an_address_has_no_other_fields_either(door: World, field: str) -> None:
    bearer = {"Authorization": f"Bearer {door.app.state.system.tokens.issue(str(uuid4()))}"}
    answer = await door.client.post("/me/addresses", json={"address": {**PLACE, field: "x"}}, headers=bearer)
    assert [error["field"] for error in answer.json()["errors"]] == [f"address.{field}"]


def test_no_body_of_the_user_context_is_left_out() -> None:
    paths = create_app(settings(contexts="user")).openapi()["paths"]
    taking = {path for path, item in paths.items() if "users" in item.get("post", {}).get("tags", ())}
    assert taking - {"/logout/all"} == BODIES.keys()
