"""Keys of persons over HTTP: for our own processes that run apart from the user context, and for nobody else.

The gateway has no way here. Whoever asks proves that they have our secret, wherever they ask from.
"""

import base64
import time
from typing import Annotated

from fastapi import APIRouter, Request, Response
from pydantic import Field, StringConstraints

from api.answers import as_recorded
from api.bodies import read
from api.problems import Problem
from api.system import PATIENCE, in_time, of
from projections.keys_apart import MANY, PATH, TARGET
from schemas.house import holds
from schemas.values import Value

router = APIRouter(include_in_schema=False)

Person = Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9._-]+$")]


class Persons(Value):
    """Whose keys; with `make`, whoever has none gets one."""

    persons: Annotated[list[Person], Field(min_length=1, max_length=MANY)]
    make: bool = False


@router.post(PATH)
async def get_keys(request: Request) -> Response:
    """The keys by person; null where one was destroyed, and nothing where there never was one."""
    system = of(request)
    said = request.headers.getlist("authorization")
    if len(said) != 1 or not holds(said[0], system.settings.account_secret, TARGET, time.time()):
        raise Problem("Forbidden", "Keys are for processes of this house.")
    asked = await read(request, Persons)
    found = await in_time(system.keys.source.fetch(asked.persons, asked.make), PATIENCE)
    keys = {person: base64.b64encode(key).decode() if key else None for person, key in found.items()}
    return as_recorded({"keys": keys}, headers={"Cache-Control": "no-store"})
