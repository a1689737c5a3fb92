"""Contact view: how a customer is reached, and what the customer wants to hear of; the effects read it too."""

from datetime import datetime
from typing import assert_never

from msgspec import Struct
from msgspec.structs import replace

from events.event import Event
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
)
from projections.view import Projection


class ContactView(Struct, frozen=True):
    """How a customer is reached. `chosen` by kind and channel, such as `order/sms`; `devices` are platforms by id.

    `bounced` are addresses that nobody has, each with what its mail server said: no mail is sent there.
    """

    customer_id: str
    phone: str | None
    locale: str
    time_zone: str
    quiet: dict[str, str] | None
    chosen: dict[str, bool]
    devices: dict[str, str]
    push_addresses: dict[str, str]
    updated_at: datetime
    bounced: list[dict[str, str]] = []


def blank(customer_id: str, at: datetime) -> ContactView:
    """A customer who has said nothing."""
    return ContactView(customer_id, None, "en", "UTC", None, {}, {}, {}, at)


def project(view: ContactView | None, event: ContactEvent, at: datetime) -> ContactView | None:
    view = view or blank(event.customer_id, at)
    match event:
        case ContactDescribed():
            quiet = event.quiet.model_dump() if event.quiet else None
            changed = replace(view, phone=event.phone, locale=event.locale, time_zone=event.time_zone, quiet=quiet)
        case ChannelChosen():
            changed = replace(view, chosen={**view.chosen, f"{event.kind}/{event.channel}": event.wanted})
        case DeviceAdded():
            devices = {**view.devices, event.device_id: event.platform}
            addresses = {**view.push_addresses, event.device_id: event.push_address}
            changed = replace(view, devices=devices, push_addresses=addresses)
        case DeviceDropped():
            devices = {name: value for name, value in view.devices.items() if name != event.device_id}
            addresses = {name: value for name, value in view.push_addresses.items() if name != event.device_id}
            changed = replace(view, devices=devices, push_addresses=addresses)
        case ContactForgotten():
            changed = blank(event.customer_id, at)
        case AddressBounced():
            bounced = [*view.bounced, {"email": event.email, "reason": event.reason}]
            changed = replace(view, bounced=bounced[-MOST_BOUNCED:])
        case AddressesTrusted():
            changed = replace(view, bounced=[])
        case _:
            assert_never(event)
    return replace(changed, updated_at=at)


def key_of(event: Event) -> str | None:
    """The customer, of a contact's own events; messages to the customer change no contact."""
    return getattr(event, "customer_id", None) if event.tag.startswith(OWN) else None


OWN = "contact."

CONTACTS = Projection(
    name="contacts", context="notification", view=ContactView, key_of=key_of, project=project, version=2
)

ONE = "SELECT * FROM contacts WHERE customer_id = %(customer_id)s"
