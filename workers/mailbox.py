"""The mailbox is a mail server for development: what it accepts becomes a file, once per Message-ID.

`python -m workers.mailbox --port 1025 --folder mail` listens. `nobody@…` is an address that it does not have (550), and
mail to `bounces@…` is taken and comes back: with `--reports URL --secret SECRET` it is reported as a provider does. The
file `mode` in the folder, or the environment's ORDERLOG_MAILBOX_MODE, makes it misbehave: `refuse` (550), `busy` (451)
or `drop` (takes the mail, then hangs up before it says so); a number after the word, such as `busy 3`, says for how
many mails.
"""

import argparse
import asyncio
import hashlib
import os
import re
import signal
from dataclasses import dataclass
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from email.parser import BytesHeaderParser
from pathlib import Path
from typing import Any, Literal
from uuid import uuid4

from workers.bounces import Reports

Mode = Literal["normal", "refuse", "busy", "drop"]
NOBODY, BOUNCES = "nobody@", "bounces@"
ANSWERS = {"refuse": "550 5.1.1 no such mailbox", "busy": "451 4.3.0 try again later"}


@dataclass(frozen=True, slots=True)
class Mail:
    """One stored mail; `repeats` counts the times it came again."""

    message_id: str
    recipient: str
    subject: str
    text: str
    at: datetime
    repeats: int
    path: Path


def list_mail(folder: Path, last: int | None = None) -> list[Mail]:
    """What the mailbox holds, oldest first; all of it, or only the last so many."""
    paths = sorted(folder.glob("*.eml"), key=lambda path: (path.stat().st_mtime_ns, path.name))
    return [_read(path) for path in (paths if last is None else paths[-last:] if last else [])]


def set_mode(folder: Path, mode: Mode, mails: int | None = None) -> None:
    """Make the mailbox of this folder misbehave, for so many mails or until told otherwise."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "mode.new").write_text(mode if mails is None else f"{mode} {mails}")
    os.replace(folder / "mode.new", folder / "mode")


def store(folder: Path, content: bytes) -> None:
    """Write a mail, whole or not at all; one that is there already is counted instead.

    Not synced: it outlives the process, and the disk is left to those who share it.
    """
    path = folder / f"{_name(BytesHeaderParser().parsebytes(content)['Message-ID'])}.eml"
    draft = folder / f"{uuid4().hex}.draft"
    draft.write_bytes(content)
    try:
        # A link, unlike a rename, fails where the name is taken: of two at once, one is the repeat.
        os.link(draft, path)
    except FileExistsError:
        with path.with_suffix(".again").open("ab") as repeats:
            repeats.write(b".")
    finally:
        draft.unlink()


def _parsed(content: bytes) -> EmailMessage:
    # mypy takes the policy's message for the older class.
    message: Any = message_from_bytes(content, policy=policy.default)
    return message  # type: ignore[no-any-return]


def _read(path: Path) -> Mail:
    message = _parsed(path.read_bytes())
    body = message.get_body(("plain",))
    again = path.with_suffix(".again")
    return Mail(
        message_id=str(message["Message-ID"] or ""),
        recipient=str(message["To"] or ""),
        subject=str(message["Subject"] or ""),
        text=body.get_content().replace("\r\n", "\n") if body else "",
        at=datetime.fromtimestamp(path.stat().st_mtime, UTC),
        repeats=again.stat().st_size if again.exists() else 0,
        path=path,
    )


def _name(message_id: str | None) -> str:
    """A file name that a person recognizes; the digest keeps apart what the cleaning would confuse."""
    if not message_id:
        return uuid4().hex
    clean = re.sub(r"[^A-Za-z0-9._@-]+", "_", message_id.strip().strip("<>"))[:80]
    return f"{clean}-{hashlib.sha256(message_id.strip().encode()).hexdigest()[:8]}"


class Handler:
    """What aiosmtpd asks at each step of a mail."""

    def __init__(self, folder: Path, reports: Reports | None = None) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder, self._reports = folder, reports

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:  # noqa: N802
        """Say no here, before the mail itself is sent, where the mode wants it."""
        mode = self._mode()
        if address.startswith(NOBODY):
            return ANSWERS["refuse"]
        if mode in ANSWERS:
            self._count_down()
            return ANSWERS[mode]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        """Store the mail, then say so: never the other way round."""
        if lost := [address for address in envelope.rcpt_tos if address.startswith(BOUNCES)]:
            if self._reports:
                self._reports.bounce(envelope.content, lost[0])
            return "250 OK"
        store(self._folder, envelope.content)
        if self._mode() == "drop":
            self._count_down()
            server.transport.abort()
        return "250 OK"

    def _words(self) -> list[str]:
        path = self._folder / "mode"
        text = path.read_text() if path.exists() else os.environ.get("ORDERLOG_MAILBOX_MODE", "")
        return text.split() or ["normal"]

    def _mode(self) -> str:
        return self._words()[0]

    def _count_down(self) -> None:
        mode, *rest = self._words()
        if rest:
            left = int(rest[0]) - 1
            set_mode(self._folder, mode, left) if left else set_mode(self._folder, "normal")  # type: ignore[arg-type]


async def serve(host: str, port: int, folder: Path, reports: Reports | None = None) -> None:
    """Listen until a signal comes."""
    # Only the server needs aiosmtpd, of the extra `local`; reading the folder does not.
    from aiosmtpd.smtp import SMTP

    handler, loop, over = Handler(folder, reports), asyncio.get_running_loop(), asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, over.set)
    server = await loop.create_server(
        lambda: SMTP(handler, hostname="mailbox.local", ident="orderlog mailbox", enable_SMTPUTF8=True), host, port
    )
    async with server:
        await over.wait()


def main() -> None:
    """Read the arguments and serve."""
    parser = argparse.ArgumentParser(prog="python -m workers.mailbox", description="A mail server that keeps all.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--folder", type=Path, required=True, help="folder of the stored mail; made if missing")
    parser.add_argument("--reports", help="URL that is told of mails that come back")
    parser.add_argument("--secret", default="", help="what that is signed with")
    given = parser.parse_args()
    reports = Reports(given.reports, given.secret) if given.reports else None
    asyncio.run(serve(given.host, given.port, given.folder, reports))


if __name__ == "__main__":
    main()
