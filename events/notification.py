"""Notification events are what has happened to one message to one person."""

from typing import Any, TypeAlias

from events.event import Event


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


class NotificationDelivered(_OfNotification, tag="notification.delivered.v1"):
    pass


class NotificationRefused(_OfNotification, tag="notification.refused.v1"):
    reason: str


NotificationEvent: TypeAlias = NotificationRequested | NotificationDelivered | NotificationRefused
