"""Notification commands are what may be asked of one message to one person, and of how a customer is reached."""

from typing import Annotated, Any, Literal, TypeAlias
from zoneinfo import available_timezones

from pydantic import AfterValidator, Field, StringConstraints

from schemas.values import (
    A_FORM,
    AN_ID,
    OUR_WORDS,
    PERSONAL,
    SEALED_BEFORE,
    Command,
    CustomerId,
    Id,
    Name,
    Ours,
    Text,
    Uuid,
    Value,
)

Channel = Literal["email", "sms", "push"]
Kind = Literal["order", "account", "security", "marketing"]
"""What a message is about: customers choose by it."""
Locale = Annotated[str, StringConstraints(pattern=r"^[a-z]{2}(-[A-Z]{2})?$"), A_FORM]
Phone = Annotated[str, StringConstraints(pattern=r"^\+[1-9][0-9]{6,14}$"), PERSONAL]
"""A number in E.164."""
Clock = Annotated[str, StringConstraints(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$"), A_FORM]
"""A time of the day."""
Platform = Literal["fcm", "web"]

_ZONES = frozenset(available_timezones())


def _known(zone: str) -> str:
    if zone not in _ZONES:
        raise ValueError("is no time zone of the IANA's list, such as Europe/Berlin")
    return zone


TimeZone = Annotated[str, StringConstraints(max_length=64), AfterValidator(_known), A_FORM]


class Quiet(Value):
    """Hours of the customer's own clock in which nothing is to arrive; over midnight if they end before they begin."""

    begins: Clock
    ends: Clock


class _ToNotification(Command):
    notification_id: Uuid

    @property
    def stream(self) -> str:
        return f"notification-{self.notification_id}"


class RequestNotification(_ToNotification, tag="notification.request"):
    """Send a template, filled in, over a channel; `about` names what it tells of, such as `order-<uuid>`.

    Where a customer is named, and has said how to be reached, that decides over which ways it goes.
    """

    about: Annotated[Text, AN_ID]
    channel: Channel = "email"
    recipient: Annotated[str, SEALED_BEFORE]
    template: Id
    params: Annotated[dict[str, Any], SEALED_BEFORE]
    customer_id: Id = ""
    kind: Kind = "order"


class RecordDelivery(_ToNotification, tag="notification.record_delivery"):
    """The provider has taken the message."""


class RecordRefusal(_ToNotification, tag="notification.record_refusal"):
    """The provider will never take the message."""

    reason: Ours


class RecordRoute(_ToNotification, tag="notification.record_route"):
    """What the customer has chosen: the ways that the message goes, with the address of each, and why not the others.

    A way is `email`, `sms` or `push:<device>`.
    """

    ways: Annotated[dict[str, str], SEALED_BEFORE]
    skipped: Annotated[dict[str, str], OUR_WORDS] = Field(default_factory=dict)
    locale: Locale = "en"
    time_zone: Annotated[str, A_FORM] = "UTC"
    quiet: Quiet | None = None


class _OfWay(_ToNotification):
    way: Annotated[Id, StringConstraints(min_length=1, max_length=80)]


class RecordSending(_OfWay, tag="notification.record_sending"):
    """The provider has taken the message on one of its ways; `reference` is its name there."""

    reference: Id = ""


class RecordFailure(_OfWay, tag="notification.record_failure"):
    """The provider has not taken the message on this way; `final` if it never will."""

    reason: Ours
    final: bool = False


class RecordReport(_OfWay, tag="notification.record_report"):
    """The provider says what has become of a message that it had taken."""

    reference: Id
    arrived: bool
    reason: Ours = ""


class _ToContact(Command):
    customer_id: CustomerId

    @property
    def stream(self) -> str:
        return f"contact-{self.customer_id}"

    @property
    def person(self) -> str:
        return self.customer_id


class DescribeContact(_ToContact, tag="contact.describe"):
    """Say how a customer is reached, as a whole: what is left out is forgotten. Devices have commands of their own."""

    phone: Phone | None = None
    locale: Locale = "en"
    time_zone: TimeZone = "UTC"
    quiet: Quiet | None = None


class ChooseLanguage(_ToContact, tag="contact.choose_language"):
    """Write to a customer in this language; all else of how they are reached stays as it is."""

    locale: Locale


class ForgetContact(_ToContact, tag="contact.forget"):
    """Forget how a customer is reached, and what they have chosen."""


class ChooseChannel(_ToContact, tag="contact.choose_channel"):
    """Whether messages of a kind may come over a channel."""

    kind: Kind
    channel: Channel
    wanted: bool


class AddDevice(_ToContact, tag="contact.add_device"):
    """Let a device be pushed to.

    `push_address` is FCM's registration token, or a browser's subscription as JSON: endpoint, keys.p256dh, keys.auth.
    """

    device_id: Name
    platform: Platform
    push_address: Annotated[str, StringConstraints(min_length=1, max_length=2000), PERSONAL]


class DropDevice(_ToContact, tag="contact.drop_device"):
    """Push to this device no more; with a `fingerprint`, only if the address is still the one it is of."""

    device_id: Name
    fingerprint: Id = ""
    reason: Ours = ""


class RecordBounce(_ToContact, tag="contact.record_bounce"):
    """Nobody has this address, as its mail server says: it gets no mail until the customer has proved one anew."""

    email: Annotated[str, SEALED_BEFORE]
    reason: Ours


class TrustAddresses(_ToContact, tag="contact.trust_addresses"):
    """The customer has shown that mails reach them: what has bounced counts no more."""


NotificationCommand: TypeAlias = (
    RequestNotification | RecordDelivery | RecordRefusal | RecordRoute | RecordSending | RecordFailure | RecordReport
)
ContactCommand: TypeAlias = (
    DescribeContact
    | ChooseLanguage
    | ChooseChannel
    | AddDevice
    | DropDevice
    | ForgetContact
    | RecordBounce
    | TrustAddresses
)
