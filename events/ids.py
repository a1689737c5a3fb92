"""Ids of messages that follow from others are derived from them, so that the same cause gives the same id.

A client's command has an id of version 8, in which three things stand one behind the other: whose it is, under which
key, and what is asked.
"""

from hashlib import blake2b, sha1, sha256

_WHOSE, _KEY = 8, 28
"""Characters of a client command's id that say whose it is; and those which all that is sent under its key share."""


def derive(cause: str, name: str) -> str:
    """A UUID (version 5 in form, RFC 9562) that follows from a cause's id and a name."""
    digest = bytearray(sha1(f"{cause}/{name}".encode(), usedforsecurity=False).digest()[:16])
    digest[6] = (digest[6] & 0x0F) | 0x50
    digest[8] = (digest[8] & 0x3F) | 0x80
    return _uuid(digest.hex())


def under(who: str, where: str, key: str, said: bytes) -> str:
    """A UUID (version 8) for what somebody says somewhere under a key; `said` decides its last eight characters alone.

    So two that were said under one key are seen to be so, by their ids. The end cannot be guessed from what was said
    without the key.
    """
    under = bytearray(sha256(f"{who}\n{where}\n{key}".encode()).digest()[:8])
    under[2] = (under[2] & 0x0F) | 0x80
    under[4] = (under[4] & 0x3F) | 0x80
    what = blake2b(said, digest_size=4, key=sha256(key.encode()).digest()).hexdigest()
    return _uuid(mark(who) + under.hex() + what)


def mark(who: str) -> str:
    """What the ids of somebody's commands begin with."""
    return sha256(who.encode()).hexdigest()[:_WHOSE]


def key_of(command_id: str) -> str:
    """What the ids of all commands sent under one key begin with; empty if this was sent under none."""
    return command_id[:_KEY] if command_id[14:15] == "8" else ""


def _uuid(text: str) -> str:
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"
