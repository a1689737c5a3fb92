"""Erasure over HTTP: a person is forgotten, as they ask themselves or as staff ask for them."""

import asyncio
import time
from contextlib import suppress
from typing import Annotated

from fastapi import APIRouter, Path, Request, Response
from pydantic import Field

from api.access import principal_of
from api.answers import reply
from api.bodies import MODELS, read
from api.me import PRIVATE, decided, takes_and_gives, with_password
from api.persons import refuse_with_open_orders
from api.problems import Problem
from api.system import PATIENCE, System, in_time, of
from api.users import Given
from projections.postgres import DatabaseUnavailable
from schemas.user import EraseUser
from schemas.values import CustomerId, Value

router = APIRouter(tags=["users"])

PAUSE = 0.02
"""Seconds between two looks at whether a key is destroyed."""


class Erasure(Value):
    """The account's password, from its owner; staff need none."""

    password: Given | None = Field(None)


MODELS.update(Erasure=Erasure)


@router.post("/users/{user_id}/erase", **takes_and_gives("Erasure", "Erased"))
async def erase(request: Request, user_id: Annotated[CustomerId, Path()]) -> Response:
    """Forget a person, for good: their account is closed, and what was recorded of them cannot be read any more.

    Their orders and the money stay. Refused while an order of theirs is still to be shipped. `erasing` says that they
    will be as soon as the worker that destroys their key is there.
    """
    body, principal = await read(request, Erasure), principal_of(request)
    ours = principal is None or "staff" in principal.roles
    if principal is not None and not ours and principal.subject != user_id:
        raise Problem("UserUnknown")
    changes: int | None = None
    if not ours:
        changes = (await with_password(request, user_id, body.password or ""))["password_changes"]
    await refuse_with_open_orders(request, user_id)
    await decided(request, EraseUser(user_id=user_id, password_changes=changes))
    status = "erased" if await _destroyed(of(request), user_id) else "erasing"
    return reply({"user_id": user_id, "status": status}, headers=PRIVATE)


async def _destroyed(system: System, person: str) -> bool:
    """Whether their key is destroyed, as soon as it is: the user context's worker does so when the log has told it."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        with suppress(DatabaseUnavailable):
            secrets = await in_time(system.keys.source.fetch([person], False), PATIENCE)
            if secrets.get(person, b"") is None:
                system.keys.forget(person)
                return True
        await asyncio.sleep(PAUSE)
    return False
