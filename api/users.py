"""Users over HTTP: open an account, verify its address, see it, close it."""

import time
from typing import Annotated

from fastapi import APIRouter, Request, Response
from pydantic import Field, StringConstraints

from api.access import user_of
from api.answers import reply
from api.asking import asked
from api.bodies import MODELS, read
from api.commands import sent
from api.me import (
    BEARER,
    decided,
    new_proof,
    quietly,
    takes_and_gives,
    takes_quietly,
    with_password,
)
from api.openapi import gives, takes_body
from api.persons import account_of
from api.problems import Problem
from api.resources import found, unless_known
from api.system import of
from schemas import ticket
from schemas.ticket import Purpose
from schemas.user import DeleteUser, OpenAccount, RequestReset, RequestVerification, VerifyEmail
from schemas.values import Email, PersonalText, Value

router = APIRouter(tags=["users"])

Password = Annotated[str, StringConstraints(min_length=8, max_length=200)]
Given = Annotated[str, StringConstraints(min_length=1, max_length=200)]
"""A password as somebody types it, or a token."""

_OPENED = (
    "If the address is new, the account is open once it is verified: a code is on its way. Else its owner is told."
)
_SENT = "If there is an account with this address that is not verified, a code is on its way."


class Registration(Value):
    """An account to be opened."""

    email: Email
    name: PersonalText
    password: Password


class AccountAddress(Value):
    """An account, by its address."""

    email: Email = Field(title="E-mail address of the account")


class MailedToken(Value):
    """The code of a mail."""

    token: Given


class Confirmation(Value):
    """The account's password, to be sure."""

    password: Given


MODELS.update(
    Registration=Registration, AccountAddress=AccountAddress, MailedToken=MailedToken, Confirmation=Confirmation
)


@router.post("/users", **takes_quietly("Registration"))
async def register(request: Request) -> Response:
    """Open an account. Whether the address had one, only its owner is told: by mail."""
    began = time.monotonic()
    body = await read(request, Registration)
    hashed = await of(request).passwords.hash(body.password)
    user_id = (await account_of(of(request), body.email)).user_id
    proof = new_proof(request, "verification", user_id)
    command = OpenAccount(user_id=user_id, email=body.email, name=body.name, password_hash=hashed, proof=proof)
    return await quietly(request, command, _OPENED, began)


@router.post("/users/verification", **takes_quietly("AccountAddress"))
async def send_verification(request: Request) -> Response:
    """Send the code again; once a minute at most."""
    return await mail_proof(request, "verification", RequestVerification, _SENT)


async def mail_proof(
    request: Request, purpose: Purpose, command: type[RequestVerification | RequestReset], said: str
) -> Response:
    """Have a code mailed to the address in the body, if it is an account's; whether it is, nobody is told."""
    began = time.monotonic()
    user_id = (await account_of(of(request), (await read(request, AccountAddress)).email)).user_id
    return await quietly(request, command(user_id=user_id, proof=new_proof(request, purpose, user_id)), said, began)


@router.post("/users/verify", **takes_and_gives("MailedToken", "Done"))
async def verify_email(request: Request) -> Response:
    """Verify the address, by the code of the mail."""
    body = await read(request, MailedToken)
    held = held_by(request, body.token, "verification")
    token_hash = ticket.digest(body.token)
    await decided(request, VerifyEmail(user_id=held.user_id, proof_id=held.name, token_hash=token_hash))
    return reply({"status": "verified"})


def held_by(request: Request, token: str, purpose: Purpose) -> ticket.Ticket:
    """What a mailed code says.

    Raises:
        Problem: it is none of ours for this purpose, or not good any more.
    """
    held = ticket.read(token, purpose, of(request).settings.account_secret)
    if held is None:
        raise Problem("ProofSpent")
    return held


@router.get("/me", **gives("UserView"))
async def me(request: Request) -> Response:
    """The account that the token names."""
    stream = f"user-{user_of(request)}"
    try:
        row = await found(of(request), stream)
    except Problem as problem:
        raise (Problem("NotLoggedIn", headers=BEARER) if problem.status == 404 else problem) from None
    if row["status"] != "active":
        raise Problem("NotLoggedIn", headers=BEARER)
    return unless_known(request, stream, row)


@router.post("/me/delete", **takes_body("Confirmation", "UserView"))
async def close_account(request: Request) -> Response:
    """Close the account: nobody can log in any more, and what its owner has told us is gone from it. Orders stay."""
    user_id = user_of(request)
    row = await with_password(request, user_id, (await read(request, Confirmation)).password)
    command = DeleteUser(user_id=user_id, password_changes=row["password_changes"])
    return await sent(request, asked(request), command)
