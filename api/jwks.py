"""JWKS over HTTP: the public keys that verify our tokens, for whoever wants to."""

from fastapi import APIRouter, Request, Response

from api.answers import reply
from api.openapi import gives
from api.system import of

router = APIRouter(tags=["users"])


@router.get("/.well-known/jwks.json", **gives("Jwks"))
async def get_jwks(request: Request) -> Response:
    """Every key that verifies a token now, the newest last (RFC 7517)."""
    return reply(of(request).tokens.keyring.jwks(), headers={"Cache-Control": "max-age=300"})
