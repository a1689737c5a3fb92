"""Sending is how a requested message leaves the house: at once, or routed and then sent on each of its ways."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

from aggregates.contact import fingerprint, wants
from aggregates.decider import Todo
from aggregates.notification import Notification
from projections.contact import ContactView, blank
from schemas.notification import (
    DropDevice,
    NotificationCommand,
    Quiet,
    RecordDelivery,
    RecordFailure,
    RecordRefusal,
    RecordRoute,
    RecordSending,
)
from workers.channel import Mailer, MailUnavailable, Manner, Refused
from workers.contacts import NOBODY, Contacts

Effect = Callable[[str, Notification, Todo], Awaitable[NotificationCommand]]
Links = Callable[[str, str], str]
"""Where a customer asks for no more mails of a kind; empty if nowhere."""


def no_links(_: str, __: str) -> str:
    """The API's address is not known."""
    return ""


def ways(message: Notification, contact: ContactView) -> tuple[dict[str, str], dict[str, str]]:
    """The ways to a customer with the address of each, and by channel why not the others."""
    if message.kind == "security":
        return {"email": message.recipient}, dict.fromkeys(("sms", "push"), "security goes by mail")
    found, skipped = {"email": message.recipient}, dict[str, str]()
    if contact.phone:
        found["sms"] = contact.phone
    else:
        skipped["sms"] = "no phone number"
    found |= {f"push:{device}": device for device in contact.devices}
    if not contact.devices:
        skipped["push"] = "no device"
    unwanted = {name for name in found if not wants(contact.chosen, message.kind, name.partition(":")[0])}
    skipped |= {name.partition(":")[0]: "not wanted" for name in unwanted}
    return {name: address for name, address in found.items() if name not in unwanted}, skipped


def effects(mailer: Mailer, contacts: Contacts = NOBODY, links: Links = no_links) -> dict[str, Effect]:
    """How a requested message is delivered, or routed and then sent on each of its ways."""

    def manner(message: Notification) -> Manner:
        if not message.customer_id or message.kind == "security":
            return Manner(message.locale)
        return Manner(message.locale, links(message.customer_id, message.kind))

    async def deliver(stream: str, message: Notification, _: Todo) -> NotificationCommand:
        notification_id = _id_of(stream)
        contact = await contacts.of(message.customer_id) if message.customer_id else None
        if contact or message.kind == "marketing":  # which nobody gets unasked
            return _routed(notification_id, message, contact or SILENT)
        answer = await mailer.deliver(
            notification_id, message.channel, message.recipient, message.template, message.params, manner(message)
        )
        if isinstance(answer, Refused):
            return RecordRefusal(notification_id=notification_id, reason=answer.reason)
        return RecordDelivery(notification_id=notification_id)

    async def send(stream: str, message: Notification, todo: Todo) -> NotificationCommand:
        """What the customer has chosen since counts: a night may lie between."""
        notification_id, name = _id_of(stream), todo.key.removeprefix("send:").rpartition(":")[0]
        said: dict[str, Any] = {"notification_id": notification_id, "way": name}
        contact = await contacts.of(message.customer_id)
        if contact is None:
            return RecordFailure(**said, reason="nobody knows any more how the customer is reached")
        address = ways(message, contact)[0].get(name)
        if address is None:
            return RecordFailure(**said, reason="not wanted any more", final=True)
        channel, _, device = name.partition(":")
        if device:
            channel, address = contact.devices[device], contact.push_addresses[device]
        try:
            answer = await mailer.deliver(
                notification_id, channel, address, message.template, message.params, manner(message)
            )
        except MailUnavailable as error:
            return RecordFailure(**said, reason=str(error))
        if not isinstance(answer, Refused):
            return RecordSending(**said, reference=answer.reference)
        if answer.gone and device:
            known = fingerprint(channel, address)
            gone = DropDevice(
                customer_id=contact.customer_id, device_id=device, fingerprint=known, reason=answer.reason
            )
            await contacts.drop(gone, f"{notification_id}/{name}")
        return RecordFailure(**said, reason=answer.reason, final=True)

    return {"deliver": deliver, "send": send}


SILENT = blank("", datetime.min.replace(tzinfo=UTC))


def _routed(notification_id: str, message: Notification, contact: ContactView) -> RecordRoute:
    chosen, skipped = ways(message, contact)
    return RecordRoute(
        notification_id=notification_id,
        ways=chosen,
        skipped=skipped,
        locale=contact.locale,
        time_zone=contact.time_zone,
        quiet=Quiet(**contact.quiet) if contact.quiet else None,
    )


def _id_of(stream: str) -> str:
    return stream.removeprefix("notification-")
