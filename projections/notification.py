"""Notification view: what was sent to whom, and whether it arrived."""

from datetime import datetime
from typing import Any, assert_never

from msgspec import Struct
from msgspec.structs import replace

from events.event import Event
from events.notification import (
    NotificationDelivered,
    NotificationEvent,
    NotificationRefused,
    NotificationRequested,
)
from projections.view import Projection


class NotificationView(Struct, frozen=True):
    """One message."""

    notification_id: str
    about: str
    channel: str
    recipient: str
    template: str
    params: dict[str, Any]
    status: str
    reason: str
    requested_at: datetime
    updated_at: datetime


def project(view: NotificationView | None, event: NotificationEvent, at: datetime) -> NotificationView | None:
    match event:
        case NotificationRequested():
            fields = {
                name: getattr(event, name)
                for name in ("notification_id", "about", "channel", "recipient", "template", "params")
            }
            return NotificationView(**fields, status="requested", reason="", requested_at=at, updated_at=at)
        case NotificationDelivered():
            return view and replace(view, status="delivered", updated_at=at)
        case NotificationRefused():
            return view and replace(view, status="refused", reason=event.reason, updated_at=at)
        case _:
            assert_never(event)


def key_of(event: Event) -> str | None:
    return getattr(event, "notification_id", None)


NOTIFICATIONS = Projection(
    name="notifications",
    context="notification",
    view=NotificationView,
    key_of=key_of,
    project=project,
    indexes=("CREATE INDEX {table}_about ON {table} (about, requested_at)",),
)

ABOUT = "SELECT * FROM notifications WHERE about = %(about)s ORDER BY requested_at, notification_id"
PAGE = """
SELECT * FROM notifications
WHERE (%(before_at)s::timestamptz IS NULL OR (requested_at, notification_id) < (%(before_at)s, %(before_id)s))
ORDER BY requested_at DESC, notification_id DESC LIMIT %(limit)s
"""
BY_STATUS = "SELECT template, status, count(*) AS messages FROM notifications GROUP BY template, status ORDER BY 1, 2"
