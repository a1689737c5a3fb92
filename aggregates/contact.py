"""Contact rules: how a customer is reached, and what the customer wants to hear of, over which channel.

Without a word from the customer, mails come of all but marketing; and so do messages to a phone number or a device that
the customer has given us for it. Security by mail cannot be turned off.
"""

from collections.abc import Mapping
from datetime import datetime, time, timedelta
from typing import Any, assert_never
from zoneinfo import ZoneInfo

from msgspec import Struct
from msgspec.structs import replace

from aggregates.errors import DeviceUnknown, SecurityMailStays, TooManyDevices
from events.event import Event
from events.ids import derive
from events.notification import (
    MOST_BOUNCED,
    AddressBounced,
    AddressesTrusted,
    ChannelChosen,
    ContactDescribed,
    ContactEvent,
    ContactForgotten,
    DeviceAdded,
    DeviceDropped,
    QuietHours,
)
from schemas.notification import (
    AddDevice,
    ChooseChannel,
    ChooseLanguage,
    DescribeContact,
    DropDevice,
    ForgetContact,
    RecordBounce,
    TrustAddresses,
)

MOST_DEVICES = 20


class Contact(Struct, frozen=True):
    """What the rules need to know of how a customer is reached; devices by id, with the fingerprints of addresses.

    `bounced` are e-mail addresses that nobody has.
    """

    phone: str | None = None
    locale: str = "en"
    time_zone: str = "UTC"
    quiet: tuple[str, str] | None = None
    chosen: dict[str, bool] = {}
    devices: dict[str, str] = {}
    bounced: tuple[str, ...] = ()


def evolve(contact: Contact, event: ContactEvent) -> Contact:
    match event:
        case ContactDescribed():
            quiet = (event.quiet.begins, event.quiet.ends) if event.quiet else None
            return replace(contact, phone=event.phone, locale=event.locale, time_zone=event.time_zone, quiet=quiet)
        case ChannelChosen():
            return replace(contact, chosen={**contact.chosen, key_of(event.kind, event.channel): event.wanted})
        case DeviceAdded():
            print_ = fingerprint(event.platform, event.push_address)
            return replace(contact, devices={**contact.devices, event.device_id: print_})
        case DeviceDropped():
            left = {device: known for device, known in contact.devices.items() if device != event.device_id}
            return replace(contact, devices=left)
        case ContactForgotten():
            return Contact()
        case AddressBounced():
            return replace(contact, bounced=(*contact.bounced, event.email)[-MOST_BOUNCED:])
        case AddressesTrusted():
            return replace(contact, bounced=())
        case _:
            assert_never(event)


def describe(command: DescribeContact, contact: Contact) -> list[Event]:
    quiet = QuietHours(begins=command.quiet.begins, ends=command.quiet.ends) if command.quiet else None
    described = ContactDescribed(**{**dict(command), "quiet": quiet})
    return [] if evolve(contact, described) == contact else [described]


def choose_language(command: ChooseLanguage, contact: Contact) -> list[Event]:
    if command.locale == contact.locale:
        return []
    quiet = QuietHours(begins=contact.quiet[0], ends=contact.quiet[1]) if contact.quiet else None
    return [ContactDescribed(**dict(command), phone=contact.phone, time_zone=contact.time_zone, quiet=quiet)]


def forget(command: ForgetContact, contact: Contact) -> list[Event]:
    return [] if contact == Contact() else [ContactForgotten(customer_id=command.customer_id)]


def choose(command: ChooseChannel, contact: Contact) -> list[Event]:
    if (command.kind, command.channel, command.wanted) == ("security", "email", False):
        raise SecurityMailStays
    if contact.chosen.get(key_of(command.kind, command.channel)) is command.wanted:
        return []
    return [ChannelChosen(**dict(command))]


def add_device(command: AddDevice, contact: Contact) -> list[Event]:
    if contact.devices.get(command.device_id) == fingerprint(command.platform, command.push_address):
        return []
    if command.device_id not in contact.devices and len(contact.devices) >= MOST_DEVICES:
        raise TooManyDevices
    return [DeviceAdded(**dict(command))]


def drop_device(command: DropDevice, contact: Contact) -> list[Event]:
    known = contact.devices.get(command.device_id)
    if known is None or command.fingerprint not in ("", known):
        if command.fingerprint:
            return []  # it has another address by now, or none: the news is old
        raise DeviceUnknown
    return [
        DeviceDropped(
            customer_id=command.customer_id, device_id=command.device_id, reason=command.reason or "asked for"
        )
    ]


def record_bounce(command: RecordBounce, contact: Contact) -> list[Event]:
    return [] if command.email in contact.bounced else [AddressBounced(**dict(command))]


def trust_addresses(command: TrustAddresses, contact: Contact) -> list[Event]:
    return [AddressesTrusted(customer_id=command.customer_id)] if contact.bounced else []


def fingerprint(platform: str, push_address: str) -> str:
    """What tells one address of a device from another without telling it."""
    return derive(f"push-address/{platform}", push_address)


def key_of(kind: str, channel: str) -> str:
    """A choice's name, such as `order/sms`."""
    return f"{kind}/{channel}"


def wants(chosen: Mapping[str, bool], kind: str, channel: str) -> bool:
    """Whether messages of a kind may come over a channel."""
    return chosen.get(key_of(kind, channel), kind != "marketing")


def due(at: datetime, time_zone: str, quiet: tuple[str, str] | None) -> datetime | None:
    """When the quiet hours end in which a moment falls; None if it falls in none.

    Where the clock is put back, the end's first coming counts; where it jumps over the end, the same number of minutes
    after midnight as if it had not.
    """
    if quiet is None:
        return None
    begins, ends = (time.fromisoformat(text) for text in quiet)
    there = at.astimezone(ZoneInfo(time_zone))
    clock = there.time().replace(tzinfo=None)
    if not (begins <= clock < ends if begins <= ends else clock >= begins or clock < ends):
        return None
    day = there.date() + timedelta(days=1) if begins > ends and clock >= begins else there.date()
    end = datetime.combine(day, ends, ZoneInfo(time_zone)).astimezone(at.tzinfo)
    return end if end > at else None


RULES: dict[type[Any], Any] = {
    DescribeContact: describe,
    ChooseLanguage: choose_language,
    ChooseChannel: choose,
    AddDevice: add_device,
    DropDevice: drop_device,
    RecordBounce: record_bounce,
    TrustAddresses: trust_addresses,
    ForgetContact: forget,
}
