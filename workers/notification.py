"""Notification reactions and effects: which milestones a customer hears of, and how a message leaves the house."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

from aggregates.contact import fingerprint, wants
from aggregates.decider import Todo
from aggregates.notification import Notification
from events.ids import derive
from events.order import OrderCancelled, OrderConfirmed, OrderDelivered, OrderRejected, OrderShipped
from events.payment import PaymentRefunded
from events.product import StockTold
from events.user import UserRegistered
from projections.contact import ContactView
from schemas.notification import (
    DropDevice,
    Kind,
    NotificationCommand,
    Quiet,
    RecordDelivery,
    RecordFailure,
    RecordRefusal,
    RecordRoute,
    RecordSending,
    RequestNotification,
)
from workers.channel import Mailer, MailUnavailable, Manner, Refused
from workers.contacts import NOBODY, Contacts
from workers.policy import on


def tell_when_confirmed(event: OrderConfirmed) -> list[RequestNotification]:
    params = {"order_id": event.order_id, "total": event.amount, "currency": event.currency, "lines": len(event.skus)}
    return [_mail(event.stream, event.email, "order_confirmed", params, event.customer_id)]


def tell_when_rejected(event: OrderRejected) -> list[RequestNotification]:
    params = {"order_id": event.order_id, "reason": event.reason}
    return [_mail(event.stream, event.email, "order_rejected", params, event.customer_id)]


def tell_when_cancelled(event: OrderCancelled) -> list[RequestNotification]:
    params = {"order_id": event.order_id, "reason": event.reason}
    return [_mail(event.stream, event.email, "order_cancelled", params, event.customer_id)]


def tell_when_shipped(event: OrderShipped) -> list[RequestNotification]:
    params = {"order_id": event.order_id, "tracking": event.tracking}
    return [_mail(event.stream, event.email, "order_shipped", params, event.customer_id)]


def tell_when_delivered(event: OrderDelivered) -> list[RequestNotification]:
    params = {"order_id": event.order_id}
    return [_mail(event.stream, event.email, "order_delivered", params, event.customer_id)]


def tell_when_refunded(event: PaymentRefunded) -> list[RequestNotification]:
    params = {"order_id": event.order_id, "total": event.amount, "currency": event.currency}
    return [_mail(f"order-{event.order_id}", event.email, "payment_refunded", params, which=event.refund_id)]


def welcome_when_registered(event: UserRegistered) -> list[RequestNotification]:
    return [_mail(event.stream, event.email, "welcome", {"name": event.name}, event.user_id, kind="account")]


def tell_when_back(event: StockTold) -> list[RequestNotification]:
    params = {"sku": event.sku, "name": event.name}
    return [
        _mail(
            event.stream,
            customer.email,
            "back_in_stock",
            params,
            customer.customer_id,
            f"{event.nth}/{customer.customer_id}",
        )
        for customer in event.customers
    ]


def _mail(
    about: str,
    recipient: str,
    template: str,
    params: dict[str, Any],
    customer_id: str = "",
    which: str = "",
    kind: Kind = "order",
) -> RequestNotification:
    """One message per template and subject; `which` tells apart those that may come more than once."""
    return RequestNotification(
        notification_id=derive(about, f"{template}/{which}"),
        about=about,
        recipient=recipient,
        template=template,
        params=params,
        customer_id=customer_id,
        kind=kind,
    )


REACTIONS = (
    on(OrderConfirmed, tell_when_confirmed),
    on(OrderRejected, tell_when_rejected),
    on(OrderCancelled, tell_when_cancelled),
    on(OrderShipped, tell_when_shipped),
    on(OrderDelivered, tell_when_delivered),
    on(PaymentRefunded, tell_when_refunded),
    on(StockTold, tell_when_back),
    on(UserRegistered, welcome_when_registered),
)

Effect = Callable[[str, Notification, Todo], Awaitable[NotificationCommand]]
Links = Callable[[str, str], str]
"""Where a customer asks for no more mails of a kind; empty if nowhere."""


def no_links(_: str, __: str) -> str:
    """The API's address is not known."""
    return ""


def ways(message: Notification, contact: ContactView) -> tuple[dict[str, str], dict[str, str]]:
    """The ways to a customer with the address of each, and by channel why not the others."""
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


SILENT = ContactView("", None, "en", "UTC", None, {}, {}, {}, datetime.min.replace(tzinfo=UTC))
"""A customer who has said nothing."""


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
