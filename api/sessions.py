"""Sessions over HTTP: log in, exchange a refresh token for the next, log out."""

import secrets
from typing import Any
from uuid import uuid4

from fastapi import APIRouter, Request, Response

from aggregates.login import SESSION
from api.access import user_of
from api.answers import reply
from api.bodies import MODELS, read
from api.me import BEARER, PRIVATE, decided, takes_and_gives, takes_in_silence
from api.persons import account_of
from api.problems import Problem
from api.system import System, of
from api.tokens import LIFETIME
from api.users import Given
from events.user import SessionRefreshed
from projections.registry import RECORDED
from projections.user import CREDENTIALS
from schemas.ticket import Ticket, digest, written
from schemas.ticket import read as read_ticket
from schemas.user import EndSessions, RefreshSession, StartSession
from schemas.values import Email, Value

router = APIRouter(tags=["users"])


class Credentials(Value):
    """What somebody logs in with."""

    email: Email
    password: Given


class RefreshToken(Value):
    """What a login or the last refresh has given."""

    refresh_token: Given


MODELS.update(Credentials=Credentials, RefreshToken=RefreshToken)


@router.post("/login", **takes_and_gives("Credentials", "Tokens"))
async def login(request: Request) -> Response:
    """Tokens, for an e-mail address and its password. Unknown, wrong and not verified are one answer."""
    body, system = await read(request, Credentials), of(request)
    account = await account_of(system, body.email)
    user_id = account.user_id
    row = await system.row("user", CREDENTIALS, user_id=user_id)
    verified = await system.passwords.verify(body.password, account.opened(row["password_hash"]) if row else "")
    if row is None or not verified.right or not (row["verified"] or system.settings.login_unverified):
        raise Problem("CredentialsWrong", headers=BEARER)
    session_id = str(uuid4())
    token = _new(Ticket("session", user_id, session_id, 0, b""), system)
    command = StartSession(
        user_id=user_id,
        session_id=session_id,
        token_hash=digest(token),
        password_changes=row["password_changes"],
        rehashed=verified.newer,
    )
    await decided(request, command)
    return _tokens(user_id, token, system)


@router.post("/refresh", **takes_and_gives("RefreshToken", "Tokens"))
async def refresh(request: Request) -> Response:
    """The next tokens, for the last refresh token. One that comes again ends the session."""
    body, system = await read(request, RefreshToken), of(request)
    held = read_ticket(body.refresh_token, "session", system.settings.account_secret)
    if held is None:
        raise Problem("SessionOver", headers=BEARER)
    token = _new(held._replace(turn=held.turn + 1), system)
    command = RefreshSession(
        user_id=held.user_id,
        session_id=held.name,
        turn=held.turn,
        token_hash=digest(body.refresh_token),
        next_hash=digest(token),
    )
    outcome = await decided(request, command)
    place = {"partition": outcome["partition"], "position": outcome["position"]}
    recorded = await system.row("user", RECORDED, **place)
    if recorded is None or recorded["type"] != SessionRefreshed.tag:
        raise Problem("TokenReused", headers=BEARER)
    return _tokens(held.user_id, token, system)


@router.post("/logout", **takes_in_silence("RefreshToken"))
async def logout(request: Request) -> Response:
    """End the session of a refresh token, however often it was exchanged; a token of no session has none to end."""
    body = await read(request, RefreshToken)
    held = read_ticket(body.refresh_token, "session", of(request).settings.account_secret)
    if held is not None:
        await decided(request, EndSessions(user_id=held.user_id, session_id=held.name))
    return Response(status_code=204)


@router.post("/logout/all", **takes_in_silence())
async def log_out_everywhere(request: Request) -> Response:
    """End all sessions of the account that the access token names."""
    await decided(request, EndSessions(user_id=user_of(request)))
    return Response(status_code=204)


def _new(held: Ticket, system: System) -> str:
    """A token that says the same and that nobody can guess."""
    return written(held._replace(proof=secrets.token_bytes(32)), system.settings.account_secret)


def _tokens(user_id: str, refresh_token: str, system: System) -> Response:
    said: dict[str, Any] = {
        "access_token": system.tokens.issue(user_id),
        "token_type": "Bearer",
        "expires_in": int(LIFETIME.total_seconds()),
        "refresh_token": refresh_token,
        "refresh_expires_in": int(SESSION.total_seconds()),
    }
    return reply(said, headers=PRIVATE)
