"""Me is who a request's token names, and what is asked of that account; and commands whose answer must tell nothing.

What is asked here goes to the user's writer like any command, so that it holds whichever process has asked. Where the
answer depends on the outcome, the request waits for it; where it must not, nobody is told.
"""

import asyncio
import secrets
import time
from typing import Any
from uuid import uuid4

from starlette.requests import Request
from starlette.responses import Response

from api.answers import reply
from api.asking import Asked, asked
from api.commands import put
from api.openapi import PREFER, gives, request_body
from api.problems import PROBLEMS, Problem
from api.system import of
from api.watch import Row
from projections.user import CREDENTIALS
from schemas.ticket import Purpose, digest, mailed
from schemas.user import Proof
from schemas.values import Command

PATIENCE = 10
"""Seconds that a request waits for the writer's word."""
STEP = 0.025
"""Seconds: an answer that must tell nothing takes a whole number of them, so that one key more is not seen."""

BEARER = {"WWW-Authenticate": "Bearer"}
PRIVATE = {"Cache-Control": "no-store"}
_DOUBT = "Nobody knows yet whether it was done. Ask again in a moment; should that be refused, log in anew."


async def with_password(request: Request, user_id: str, password: str) -> Row:
    """The account's credentials, if this is its password.

    Raises:
        Problem: 403.
    """
    system = of(request)
    row = await system.row("user", CREDENTIALS, user_id=user_id)
    hashed = await system.keys.opened(row["password_hash"]) if row else ""
    if not (await system.passwords.verify(password, hashed)).right or row is None:
        raise Problem("PasswordWrong")
    return row


async def decided(request: Request, command: Command) -> Row:
    """What became of the command, once its writer has decided.

    Raises:
        Problem: what the rules say no with; 503, if nobody knows within `PATIENCE`.
    """
    _, command_id = await _put(request, command)
    outcome = await of(request).outcome("user", command_id, PATIENCE)
    if outcome is None:
        raise Problem("OutcomeUnknown", _DOUBT)
    if outcome["status"] == "rejected":
        headers = BEARER if PROBLEMS[outcome["code"]][0] == 401 else {}
        raise Problem(outcome["code"], outcome["detail"], headers=headers)
    if outcome["status"] == "parked":
        raise Problem("CommandParked")
    return outcome


async def quietly(request: Request, command: Command, said: str, began: float) -> Response:
    """Ask, and answer the same whatever becomes of it, without waiting for that: how long it takes would tell too.

    For the same reason it takes whole steps since the request `began`, in seconds of the monotonic clock.

    Where people may log in unverified, that tells more, and `Prefer: wait=N` waits until it is decided.
    """
    ask, command_id = await _put(request, command)
    waits = ask.wait and of(request).settings.login_unverified
    decided = await of(request).outcome("user", command_id, ask.wait) if waits else None
    headers = {"Preference-Applied": f"wait={ask.wait}"} if decided else {}
    await asyncio.sleep(-(time.monotonic() - began) % STEP)
    return reply({"status": "accepted", "detail": said}, 202, headers)


async def _put(request: Request, command: Command) -> tuple[Asked, str]:
    """Put a command on its topic under an id that only we know: what was asked, and the id."""
    ask = asked(request).secretly()
    command_id = ask.id_of(command)
    try:
        await put(request, ask, command, command_id)
    except Problem as problem:
        raise (Problem("OutcomeUnknown", _DOUBT) if problem.code == "OutcomeUnknown" else problem) from None
    return ask, command_id


def new_proof(request: Request, purpose: Purpose, user_id: str) -> Proof:
    """What a mail is to prove; its token is computed again by who writes the mail, and kept nowhere."""
    proof_id, nonce = str(uuid4()), secrets.token_hex(32)
    token = mailed(purpose, user_id, proof_id, nonce, of(request).settings.account_secret)
    return Proof(proof_id=proof_id, nonce=nonce, token_hash=digest(token))


def takes_quietly(body: str) -> dict[str, Any]:
    """Arguments of a route that takes a body and answers 202 whatever becomes of it."""
    noted = gives("Noted")["responses"][200]
    return {
        "status_code": 202,
        "responses": {202: {**noted, "description": "Accepted; the answer is the same for every address"}},
        "openapi_extra": {"requestBody": request_body(body), "parameters": [PREFER]},
    }


def takes_and_gives(body: str, shape: str) -> dict[str, Any]:
    """Arguments of a route that takes a body and, once it is decided, answers with this shape."""
    return {**gives(shape), "openapi_extra": {"requestBody": request_body(body)}}


def takes_in_silence(body: str | None = None) -> dict[str, Any]:
    """Arguments of a route that takes a body, or none, and answers 204."""
    extra = {"openapi_extra": {"requestBody": request_body(body)}} if body else {}
    return {"status_code": 204, "responses": {204: {"description": "Done"}}, **extra}
