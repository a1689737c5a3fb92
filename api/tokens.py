"""Tokens say who somebody is and which roles they have: JWTs, signed with a key of the ring, for an hour."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Literal, NamedTuple, get_args
from uuid import uuid4

import jwt

from api.keys import ALGORITHM, Keyring

Role = Literal["customer", "staff", "operator", "analyst"]
ROLES: tuple[Role, ...] = get_args(Role)

LIFETIME = timedelta(hours=1)
ISSUER = AUDIENCE = "orderlog"
LONGEST = 4096
"""Characters of a token that is looked at; ours have some 400."""

_REQUIRED = ["sub", "iss", "aud", "iat", "exp", "jti", "roles"]


class Principal(NamedTuple):
    """Who asks, and until when the token says so (seconds since 1970); nobody has no subject and no role."""

    subject: str
    roles: frozenset[str]
    until: float | None = None


NOBODY = Principal("", frozenset())


class BadToken(Exception):
    """It is none of ours, or not valid now."""


class Tokens:
    """Issues and reads tokens."""

    def __init__(self, keyring: Keyring) -> None:
        self.keyring = keyring

    def issue(self, user_id: str, roles: Iterable[Role] = ("customer",), lifetime: timedelta = LIFETIME) -> str:
        """A token of this user."""
        now, key = datetime.now(UTC), self.keyring.signing()
        claims = {
            "sub": user_id,
            "roles": sorted(roles),
            "iss": ISSUER,
            "aud": AUDIENCE,
            "iat": now,
            "exp": now + lifetime,
            "jti": str(uuid4()),
        }
        assert key.private is not None  # noqa: S101  it signs
        return jwt.encode(claims, key.private, algorithm=ALGORITHM, headers={"kid": key.kid})

    def who(self, headers: Iterable[tuple[bytes, bytes]]) -> Principal:
        """Who asks, by a request's headers; a token that is none is nobody's."""
        said = [value.decode("latin-1") for name, value in headers if name == b"authorization"]
        try:
            return self.read(said[0]) if len(said) == 1 else NOBODY
        except BadToken:
            return NOBODY

    def read(self, authorization: str) -> Principal:
        """Whom the header's token names; nobody, where there is no header.

        Raises:
            BadToken: whatever is wrong with it.
        """
        if not authorization:
            return NOBODY
        scheme, _, token = authorization.partition(" ")
        if scheme.lower() != "bearer" or len(token) > LONGEST:
            raise BadToken
        try:
            return self._verified(token)
        except (jwt.InvalidTokenError, ValueError):
            raise BadToken from None

    def _verified(self, token: str) -> Principal:
        kid = jwt.get_unverified_header(token).get("kid")
        key = self.keyring.public(kid) if isinstance(kid, str) else None
        if key is None:
            raise BadToken
        claims = jwt.decode(
            token, key, algorithms=[ALGORITHM], issuer=ISSUER, audience=AUDIENCE, options={"require": _REQUIRED}
        )
        subject, roles = claims["sub"], claims["roles"]
        if not subject or not isinstance(roles, list):
            raise BadToken
        return Principal(subject, frozenset(role for role in ROLES if role in roles), float(claims["exp"]))
