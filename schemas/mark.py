"""Mark is how a sealed text is told from others: `sealed.v1.<person>.<field>.<text>`."""

import re

MARK = "sealed.v1."
ERASED = "erased"
"""What is read where a person's key has been destroyed."""
UNREADABLE = "unreadable"
"""What is read where a text does not open, or its key is not where it should be."""

_FIELD = re.compile(r"[a-z_]{1,32}")
_TEXT = re.compile(r"[A-Za-z0-9_-]{80,16000}")
LONGEST_NAME = 64


def person_of(text: str) -> str | None:
    """Whose a sealed text is; None if it is not sealed."""
    if not text.startswith(MARK):
        return None
    person, *rest = text[len(MARK) :].rsplit(".", 2)
    if len(rest) != 2 or not 0 < len(person) <= LONGEST_NAME:
        return None
    return person if _FIELD.fullmatch(rest[0]) and _TEXT.fullmatch(rest[1]) else None
