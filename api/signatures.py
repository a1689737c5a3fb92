"""Signatures tell a provider's webhooks from anybody else's: an HMAC over the raw body and the time of sending."""

import base64
import hashlib
import hmac
import time
from collections.abc import Mapping

from api.problems import Problem

TOLERANCE = 300
"""Seconds that a webhook may be old, or that clocks may differ."""


def check_stripe(headers: Mapping[str, str], body: bytes, secret: str) -> None:
    """Stripe's own form, `Stripe-Signature: t=…,v1=…`; while a secret is rolled there are several signatures.

    Raises:
        Problem: 400.
    """
    parts = [part.partition("=")[::2] for part in headers.get("stripe-signature", "").split(",")]
    sent = next((value for name, value in parts if name.strip() == "t"), "")
    wanted = hmac.new(secret.encode(), f"{sent}.".encode() + body, hashlib.sha256).hexdigest()
    if not _fits(sent, [value for name, value in parts if name.strip() == "v1"], wanted):
        raise Problem("BadSignature")


def check_standard(headers: Mapping[str, str], body: bytes, secret: str) -> None:
    """The form of Standard Webhooks: `webhook-id`, `webhook-timestamp` and `webhook-signature: v1,…`.

    Raises:
        Problem: 400.
    """
    if not is_standard(headers, body, secret):
        raise Problem("BadSignature")


def is_standard(headers: Mapping[str, str], body: bytes, secret: str) -> bool:
    """Whether the body is signed in that form."""
    sent = headers.get("webhook-timestamp", "")
    signed = f"{headers.get('webhook-id', '')}.{sent}.".encode() + body
    wanted = base64.b64encode(hmac.new(secret.encode(), signed, hashlib.sha256).digest()).decode()
    given = [each.removeprefix("v1,") for each in headers.get("webhook-signature", "").split() if each[:3] == "v1,"]
    return _fits(sent, given, wanted)


def _fits(sent: str, given: list[str], wanted: str) -> bool:
    """Whether one of these is the signature, and was made about now."""
    fits = [hmac.compare_digest(each.encode(), wanted.encode()) for each in given]
    return any(fits) and sent.isdecimal() and abs(time.time() - int(sent)) <= TOLERANCE
