"""Links lead from a message back to the API; `public_url` is how the world sees it.

With the one to unsubscribe a reader of a mail says that it was the last of its kind, without logging in. It says who
and which kind, signed, and holds as long as the secret does, for mails are read late (RFC 8058).
"""

import json
from hashlib import sha256
from hmac import compare_digest, digest

from schemas import words

_SIGNED = 16
"""Bytes of the signature: 2^128 to guess it."""


def write_token(secret: str, customer_id: str, kind: str) -> str:
    """What a link says of whom it is for."""
    said = json.dumps([customer_id, kind], separators=(",", ":")).encode()
    return f"{words.written(said)}.{words.written(_signature(secret, said))}"


def read_token(secret: str, token: str) -> tuple[str, str] | None:
    """The customer and the kind; None if it is not signed by us."""
    said, _, signature = token.partition(".")
    try:
        raw = words.read(said)
        if not compare_digest(words.read(signature), _signature(secret, raw)):
            return None
        customer_id, kind = json.loads(raw)
    except (ValueError, TypeError):
        return None
    return customer_id, kind


def unsubscribe_url(public_url: str, token: str) -> str:
    """Where a reader says so."""
    return f"{public_url.rstrip('/')}/notifications/unsubscribe/{token}"


def report_url(public_url: str, notification_id: str) -> str:
    """Where Twilio is to report; it signs this URL as it was given it, whatever lies between it and us."""
    return f"{public_url.rstrip('/')}/notifications/{notification_id}/reports/twilio"


def _signature(secret: str, said: bytes) -> bytes:
    return digest(secret.encode(), b"unsubscribe/" + said, sha256)[:_SIGNED]
