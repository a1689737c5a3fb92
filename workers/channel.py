"""Channel is a way to a person, as a port; adapters: mail.py, twilio.py, fcm.py, web_push.py, and twins in memory.

A message's id is its idempotency key, where the provider takes one; docs/notifications.md says of each whether it does.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Delivered:
    """The provider has the message; the reference is its name there."""

    reference: str


@dataclass(frozen=True, slots=True)
class Refused:
    """The provider will never take this message; `gone` if it says that this address is nobody's any more."""

    reason: str
    gone: bool = False


class MailUnavailable(Exception):
    """The message could not be handed over now, or nobody knows whether it was: come again with the same id."""


@dataclass(frozen=True, slots=True)
class Manner:
    """How a message is said: in which language, and where a reader asks for no more of its kind."""

    locale: str = "en"
    unsubscribe: str = ""


PLAIN = Manner()


class Channel(Protocol):
    """One way to a person. The notification's id is the idempotency key."""

    async def deliver(
        self,
        notification_id: UUID | str,
        recipient: str,
        template: str,
        params: Mapping[str, Any],
        manner: Manner = PLAIN,
    ) -> Delivered | Refused:
        """Hand one message over.

        Raises:
            MailUnavailable: if it should be tried again.
            CircuitOpen: if nobody is asked at present.
        """

    async def aclose(self) -> None:
        """Let connections go."""


class Mailer(Protocol):
    """All ways to a person."""

    async def deliver(
        self,
        notification_id: UUID | str,
        channel: str,
        recipient: str,
        template: str,
        params: Mapping[str, Any],
        manner: Manner = PLAIN,
    ) -> Delivered | Refused:
        """Hand one message over by a channel: email, sms, fcm or web.

        Raises:
            MailUnavailable, CircuitOpen: as Channel.deliver.
        """

    async def aclose(self) -> None:
        """Let connections go."""


class ByChannel:
    """The mailer that looks the channel up; one that is not set up refuses, and the order goes on without it."""

    def __init__(self, channels: Mapping[str, Channel]) -> None:
        self._channels = dict(channels)

    async def deliver(
        self,
        notification_id: UUID | str,
        channel: str,
        recipient: str,
        template: str,
        params: Mapping[str, Any],
        manner: Manner = PLAIN,
    ) -> Delivered | Refused:
        """Hand one message over by a channel."""
        if (way := self._channels.get(channel)) is None:
            return Refused(f"no channel {channel}")
        return await way.deliver(notification_id, recipient, template, params, manner)

    async def aclose(self) -> None:
        """Let all channels' connections go."""
        await asyncio.gather(*(channel.aclose() for channel in self._channels.values()))
