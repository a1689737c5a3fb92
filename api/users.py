"""Users over HTTP: register, log in, and who am I."""

from typing import Annotated

from fastapi import APIRouter, Request, Response
from pydantic import StringConstraints

from api.accounts import LIFETIME, issue, user_of
from api.answers import reply
from api.asking import asked
from api.bodies import MODELS, read
from api.commands import sent
from api.openapi import request_body, takes_body
from api.problems import Problem
from api.resources import one
from api.system import of
from events.ids import derive
from projections.user import ONE
from schemas.user import RegisterUser
from schemas.values import Email, Text, Value

router = APIRouter(tags=["users"])


class Registration(Value):
    """An account to be opened."""

    email: Email
    name: Text
    password: Annotated[str, StringConstraints(min_length=8, max_length=200)]


class Credentials(Value):
    """What somebody logs in with."""

    email: Email
    password: Annotated[str, StringConstraints(min_length=1, max_length=200)]


MODELS.update(Registration=Registration, Credentials=Credentials)


def user_id_of(email: str) -> str:
    """The user id follows from the address, so that an address is taken once."""
    return derive("user", email.lower())


@router.post("/users", **takes_body("Registration"))
async def register(request: Request) -> Response:
    """Open an account."""
    ask = asked(request)
    body = await read(request, Registration)
    hashed = await of(request).passwords.hash(body.password)
    user_id = user_id_of(body.email)
    command = RegisterUser(user_id=user_id, email=body.email, name=body.name, password_hash=hashed)
    return await sent(request, ask, command, creates=True)


@router.post("/login", openapi_extra={"requestBody": request_body("Credentials")})
async def login(request: Request) -> Response:
    """A token, for an e-mail address and its password."""
    body, system = await read(request, Credentials), of(request)
    row = await system.row("user", ONE, user_id=user_id_of(body.email))
    if not await system.passwords.verify(body.password, row["password_hash"] if row else None):
        raise Problem("CredentialsWrong", headers={"WWW-Authenticate": "Bearer"})
    token = issue(user_id_of(body.email), system.settings.jwt_secret)
    return reply({"access_token": token, "token_type": "Bearer", "expires_in": int(LIFETIME.total_seconds())})


@router.get("/me")
async def me(request: Request) -> Response:
    """The account that the token names."""
    system = of(request)
    return await one(request, f"user-{user_of(request, system.settings.jwt_secret)}")
