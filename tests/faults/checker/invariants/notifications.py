"""Notifications: each milestone has one message, and each message one mail."""

from collections import Counter
from collections.abc import Iterator

from tests.faults.checker.evidence import Mail, key_of
from tests.faults.checker.findings import Violation
from tests.faults.checker.reading import World

ENDS = {"rejected": "order_rejected", "cancelled": "order_cancelled"}

Milestone = tuple[str, str]
"""The stream that it is about, and the template."""


def milestones(world: World) -> Counter[Milestone]:
    """All that customers must hear of, as the orders, payments and users have it."""
    found: Counter[Milestone] = Counter()
    for order in world.orders.all.values():
        about = f"order-{order.order_id}"
        if order.was_confirmed:
            found[about, "order_confirmed"] += 1
        for template in (*order.told, *([ENDS[order.status]] if order.over else ())):
            found[about, template] += 1
    for payment in world.payments.all.values():
        told = {"payment_refunded": len(payment.given), "card_awaited": payment.cards_asked}
        for template, times in told.items():
            if times:
                found[f"order-{payment.order_id}", template] += times
    for product in world.products.all.values():
        if product.told:
            found[f"product-{product.sku}", "back_in_stock"] += product.told
        if product.told_low:
            found[f"product-{product.sku}", "stock_low"] += product.told_low
    for user_id in world.users.all:
        found[f"user-{user_id}", "welcome"] += 1
    return found


def every_milestone_has_its_message(world: World) -> Iterator[Violation]:
    """Asked for once each, and no others."""
    due = milestones(world)
    found = Counter((message.about, message.template) for message in world.messages.all.values())
    for about, template in due - found:
        said = f"{template}: {found[about, template]} messages for {due[about, template]} milestones"
        yield Violation("notifications.never_missing", _order_of(about), said)
    for about, template in found - due:
        said = f"{template}: {found[about, template]} messages for {due[about, template]} milestones"
        yield Violation("notifications.at_most_once", _order_of(about), said)


def every_message_has_its_mail(world: World) -> Iterator[Violation]:
    """What counts as delivered lies in the mailbox; what does not lie there was refused by a server told to refuse."""
    mails, addresses = _by_id(world), _addresses(world)
    refusing = any("refuse" in str(fault.detail) for fault in world.evidence.faults_of("mail-mode"))
    for message in world.messages.all.values():
        subject = _order_of(message.about)
        if message.status == "delivered" and message.notification_id not in mails:
            said = f"{message.template} {message.notification_id} is said to be delivered, and no mail is there"
            yield Violation("notifications.never_missing", subject, said, message.last / 1000)
        if message.status == "refused" and not refusing:
            said = f"{message.template} was refused ({message.reason}), and no server was told to refuse"
            yield Violation("notifications.never_missing", subject, said, message.last / 1000)
        for mail in mails.get(message.notification_id, ()):
            if mail.to != (to := addresses.get(message.recipient, message.recipient)):
                said = f"{message.template} went to {mail.to}, not {to}"
                yield Violation("notifications.at_most_once", subject, said, mail.at)


def no_other_mail(world: World) -> Iterator[Violation]:
    """A mail that belongs to no message is a second one of some milestone, or should never have been sent."""
    for message_id, mails in _by_id(world).items():
        if message_id not in world.messages.all or len(mails) > 1:
            mail = mails[-1]
            said = f"{len(mails)} mails with the id {message_id or 'missing'}, to {mail.to}: {mail.subject}"
            yield Violation("notifications.at_most_once", mail.subject or mail.to, said, mail.at)


CHECKS = (every_milestone_has_its_message, every_message_has_its_mail, no_other_mail)


def _by_id(world: World) -> dict[str, list[Mail]]:
    found: dict[str, list[Mail]] = {}
    for mail in world.evidence.mails:
        found.setdefault(mail.id, []).append(mail)
    return found


def _addresses(world: World) -> dict[str, str]:
    """What clients said, by how it was recorded; other than as it was said where it was sealed at the door."""
    orders = ((order, world.asked.get(key_of(order.asked))) for order in world.orders.all.values())
    return {order.email: request.body["email"] for order, request in orders if request and "email" in request.body}


def _order_of(about: str) -> str:
    return about.removeprefix("order-")
