"""Mail takes a notification to a person over SMTP; beside it a twin in memory."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from email.charset import QP, Charset
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage, Message
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText
from email.utils import formatdate
from typing import Any
from uuid import UUID

from aiosmtplib import (
    SMTP,
    SMTPDataError,
    SMTPException,
    SMTPNotSupported,
    SMTPRecipientsRefused,
    SMTPResponseException,
    SMTPSenderRefused,
)

from events.failpoints import reach
from events.tracing import Fact, span
from projections.wording import WordingError, words
from schemas.mail import enhanced, is_nobodys, message_id
from workers.channel import PLAIN, Delivered, MailUnavailable, Manner, Refused

OUR_FAULT = (530, 534, 535)

UTF8 = Charset("utf-8")
UTF8.body_encoding = QP  # base64 would be unreadable in the mailbox's files


def compose(
    notification_id: UUID | str,
    sender: str,
    recipient: str,
    template: str,
    params: Mapping[str, Any],
    manner: Manner = PLAIN,
) -> Message:
    """The mail; its Message-ID follows from the notification's id, so that a repeat can be told.

    Where it can be unsubscribed from, a mail program may do so with one click (RFC 8058).

    Raises:
        WordingError: if the template cannot be filled in.
        ValueError: if an address is none.
    """
    said = words(template, "email", manner.locale, params, manner.unsubscribe)
    headers = {
        "Message-ID": message_id(notification_id, sender),
        "Date": formatdate(),
        "From": sender,
        "To": str(_address(recipient)),
        "Subject": said.subject,
        "Content-Language": said.locale,
    }
    if manner.unsubscribe:
        headers["List-Unsubscribe"] = f"<{manner.unsubscribe}>"
        headers["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    if recipient.isascii():
        # The older of the two classes: it does not parse what it writes, and takes a sixth of the time.
        message: Message = MIMEMultipart("alternative", _subparts=[_part(said.text, "plain"), _part(said.html, "html")])
    else:
        message = EmailMessage()
        message.set_content(said.text)
        message.add_alternative(said.html, subtype="html")
    for name, value in headers.items():
        message[name] = value
    return message


def _part(text: str, kind: str) -> MIMEText:
    return MIMEText(text, kind, UTF8)  # type: ignore[arg-type]  # its stub knows names only


def _address(recipient: str) -> Address:
    try:
        address = Address(addr_spec=recipient)
    except (MessageError, IndexError) as error:
        raise ValueError(f"bad address {recipient!r}") from error
    if not (address.username and address.domain):
        raise ValueError(f"bad address {recipient!r}")
    return address


class SmtpChannel:
    """E-mail over SMTP, with a few connections that are used again."""

    def __init__(
        self,
        host: str,
        port: int,
        sender: str,
        *,
        username: str | None = None,
        password: str | None = None,
        use_tls: bool = False,
        timeout_seconds: float = 10.0,
        connections: int = 4,
    ) -> None:
        self._sender = sender
        self._options: dict[str, Any] = {
            "hostname": host,
            "port": port,
            "username": username,
            "password": password,
            "use_tls": use_tls,
            "timeout": timeout_seconds,
        }
        self._facts: dict[str, Fact] = {"network.protocol.name": "smtp", "server.address": host, "server.port": port}
        self._idle: list[SMTP] = []
        self._room = asyncio.Semaphore(connections)

    async def deliver(
        self,
        notification_id: UUID | str,
        recipient: str,
        template: str,
        params: Mapping[str, Any],
        manner: Manner = PLAIN,
    ) -> Delivered | Refused:
        """Hand one mail to the server; 5xx refuses it, all else that goes wrong is for another time."""
        try:
            message = compose(notification_id, self._sender, recipient, template, params, manner)
            async with self._room:
                with span("notification", "send mail", "client", facts=self._facts):
                    await self._send(message, recipient)
        except (WordingError, ValueError, SMTPNotSupported) as error:
            return Refused(str(error))
        except (SMTPException, OSError) as error:
            return _refusal(error)
        return Delivered(message["Message-ID"])

    async def aclose(self) -> None:
        """Let idle connections go."""
        while self._idle:
            self._idle.pop().close()

    async def _send(self, message: Message, recipient: str) -> None:
        client = await self._connected()
        try:
            reach("mail.sending")
            await client.send_message(message, sender=self._sender, recipients=[recipient])
            reach("mail.accepted")
        except (SMTPResponseException, SMTPRecipientsRefused):
            self._idle.append(client)  # the server said no in due form: the connection is good
            raise
        except BaseException:
            client.close()  # in the middle of who knows what
            raise
        self._idle.append(client)

    async def _connected(self) -> SMTP:
        while self._idle:
            client = self._idle.pop()
            if client.is_connected:
                return client
            client.close()
        client = SMTP(**self._options)
        await client.connect()
        return client


def _refusal(error: SMTPException | OSError) -> Refused:
    """A no for good, where the server said so of this very mail; otherwise raises MailUnavailable."""
    said = error.recipients[0] if isinstance(error, SMTPRecipientsRefused) else error
    if isinstance(said, SMTPResponseException):
        of_this_mail = isinstance(error, SMTPRecipientsRefused | SMTPSenderRefused | SMTPDataError)
        if of_this_mail and said.code >= 500 and said.code not in OUR_FAULT:
            of_address = isinstance(error, SMTPRecipientsRefused)
            gone = of_address and is_nobodys(enhanced(said.message), said.code)
            return Refused(f"{said.code} {said.message}", gone)
    raise MailUnavailable(f"{type(error).__name__} {error}".strip()) from error


@dataclass(frozen=True, slots=True)
class Letter:
    """A mail that the twin holds."""

    recipient: str
    subject: str
    text: str
    unsubscribe: str = ""


class InProcessMailbox:
    """The twin of an e-mail channel: keeps each notification once, in memory, and counts repeats."""

    def __init__(self, sender: str = "orders@orderlog.example") -> None:
        self.letters: dict[str, Letter] = {}
        self.repeats = 0
        self._sender = sender

    async def deliver(
        self,
        notification_id: UUID | str,
        recipient: str,
        template: str,
        params: Mapping[str, Any],
        manner: Manner = PLAIN,
    ) -> Delivered | Refused:
        """Keep one mail."""
        try:
            message = compose(notification_id, self._sender, recipient, template, params, manner)
        except (WordingError, ValueError) as error:
            return Refused(str(error))
        said = words(template, "email", manner.locale, params, manner.unsubscribe)
        reference = str(message["Message-ID"])
        self.repeats += reference in self.letters
        letter = Letter(recipient, said.subject, said.text, manner.unsubscribe)
        self.letters.setdefault(reference, letter)
        return Delivered(reference)

    def of(self, notification_id: UUID | str) -> list[Letter]:
        """What was kept for one notification: one letter or none."""
        letter = self.letters.get(message_id(notification_id, self._sender))
        return [letter] if letter else []

    async def aclose(self) -> None:
        """Nothing to let go."""
