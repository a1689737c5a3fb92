"""Mail is what our mails are recognized by, and what mail servers mean by their noes (RFC 5321, RFC 3463)."""

import re

_MESSAGE_ID = re.compile(r"<([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})@[^<>@\s]+>")
_ENHANCED = re.compile(r"\b[245]\.[0-9]{1,3}\.[0-9]{1,3}\b")
_NOBODYS = frozenset({"5.1.1", "5.1.2", "5.1.3", "5.1.6", "5.1.10", "5.2.1"})
"""No such mailbox, no such host, no address at all, moved away, takes no mail, closed."""
_NOBODYS_BEFORE = frozenset({550, 551, 553})
"""The same, from servers that know no enhanced codes."""


def message_id(notification_id: object, sender: str) -> str:
    """The Message-ID of a notification's mail, the same each time that it is sent."""
    return f"<{notification_id}@{sender.rpartition('@')[2]}>"


def notification_of(said: str) -> str | None:
    """The notification that a Message-ID is of, if it is one of ours."""
    found = _MESSAGE_ID.fullmatch(said.strip())
    return found[1] if found else None


def enhanced(said: str) -> str:
    """The enhanced status in what a server says, such as 5.1.1; empty if there is none."""
    found = _ENHANCED.search(said)
    return found[0] if found else ""


def is_nobodys(status: str, code: int = 0) -> bool:
    """Whether a no means that nobody has the address, for good: not that a mailbox is full, or a mail not liked."""
    return status in _NOBODYS if status else code in _NOBODYS_BEFORE
