"""Notification events are what has happened to one message to one person, and to how a customer is reached."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, TypeAlias

from pydantic import BaseModel, ConfigDict

from events.event import Event


class QuietHours(BaseModel):
    """Hours of the customer's own clock, as recorded: `22:00` to `07:00`."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    begins: str
    ends: str


class _OfNotification(Event):
    notification_id: str

    @property
    def stream(self) -> str:
        return f"notification-{self.notification_id}"


class NotificationRequested(_OfNotification, tag="notification.requested.v1"):
    about: str
    channel: str
    recipient: str
    template: str
    params: dict[str, Any]
    customer_id: str = ""
    kind: str = "order"


class NotificationDelivered(_OfNotification, tag="notification.delivered.v1"):
    """The provider has taken the message, which went the one way that it was requested for."""


class NotificationRefused(_OfNotification, tag="notification.refused.v1"):
    reason: str


class NotificationRouted(_OfNotification, tag="notification.routed.v1"):
    """The customer's choice: these ways, with the address of each, not before `due_at`; why not the others."""

    ways: dict[str, str]
    skipped: dict[str, str]
    locale: str
    due_at: datetime | None


class NotificationSuppressed(_OfNotification, tag="notification.suppressed.v1"):
    """The customer wants none of it; why, by channel."""

    skipped: dict[str, str]


class _OnWay(_OfNotification):
    way: str


class NotificationSent(_OnWay, tag="notification.sent.v1"):
    """The provider has the message, and calls it so."""

    reference: str


class NotificationDeferred(_OnWay, tag="notification.deferred.v1"):
    """The provider did not take it this time; it is offered again when it is due."""

    reason: str
    attempts: int
    due_at: datetime


class NotificationDeclined(_OnWay, tag="notification.declined.v1"):
    """The provider will never take it, or has been asked often enough."""

    reason: str
    attempts: int


class NotificationArrived(_OnWay, tag="notification.arrived.v1"):
    """The provider says that the person has it."""


class NotificationBounced(_OnWay, tag="notification.bounced.v1"):
    """The provider took it, and could not hand it over."""

    reason: str


class _OfContact(Event):
    customer_id: str

    @property
    def stream(self) -> str:
        return f"contact-{self.customer_id}"


class ContactDescribed(_OfContact, tag="contact.described.v1"):
    """How a customer is reached, as a whole."""

    phone: str | None
    locale: str
    time_zone: str
    quiet: QuietHours | None


class ChannelChosen(_OfContact, tag="contact.channel_chosen.v1"):
    kind: str
    channel: str
    wanted: bool


class DeviceAdded(_OfContact, tag="contact.device_added.v1"):
    """Also of a device that was there, with another address."""

    device_id: str
    platform: str
    push_address: str


class DeviceDropped(_OfContact, tag="contact.device_dropped.v1"):
    device_id: str
    reason: str


class ContactForgotten(_OfContact, tag="contact.forgotten.v1"):
    """Nothing of what the customer has said counts any more."""


class AddressBounced(_OfContact, tag="contact.address_bounced.v1"):
    """Nobody has this address, as its mail server says for good."""

    email: str
    reason: str


class AddressesTrusted(_OfContact, tag="contact.addresses_trusted.v1"):
    """Mails reach the customer again: no address of theirs counts as one that nobody has."""


NotificationEvent: TypeAlias = (
    NotificationRequested
    | NotificationDelivered
    | NotificationRefused
    | NotificationRouted
    | NotificationSuppressed
    | NotificationSent
    | NotificationDeferred
    | NotificationDeclined
    | NotificationArrived
    | NotificationBounced
)
ContactEvent: TypeAlias = (
    ContactDescribed
    | ChannelChosen
    | DeviceAdded
    | DeviceDropped
    | ContactForgotten
    | AddressBounced
    | AddressesTrusted
)
MOST_BOUNCED = 20
"""Addresses of a customer that are known to be nobody's; of more, the latest."""

_BEST_FIRST = ("delivered", "sent", "requested", "bounced", "declined")


def overall(ways: Mapping[str, str]) -> str:
    """What can be said of a message by where its ways stand: the best of them; `routed` if that is still to be gone."""
    best = min(ways.values(), key=_BEST_FIRST.index)
    return "routed" if best == "requested" else best
