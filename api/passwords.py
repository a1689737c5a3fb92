"""Passwords over HTTP: change one's own, or set a new one by the code of a mail."""

from fastapi import APIRouter, Request, Response

from api.access import user_of
from api.answers import reply
from api.bodies import MODELS, read
from api.me import decided, takes_and_gives, takes_quietly, with_password
from api.system import of
from api.users import Given, Password, held_by, mail_proof
from schemas import ticket
from schemas.user import ChangePassword, RequestReset, ResetPassword
from schemas.values import Value

router = APIRouter(tags=["users"])

_SENT = "If there is an account with this address, a code is on its way."


class PasswordChange(Value):
    """The old password and the new; the session of `refresh_token` goes on, all others end."""

    old_password: Given
    new_password: Password
    refresh_token: Given | None = None


class PasswordReset(Value):
    """The code of a mail, and the new password."""

    token: Given
    password: Password


MODELS.update(PasswordChange=PasswordChange, PasswordReset=PasswordReset)


@router.post("/me/password", **takes_and_gives("PasswordChange", "Done"))
async def change_password(request: Request) -> Response:
    """Change one's own password."""
    user_id = user_of(request)
    body = await read(request, PasswordChange)
    row = await with_password(request, user_id, body.old_password)
    command = ChangePassword(
        user_id=user_id,
        password_hash=await of(request).passwords.hash(body.new_password),
        password_changes=row["password_changes"],
        keep_hash=ticket.digest(body.refresh_token) if body.refresh_token else None,
    )
    await decided(request, command)
    return reply({"status": "changed"})


@router.post("/password-reset", **takes_quietly("AccountAddress"))
async def request_reset(request: Request) -> Response:
    """Send a mail with a code that sets a new password, good for 30 minutes; once a minute at most."""
    return await mail_proof(request, "reset", RequestReset, _SENT)


@router.post("/password-reset/confirm", **takes_and_gives("PasswordReset", "Done"))
async def reset_password(request: Request) -> Response:
    """Set a new password by the code of the mail; every session ends, and the address counts as verified."""
    body = await read(request, PasswordReset)
    held = held_by(request, body.token, "reset")
    command = ResetPassword(
        user_id=held.user_id,
        proof_id=held.name,
        token_hash=ticket.digest(body.token),
        password_hash=await of(request).passwords.hash(body.password),
    )
    await decided(request, command)
    return reply({"status": "changed"})
