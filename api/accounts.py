"""Accounts are what login needs: password hashes (argon2, off the event loop) and tokens (JWT, HS256)."""

from datetime import UTC, datetime, timedelta
from functools import cache
from typing import NamedTuple
from uuid import uuid4

import jwt
from anyio import CapacityLimiter, to_thread
from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher
from starlette.requests import Request

from api.problems import Problem

LIFETIME = timedelta(hours=1)
ISSUER = AUDIENCE = "orderlog"
ALGORITHM = "HS256"

_BESIDE = 2
_QUEUE = 32
"""A hash costs a core for tens of milliseconds: more than these would only wait for each other."""

_hasher = PasswordHash((Argon2Hasher(),))


@cache
def _nobodys() -> str:
    """A hash that no password has."""
    return _hasher.hash(str(uuid4()))


class Verified(NamedTuple):
    """Whether a password is right; `newer` is its hash as made today, if the one that is kept was made otherwise."""

    right: bool
    newer: str | None


class Passwords:
    """Hashes, two at a time."""

    def __init__(self) -> None:
        self._limiter = CapacityLimiter(_BESIDE)
        _nobodys()  # made now, or the first login with an unknown address would take longer than others

    async def hash(self, password: str) -> str:
        """The password's hash.

        Raises:
            Problem: 503, when too many wait.
        """
        self._refuse_crowd()
        return await to_thread.run_sync(_hasher.hash, password, limiter=self._limiter)

    async def verify(self, password: str, hashed: str) -> Verified:
        """Whether it is the password. Without a hash, as there is no account, it takes as long and says no.

        Raises:
            Problem: 503, when too many wait.
        """
        self._refuse_crowd()
        return await to_thread.run_sync(_verify, password, hashed, limiter=self._limiter)

    def _refuse_crowd(self) -> None:
        if self._limiter.statistics().tasks_waiting >= _QUEUE:
            raise Problem("Busy")


def _verify(password: str, hashed: str) -> Verified:
    right, newer = _hasher.verify_and_update(password, hashed or _nobodys())
    return Verified(right and bool(hashed), newer)


def issue(user_id: str, secret: str) -> str:
    """A token that says who somebody is, for an hour."""
    now = datetime.now(UTC)
    claims = {"sub": user_id, "iss": ISSUER, "aud": AUDIENCE, "iat": now, "exp": now + LIFETIME, "jti": str(uuid4())}
    return jwt.encode(claims, secret, algorithm=ALGORITHM)


def user_of(request: Request, secret: str) -> str:
    """The user id that the request's token names.

    Raises:
        Problem: 401, without a valid token.
    """
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    required = ["sub", "iss", "aud", "iat", "exp", "jti"]
    try:
        if scheme.lower() != "bearer":
            raise jwt.InvalidTokenError
        claims = jwt.decode(
            token, secret, algorithms=[ALGORITHM], issuer=ISSUER, audience=AUDIENCE, options={"require": required}
        )
    except jwt.InvalidTokenError:
        raise Problem("NotLoggedIn", headers={"WWW-Authenticate": "Bearer"}) from None
    return str(claims["sub"])
