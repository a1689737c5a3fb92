"""Keys sign and verify tokens: Ed25519, one PEM a file, named by their id; the newest that is private signs."""

import os
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple
from uuid import uuid4

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from schemas import words

ALGORITHM = "EdDSA"
"""The only one, whatever a token says of itself."""

PUBLIC = ".pub.pem"
_FRESH = 1.0
"""Seconds until the folder is looked at again."""


class Key(NamedTuple):
    """One pair, or its public half, where tokens are only verified."""

    kid: str
    public: Ed25519PublicKey
    private: Ed25519PrivateKey | None = None


class Keyring:
    """The keys of a folder, which is looked at again as it changes: a key is rotated without a restart."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._keys: Mapping[str, Key] = {}
        self._until, self._changed = 0.0, -1

    def signing(self) -> Key:
        """The newest private key; the first is made here, if there is none at all.

        Raises:
            ValueError: there are public ones alone, so this process is not to sign.
        """
        if not self._fresh():
            make(self.folder)
            self._until = 0.0
        private = [key for key in self._fresh().values() if key.private]
        if not private:
            raise ValueError(f"{self.folder} has public keys alone; tokens are made where a private one is")
        return max(private, key=lambda key: key.kid)

    def public(self, kid: str) -> Ed25519PublicKey | None:
        """The key that verifies what this one has signed."""
        key = self._fresh().get(kid)
        return key.public if key else None

    def all(self) -> list[Key]:
        """Every key, the oldest first."""
        return [key for _, key in sorted(self._fresh().items())]

    def jwks(self) -> dict[str, list[dict[str, str]]]:
        """The public halves, as others read them (RFC 7517, RFC 8037)."""
        return {"keys": [_as_jwk(key) for key in self.all()]}

    def _fresh(self) -> Mapping[str, Key]:
        if time.monotonic() >= self._until:
            self._until = time.monotonic() + _FRESH
            changed = self.folder.stat().st_mtime_ns if self.folder.is_dir() else -1
            if changed != self._changed:
                self._keys, self._changed = read(self.folder), changed
        return self._keys


def make(folder: Path) -> str:
    """A new pair, which nobody but the owner of the process can read; its id sorts after those of older ones."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    kid = f"{datetime.now(UTC):%Y%m%dT%H%M%S%f}-{uuid4().hex[:8]}"
    pem = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    draft = folder / f".{kid}"
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(pem)
    draft.rename(folder / f"{kid}.pem")  # whoever reads the folder finds all of it, or nothing
    return kid


def read(folder: Path) -> dict[str, Key]:
    """Every key of the folder by its id.

    Raises:
        ValueError: a file is no Ed25519 key; the message names it.
    """
    keys: dict[str, Key] = {}
    for file in sorted(folder.glob("[!.]*.pem")):
        key = _read_one(file)
        if key.private or key.kid not in keys:
            keys[key.kid] = key
    return keys


def _read_one(file: Path) -> Key:
    if file.name.endswith(PUBLIC):
        public = load_pem_public_key(file.read_bytes())
        if isinstance(public, Ed25519PublicKey):
            return Key(file.name.removesuffix(PUBLIC), public)
    else:
        private = load_pem_private_key(file.read_bytes(), password=None)
        if isinstance(private, Ed25519PrivateKey):
            return Key(file.stem, private.public_key(), private)
    raise ValueError(f"{file} is no Ed25519 key; `python -m api.locksmith rotate` makes one")


def public_pem(key: Key) -> bytes:
    """The public half, as a file for those who only verify."""
    return key.public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def _as_jwk(key: Key) -> dict[str, str]:
    raw = key.public.public_bytes(Encoding.Raw, PublicFormat.Raw)
    x = words.written(raw)
    return {"kty": "OKP", "crv": "Ed25519", "use": "sig", "alg": ALGORITHM, "kid": key.kid, "x": x}
