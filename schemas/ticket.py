"""Tickets are the opaque words that clients and mails carry: refresh tokens, and the tokens of mails.

A ticket names its user and what it is for, holds 256 bits that nobody can guess, and is sealed with our secret: one
that we have not written is told by its seal, before anything is asked of the log. Its digest is all that is recorded.
The 256 bits of a refresh token are random. Those of a mail follow from our secret and a nonce that is recorded, so that
whoever writes the mail can compute what no record holds (docs/decisions/0013-mailed-tokens-are-derived.md).
"""

import hashlib
import hmac
import struct
from typing import Literal, NamedTuple

from schemas import words

Purpose = Literal["session", "verification", "reset"]

_PURPOSES: tuple[Purpose, ...] = ("session", "verification", "reset")
_SHAPE = struct.Struct(">B16s16sI32s")
_SEAL = 16
_LONGEST = 200


class Ticket(NamedTuple):
    """What a ticket says; `name` is the session's or the mail's id, `turn` how often the session was refreshed."""

    purpose: Purpose
    user_id: str
    name: str
    turn: int
    proof: bytes


def written(ticket: Ticket, secret: str) -> str:
    """The ticket as a word of letters, digits, `-` and `_`."""
    packed = _SHAPE.pack(
        _PURPOSES.index(ticket.purpose), _packed(ticket.user_id), _packed(ticket.name), ticket.turn, ticket.proof
    )
    return words.written(packed + _seal(packed, secret))


def read(text: str, purpose: Purpose, secret: str) -> Ticket | None:
    """The ticket that a word is; None if it is none of ours, or for another purpose."""
    try:
        raw = words.read(text[:_LONGEST])
    except ValueError:
        return None
    packed, seal = raw[: _SHAPE.size], raw[_SHAPE.size :]
    if len(packed) != _SHAPE.size or not hmac.compare_digest(seal, _seal(packed, secret)):
        return None
    number, user_id, name, turn, proof = _SHAPE.unpack(packed)
    if number >= len(_PURPOSES) or _PURPOSES[number] != purpose:
        return None
    return Ticket(purpose, _unpacked(user_id), _unpacked(name), turn, proof)


def mailed(purpose: Purpose, user_id: str, proof_id: str, nonce: str, secret: str) -> str:
    """The token of a mail, which follows from our secret and what is recorded of the mail."""
    said = f"{purpose}/{user_id}/{proof_id}/{nonce}".encode()
    proof = hmac.digest(_key(secret, b"mail"), said, hashlib.sha256)
    return written(Ticket(purpose, user_id, proof_id, 0, proof), secret)


def digest(text: str) -> str:
    """SHA-256 of a ticket as it is written."""
    return hashlib.sha256(text.encode()).hexdigest()


def _seal(packed: bytes, secret: str) -> bytes:
    return hmac.digest(_key(secret, b"seal"), packed, hashlib.sha256)[:_SEAL]


def _key(secret: str, use: bytes) -> bytes:
    """A key for one use, so that what is computed for one says nothing of the other."""
    return hmac.digest(secret.encode(), use, hashlib.sha256)


def _packed(uuid: str) -> bytes:
    return bytes.fromhex(uuid.replace("-", ""))


def _unpacked(raw: bytes) -> str:
    text = raw.hex()
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"
