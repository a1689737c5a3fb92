"""Post is what came to the customers of a local run: mails, SMS and pushes, as its stand-ins have kept them."""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from workers.mailbox import list_mail

SMS, PUSHES = "sms.jsonl", "push/pushes.jsonl"


class Piece(NamedTuple):
    """One message, and over which channel it came; only mails and pushes have a title."""

    at: datetime
    channel: str
    to: str
    title: str
    text: str
    about: str
    """Ids that the text itself may leave out."""


def came(home: Path, last: int, about: str = "", channel: str = "") -> list[Piece]:
    """The newest so many, oldest first: of those that name `about`, such as an order's id, over one channel or any."""
    pieces = (*_mails(home, None if about else last), *_texts(home), *_pushes(home))
    found = [piece for piece in pieces if about in " ".join(piece[2:]) and channel in ("", piece.channel)]
    return sorted(found)[-last:]


def _mails(home: Path, last: int | None) -> Iterator[Piece]:
    for mail in list_mail(home / "mailbox", last):
        yield Piece(mail.at, "email", mail.recipient, mail.subject, mail.text, mail.message_id)


def _texts(home: Path) -> Iterator[Piece]:
    for row in _rows(home / SMS):
        yield Piece(datetime.fromisoformat(row["at"]), "sms", row["to"], "", row["text"], row["sid"])


def _pushes(home: Path) -> Iterator[Piece]:
    for row in _rows(home / PUSHES):
        about = f"{row['tag']} {row['order_id']}"
        yield Piece(datetime.fromisoformat(row["at"]), "push", row["to"], row["title"], row["text"], about)


def _rows(path: Path) -> Iterator[dict[str, Any]]:
    """The lines of a file that are whole: the last may be about to be written."""
    if path.exists():
        for line in path.read_bytes().split(b"\n")[:-1]:
            yield msgspec.json.decode(line)
