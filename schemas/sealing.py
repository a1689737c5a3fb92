"""Sealing turns a personal text into one that only its person's key opens: `sealed.v1.<person>.<field>.<text>`.

The same text of the same person in the same field always comes to the same, so that a command that is sent twice is
the same command, and rules can tell whether something has changed without being able to read it. AES-256-GCM; the
nonce follows from field and text under a key of its own, the readable beginning is bound to what is sealed. Texts are
filled up to whole blocks, so that their length says little and no sealed text is as short as an id.
"""

import hashlib
import hmac
import re
import secrets
from collections.abc import Mapping

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from schemas import words
from schemas.mark import MARK, person_of

LENGTH = 32
"""Bytes of a person's key."""

_IN_JSON = re.compile(rb'"sealed\.v1\.[A-Za-z0-9._@-]{84,16100}"')
_BLOCK, _NONCE = 32, 12


class Broken(Exception):
    """A sealed text that its person's key does not open: somebody has changed it, or the key is not the one."""


class PersonKey:
    """The key of one person."""

    __slots__ = ("_aead", "_index", "_nonces", "person")

    def __init__(self, person: str, secret: bytes) -> None:
        self.person = person
        self._aead = AESGCM(_derived(secret, b"seal"))
        self._nonces, self._index = _derived(secret, b"nonce"), _derived(secret, b"index")

    def seal(self, field: str, text: str) -> str:
        """The text as it may be recorded."""
        raw, about = text.encode(), f"{MARK}{self.person}.{field}"
        nonce = hmac.digest(self._nonces, f"{field}\0".encode() + raw, hashlib.sha256)[:_NONCE]
        filled = raw + b"\x01" + b"\0" * (-(len(raw) + 1) % _BLOCK)
        sealed = nonce + self._aead.encrypt(nonce, filled, about.encode())
        return f"{about}.{words.written(sealed)}"

    def open(self, sealed: str) -> str:
        """The text that was sealed.

        Raises:
            Broken: it was not, or not with this key.
        """
        about, _, said = sealed.rpartition(".")
        try:
            raw = words.read(said)
            filled = self._aead.decrypt(raw[:_NONCE], raw[_NONCE:], about.encode())
        except (InvalidTag, ValueError) as error:
            raise Broken(f"{about} does not open") from error
        return filled.rstrip(b"\0")[:-1].decode()

    def digest(self, text: str) -> str:
        """What stands for a text where it is looked up: nobody without the key can tell which text it stands for."""
        return hmac.digest(self._index, text.encode(), hashlib.sha256).hex()


def new_secret() -> bytes:
    """What nobody can guess."""
    return secrets.token_bytes(LENGTH)


def sealed_in(raw: bytes) -> dict[bytes, str]:
    """The sealed strings of a JSON document, as they are written, each with whose it is."""
    strings = set(_IN_JSON.findall(raw))
    return {string: person for string in strings if (person := person_of(string[1:-1].decode()))}


def replaced_in(raw: bytes, said: Mapping[bytes, bytes]) -> bytes:
    """The JSON document with what is said instead of its strings, as JSON."""
    return _IN_JSON.sub(lambda found: said.get(found[0], found[0]), raw)


def _derived(secret: bytes, use: bytes) -> bytes:
    """A key for one use, so that what is done with one says nothing of the other."""
    return hmac.digest(secret, b"orderlog person key/" + use, hashlib.sha256)
