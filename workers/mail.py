"""Mail takes a notification to a person: one port for all channels, SMTP as the first of them, and a twin in memory."""

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
from typing import Any, Protocol
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
from jinja2 import PackageLoader, StrictUndefined, TemplateError, select_autoescape
from jinja2.sandbox import SandboxedEnvironment

from events.failpoints import reach
from events.tracing import Fact, span

DECIMALS = {"JPY": 0, "KRW": 0, "CLP": 0, "ISK": 0, "VND": 0, "BHD": 3, "KWD": 3, "OMR": 3, "TND": 3, "JOD": 3}
OUR_FAULT = (530, 534, 535)

UTF8 = Charset("utf-8")
UTF8.body_encoding = QP  # base64 would be unreadable in the mailbox's files


@dataclass(frozen=True, slots=True)
class Delivered:
    """The provider has the message; the reference is its name there."""

    reference: str


@dataclass(frozen=True, slots=True)
class Refused:
    """The provider will never take this message."""

    reason: str


class MailUnavailable(Exception):
    """The message could not be handed over now, or nobody knows whether it was: come again with the same id."""


class Channel(Protocol):
    """One way to a person. The notification's id is the idempotency key."""

    async def deliver(
        self, notification_id: UUID | str, recipient: str, template: str, params: Mapping[str, Any]
    ) -> Delivered | Refused:
        """Hand one message over.

        Raises:
            MailUnavailable: if it should be tried again.
        """

    async def aclose(self) -> None:
        """Let connections go."""


class Mailer(Protocol):
    """All ways to a person."""

    async def deliver(
        self, notification_id: UUID | str, channel: str, recipient: str, template: str, params: Mapping[str, Any]
    ) -> Delivered | Refused:
        """Hand one message over by a channel: email, sms or push.

        Raises:
            MailUnavailable: if it should be tried again.
        """

    async def aclose(self) -> None:
        """Let connections go."""


class ByChannel:
    """The mailer that looks the channel up; one that is not set up refuses, and the order goes on without it."""

    def __init__(self, channels: Mapping[str, Channel]) -> None:
        self._channels = dict(channels)

    async def deliver(
        self, notification_id: UUID | str, channel: str, recipient: str, template: str, params: Mapping[str, Any]
    ) -> Delivered | Refused:
        """Hand one message over by a channel."""
        if (way := self._channels.get(channel)) is None:
            return Refused(f"no channel {channel}")
        return await way.deliver(notification_id, recipient, template, params)

    async def aclose(self) -> None:
        """Let all channels' connections go."""
        await asyncio.gather(*(channel.aclose() for channel in self._channels.values()))


def money(amount: int, currency: str) -> str:
    """An amount in minor units as people write it, such as 12.99 EUR."""
    decimals = DECIMALS.get(currency, 2)
    sign, digits = "-" if amount < 0 else "", str(abs(amount)).rjust(decimals + 1, "0")
    whole, cents = digits[: len(digits) - decimals], digits[len(digits) - decimals :]
    return f"{sign}{whole}{'.' if cents else ''}{cents} {currency}"


# Sandboxed, since what fills a template comes from outside; strict, since a mail with gaps is worse than none.
TEMPLATES = SandboxedEnvironment(
    loader=PackageLoader("workers", "templates"),
    autoescape=select_autoescape(("html",)),
    undefined=StrictUndefined,
    auto_reload=False,
    trim_blocks=True,
    lstrip_blocks=True,
)
TEMPLATES.filters["money"] = money


def render(template: str, params: Mapping[str, Any]) -> tuple[str, str, str]:
    """Subject, text and HTML; the text template's first line is the subject.

    Raises:
        TemplateError: if there is no such template, or a parameter that it needs is missing.
    """
    subject, _, text = TEMPLATES.get_template(f"{template}.txt").render(params).partition("\n")
    html = TEMPLATES.get_template(f"{template}.html").render(params)
    return " ".join(subject.split()), f"{text.strip()}\n", html


def compose(
    notification_id: UUID | str, sender: str, recipient: str, template: str, params: Mapping[str, Any]
) -> Message:
    """The mail; its Message-ID follows from the notification's id, so that a repeat can be told.

    Raises:
        TemplateError: if the template cannot be filled in.
        ValueError: if an address is none.
    """
    subject, text, html = render(template, params)
    headers = {
        "Message-ID": _message_id(notification_id, sender),
        "Date": formatdate(),
        "From": sender,
        "To": str(_address(recipient)),
        "Subject": subject,
    }
    if recipient.isascii():
        # The older of the two classes: it does not parse what it writes, and takes a sixth of the time.
        message: Message = MIMEMultipart("alternative", _subparts=[_part(text, "plain"), _part(html, "html")])
    else:
        message = EmailMessage()
        message.set_content(text)
        message.add_alternative(html, subtype="html")
    for name, value in headers.items():
        message[name] = value
    return message


def _part(text: str, kind: str) -> MIMEText:
    return MIMEText(text, kind, UTF8)  # type: ignore[arg-type]  # its stub knows names only


def _message_id(notification_id: UUID | str, sender: str) -> str:
    return f"<{notification_id}@{sender.rpartition('@')[2]}>"


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
        self, notification_id: UUID | str, recipient: str, template: str, params: Mapping[str, Any]
    ) -> Delivered | Refused:
        """Hand one mail to the server; 5xx refuses it, all else that goes wrong is for another time."""
        try:
            message = compose(notification_id, self._sender, recipient, template, params)
            async with self._room:
                with span("notification", "send mail", "client", facts=self._facts):
                    await self._send(message, recipient)
        except (TemplateError, ValueError, SMTPNotSupported) as error:
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
            return Refused(f"{said.code} {said.message}")
    raise MailUnavailable(f"{type(error).__name__} {error}".strip()) from error


@dataclass(frozen=True, slots=True)
class Letter:
    """A mail that the twin holds."""

    recipient: str
    subject: str
    text: str


class InProcessMailbox:
    """The twin of an e-mail channel: keeps each notification once, in memory, and counts repeats."""

    def __init__(self, sender: str = "orders@orderlog.example") -> None:
        self.letters: dict[str, Letter] = {}
        self.repeats = 0
        self._sender = sender

    async def deliver(
        self, notification_id: UUID | str, recipient: str, template: str, params: Mapping[str, Any]
    ) -> Delivered | Refused:
        """Keep one mail."""
        try:
            message = compose(notification_id, self._sender, recipient, template, params)
        except (TemplateError, ValueError) as error:
            return Refused(str(error))
        reference, (subject, text, _) = str(message["Message-ID"]), render(template, params)
        self.repeats += reference in self.letters
        letter = Letter(recipient, subject, text)
        self.letters.setdefault(reference, letter)
        return Delivered(reference)

    def of(self, notification_id: UUID | str) -> list[Letter]:
        """What was kept for one notification: one letter or none."""
        letter = self.letters.get(_message_id(notification_id, self._sender))
        return [letter] if letter else []

    async def aclose(self) -> None:
        """Nothing to let go."""
