"""Ids of messages that follow from others are derived from them, so that the same cause gives the same id."""

from hashlib import blake2b, sha1, sha256

_KEY = 18
"""Characters of a client command's id that follow from its key."""


def derive(cause: str, name: str) -> str:
    """A UUID (version 5 in form, RFC 9562) that follows from a cause's id and a name."""
    digest = bytearray(sha1(f"{cause}/{name}".encode(), usedforsecurity=False).digest()[:16])
    digest[6] = (digest[6] & 0x0F) | 0x50
    digest[8] = (digest[8] & 0x3F) | 0x80
    return _uuid(digest.hex())


def under(scope: str, key: str, said: bytes) -> str:
    """A UUID (version 8) for what was said under a key; its first half follows from scope and key alone.

    So two that were said under one key are seen to be so, by their ids. The second half cannot be guessed from what was
    said without the key.
    """
    first = bytearray(sha256(f"{scope}\n{key}".encode()).digest()[:8])
    second = bytearray(blake2b(said, digest_size=8, key=sha256(key.encode()).digest()).digest())
    first[6] = (first[6] & 0x0F) | 0x80
    second[0] = (second[0] & 0x3F) | 0x80
    return _uuid((first + second).hex())


def key_half(command_id: str) -> str:
    """The half of a command's id that follows from its key; empty if it was sent under none."""
    return command_id[:_KEY] if command_id[14:15] == "8" else ""


def _uuid(text: str) -> str:
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"
