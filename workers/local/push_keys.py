"""PushKeys are what a local run pushes with: a service account as Google's, our key for browsers, and a browser.

They are made once, and kept in a folder of the run's; where they are good for is written anew at each start.
"""

import json
import os
import secrets
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from schemas import words

ACCOUNT, OURS, BROWSER, SUBSCRIPTION = "fcm.json", "vapid.pem", "browser.pem", "browser.json"
SUBJECT = "mailto:orders@orderlog.example"


def settings_of(folder: Path, url: str, services: str) -> dict[str, str]:
    """Make what is missing, and give back the settings that push to the stand-in at this URL."""
    folder.mkdir(parents=True, exist_ok=True)
    _account(folder / ACCOUNT, url)
    _key(folder / OURS)
    _subscription(folder / SUBSCRIPTION, _key(folder / BROWSER), url)
    return {
        "FCM_KEY": str((folder / ACCOUNT).absolute()),
        "FCM_URL": url,
        "VAPID_KEY": str((folder / OURS).absolute()),
        "VAPID_SUBJECT": SUBJECT,
        "PUSH_SERVICES": f"127.0.0.1,{services}",
    }


def _account(path: Path, url: str) -> None:
    """As Google's console gives it."""
    known = json.loads(path.read_text()) if path.exists() else {}
    made = known or {
        "type": "service_account",
        "project_id": "orderlog",
        "private_key_id": secrets.token_hex(8),
        "private_key": _pem(rsa.generate_private_key(public_exponent=65537, key_size=2048)).decode(),
        "client_email": "orders@orderlog.iam.gserviceaccount.com",
    }
    _write(path, json.dumps({**made, "token_uri": f"{url}/token"}).encode())


def _key(path: Path) -> ec.EllipticCurvePrivateKey:
    if not path.exists():
        _write(path, _pem(ec.generate_private_key(ec.SECP256R1())))
    found: Any = serialization.load_pem_private_key(path.read_bytes(), None)
    return found  # type: ignore[no-any-return]


def _subscription(path: Path, key: ec.EllipticCurvePrivateKey, url: str) -> None:
    """What a page of ours would get from the browser, and tell us as the device's address."""
    known = json.loads(path.read_text()) if path.exists() else {}
    point = key.public_key().public_bytes(serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)
    keys = known.get("keys") or {"p256dh": words.written(point), "auth": words.written(secrets.token_bytes(16))}
    _write(path, json.dumps({"endpoint": f"{url}/push/browser", "keys": keys}).encode())


def _pem(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _write(path: Path, content: bytes) -> None:
    """Whole or not at all, and for nobody else to read."""
    draft = path.with_suffix(".new")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)
    os.replace(draft, path)
