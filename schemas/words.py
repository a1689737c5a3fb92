"""Words are texts that a URL, a header or a setting holds as they are, and lists of them."""

from base64 import b64decode, urlsafe_b64encode


def written(raw: bytes) -> str:
    """Bytes as letters, digits, `-` and `_` (RFC 4648, base64url without padding)."""
    return urlsafe_b64encode(raw).decode().rstrip("=")


def read(word: str) -> bytes:
    """The bytes that a word is.

    Raises:
        ValueError: it is none.
    """
    return b64decode(word + "=" * (-len(word) % 4), altchars=b"-_", validate=True)


def listed(text: str) -> list[str]:
    """What a text names, separated by commas."""
    return [word.strip() for word in text.split(",") if word.strip()]
