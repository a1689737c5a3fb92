"""Notification commands are what may be asked of one message to one person."""

from typing import Any, Literal, TypeAlias

from schemas.values import Command, Text, Uuid

Channel = Literal["email", "sms", "push"]


class _ToNotification(Command):
    notification_id: Uuid

    @property
    def stream(self) -> str:
        return f"notification-{self.notification_id}"


class RequestNotification(_ToNotification, tag="notification.request"):
    """Send a template, filled in, over a channel; `about` names what it tells of, such as `order-<uuid>`."""

    about: Text
    channel: Channel = "email"
    recipient: str
    template: str
    params: dict[str, Any]


class RecordDelivery(_ToNotification, tag="notification.record_delivery"):
    """The provider has taken the message."""


class RecordRefusal(_ToNotification, tag="notification.record_refusal"):
    """The provider will never take the message."""

    reason: str


NotificationCommand: TypeAlias = RequestNotification | RecordDelivery | RecordRefusal
