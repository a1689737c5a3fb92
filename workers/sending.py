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
    RecordBounce,
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


PROVING = "verify_email"
"""The mail that proves an address goes there whatever has bounced."""
BOUNCED = "nobody has the address"


def ways(message: Notification, contact: ContactView) -> tuple[dict[str, str], dict[str, str]]:
    """The ways to a customer with the address of each, and by channel why not the others."""
    found, skipped = _wanted(message, contact)
    said = {each["email"]: each["reason"] for each in contact.bounced}.get(message.recipient)
    if "email" not in found or said is None or message.template == PROVING:
        return found, skipped
    left = {name: address for name, address in found.items() if name != "email"}
    return left, {**skipped, "email": f"{BOUNCED}: {said}"}


def _wanted(message: Notification, contact: ContactView) -> tuple[dict[str, str], dict[str, str]]:
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

    async def note(answer: Refused, message: Notification, notification_id: str) -> None:
        """Keep in mind that nobody has a customer's address, where that was the reason."""
        if answer.gone and message.customer_id and message.channel == "email":
            bounce = RecordBounce(
                customer_id=message.customer_id, email=message.recipient, reason=answer.reason[:REASON]
            )
            await contacts.tell(bounce, notification_id)

    async def deliver(stream: str, message: Notification, _: Todo) -> NotificationCommand:
        notification_id = _id_of(stream)
        contact = await contacts.of(message.customer_id) if message.customer_id else None
        if contact or message.kind == "marketing":  # which nobody gets unasked
            return _routed(notification_id, message, contact or SILENT)
        answer = await mailer.deliver(
            notification_id, message.channel, message.recipient, message.template, message.params, manner(message)
        )
        if isinstance(answer, Refused):
            await note(answer, message, notification_id)
            return RecordRefusal(notification_id=notification_id, reason=answer.reason)
        return RecordDelivery(notification_id=notification_id)

    async def send(stream: str, message: Notification, todo: Todo) -> NotificationCommand:
        """What the customer has chosen since counts: a night may lie between."""
        notification_id, name = _id_of(stream), todo.key.removeprefix("send:").rpartition(":")[0]
        said: dict[str, Any] = {"notification_id": notification_id, "way": name}
        contact = await contacts.of(message.customer_id)
        if contact is None:
            return RecordFailure(**said, reason="nobody knows any more how the customer is reached")
        left, skipped = ways(message, contact)
        channel, _, device = name.partition(":")
        address = left.get(name)
        if address is None:
            why = skipped.get(channel, "")
            return RecordFailure(**said, reason=why if why.startswith(BOUNCED) else "not wanted any more", final=True)
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
            await contacts.tell(gone, f"{notification_id}/{name}")
        elif channel == "email":
            await note(answer, message, notification_id)
        return RecordFailure(**said, reason=answer.reason, final=True)

    return {"deliver": deliver, "send": send}


REASON = 200
"""Characters of what a server said that are kept of a bounce."""
SILENT = blank("", datetime.min.replace(tzinfo=UTC))


def _routed(notification_id: str, message: Notification, contact: ContactView) -> RecordRoute | RecordRefusal:
    chosen, skipped = ways(message, contact)
    if not chosen and (why := skipped.get("email", "")).startswith(BOUNCED):
        return RecordRefusal(notification_id=notification_id, reason=why)
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
