"""Webhook is how the stand-ins for providers tell somebody what has happened: signed as Standard Webhooks has it.

Who is told checks with code of its own (api/signatures.py), as a provider's would be another's.
"""

import base64
import hashlib
import hmac
import http.client
import time
from urllib.parse import urlsplit


def signature(secret: str, message_id: str, timestamp: int, body: bytes) -> str:
    """The value of the header `webhook-signature`."""
    signed = f"{message_id}.{timestamp}.".encode() + body
    return f"v1,{base64.b64encode(hmac.digest(secret.encode(), signed, hashlib.sha256)).decode()}"


def post(url: str, secret: str, message_id: str, body: bytes, kind: str) -> bool:
    """Whether the body, of this media type, was taken; it is waited for, 5 s at most."""
    to, now = urlsplit(url), int(time.time())
    headers = {
        "Content-Type": kind,
        "webhook-id": message_id,
        "webhook-timestamp": str(now),
        "webhook-signature": signature(secret, message_id, now, body),
    }
    connecting = http.client.HTTPSConnection if to.scheme == "https" else http.client.HTTPConnection
    connection = connecting(to.hostname or "127.0.0.1", to.port, timeout=5)
    try:
        connection.request("POST", to.path or "/", body, headers)
        return connection.getresponse().status < 300
    except OSError:
        return False
    finally:
        connection.close()
