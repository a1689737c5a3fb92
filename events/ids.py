"""Ids of messages that follow from others are derived from them, so that the same cause gives the same id."""

from hashlib import sha1


def derive(cause: str, name: str) -> str:
    """A UUID (version 5 in form, RFC 9562) that follows from a cause's id and a name."""
    digest = bytearray(sha1(f"{cause}/{name}".encode(), usedforsecurity=False).digest()[:16])
    digest[6] = (digest[6] & 0x0F) | 0x50
    digest[8] = (digest[8] & 0x3F) | 0x80
    text = digest.hex()
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"
