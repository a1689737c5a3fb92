"""Notification rules: a message is requested once, and then delivered or refused, once."""

from enum import Enum
from typing import Any, assert_never

from msgspec import Struct
from msgspec.structs import replace

from aggregates.decider import Decider, Todo, alone
from events.event import Event
from events.notification import (
    NotificationDelivered,
    NotificationEvent,
    NotificationRefused,
    NotificationRequested,
)
from schemas.notification import RecordDelivery, RecordRefusal, RequestNotification


class Status(Enum):
    """Where a message stands."""

    UNKNOWN = "unknown"
    REQUESTED = "requested"
    DELIVERED = "delivered"
    REFUSED = "refused"


class Notification(Struct, frozen=True):
    """What the rules, and the effect that delivers it, need to know of a message."""

    status: Status = Status.UNKNOWN
    channel: str = ""
    recipient: str = ""
    template: str = ""
    params: dict[str, Any] = {}


def evolve(notification: Notification, event: NotificationEvent) -> Notification:
    match event:
        case NotificationRequested():
            return Notification(Status.REQUESTED, event.channel, event.recipient, event.template, event.params)
        case NotificationDelivered():
            return replace(notification, status=Status.DELIVERED, params={})
        case NotificationRefused():
            return replace(notification, status=Status.REFUSED, params={})
        case _:
            assert_never(event)


def request(command: RequestNotification, notification: Notification) -> list[Event]:
    if notification.status is not Status.UNKNOWN:
        return []
    return [NotificationRequested(**dict(command))]


def record_delivery(command: RecordDelivery, notification: Notification) -> list[Event]:
    if notification.status is not Status.REQUESTED:
        return []
    return [NotificationDelivered(notification_id=command.notification_id)]


def record_refusal(command: RecordRefusal, notification: Notification) -> list[Event]:
    if notification.status is not Status.REQUESTED:
        return []
    return [NotificationRefused(notification_id=command.notification_id, reason=command.reason)]


def todos(notification: Notification) -> list[Todo]:
    """A requested message is to be delivered."""
    return [Todo("deliver", key="deliver")] if notification.status is Status.REQUESTED else []


DECIDER = Decider(
    context="notification",
    initial={"notification": Notification()},
    evolve=evolve,  # type: ignore[arg-type]
    decide=alone({RequestNotification: request, RecordDelivery: record_delivery, RecordRefusal: record_refusal}),
    todos=todos,
)
