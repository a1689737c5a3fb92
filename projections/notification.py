"""Notification view: what was sent to whom, over which ways, and whether it arrived."""

from datetime import datetime
from typing import Any, assert_never

from msgspec import Struct
from msgspec.structs import replace

from events.event import Event
from events.notification import (
    NotificationArrived,
    NotificationBounced,
    NotificationDeclined,
    NotificationDeferred,
    NotificationDelivered,
    NotificationEvent,
    NotificationRefused,
    NotificationRequested,
    NotificationRouted,
    NotificationSent,
    NotificationSuppressed,
    overall,
)
from projections.view import Projection


class WayView(Struct, frozen=True):
    """One way of a message; `due_at` says until when it waits."""

    recipient: str
    status: str = "requested"
    reason: str = ""
    attempts: int = 0
    reference: str = ""
    due_at: datetime | None = None


class NotificationView(Struct, frozen=True):
    """One message; `ways` by name where the customer has chosen them, `skipped` says why not the others."""

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
    customer_id: str = ""
    kind: str = "order"
    locale: str = "en"
    ways: dict[str, WayView] = {}
    skipped: dict[str, str] = {}


def project(view: NotificationView | None, event: NotificationEvent, at: datetime) -> NotificationView | None:
    if isinstance(event, NotificationRequested):
        return NotificationView(
            event.notification_id, event.about, event.channel, event.recipient, event.template, event.params,
            "requested", "", at, at, event.customer_id, event.kind,
        )  # fmt: skip
    if view is None:
        return None
    match event:
        case NotificationDelivered():
            changed = replace(view, status="delivered")
        case NotificationRefused():
            changed = replace(view, status="refused", reason=event.reason)
        case NotificationRouted():
            ways = {name: WayView(recipient, due_at=event.due_at) for name, recipient in event.ways.items()}
            changed = replace(view, status="routed", ways=ways, skipped=event.skipped, locale=event.locale)
        case NotificationSuppressed():
            changed = replace(view, status="suppressed", skipped=event.skipped, reason="not wanted")
        case NotificationSent():
            changed = _with(view, event.way, status="sent", reason="", reference=event.reference, due_at=None)
        case NotificationDeferred():
            changed = _with(view, event.way, reason=event.reason, attempts=event.attempts, due_at=event.due_at)
        case NotificationDeclined():
            changed = _with(
                view, event.way, status="declined", reason=event.reason, attempts=event.attempts, due_at=None
            )
        case NotificationArrived():
            changed = _with(view, event.way, status="delivered")
        case NotificationBounced():
            changed = _with(view, event.way, status="bounced", reason=event.reason)
        case _:
            assert_never(event)
    return replace(changed, updated_at=at)


def _with(view: NotificationView, name: str, **changes: Any) -> NotificationView:
    known = view.ways.get(name) or WayView(view.recipient)
    # The database gives a mapping of plain values back.
    way = known if isinstance(known, WayView) else WayView(**known)
    ways = {**view.ways, name: replace(way, **changes)}
    status = overall({each: w.status if isinstance(w, WayView) else w["status"] for each, w in ways.items()})
    return replace(view, ways=ways, status=status)


def key_of(event: Event) -> str | None:
    """The message's id; what customers choose changes no message."""
    return getattr(event, "notification_id", None)


NOTIFICATIONS = Projection(
    name="notifications",
    context="notification",
    view=NotificationView,
    key_of=key_of,
    project=project,
    indexes=(
        "CREATE INDEX {table}_about ON {table} (about, requested_at)",
        "CREATE INDEX {table}_of_customer ON {table} (customer_id, requested_at DESC, notification_id DESC)"
        " WHERE customer_id <> ''",
    ),
    version=2,
)

ONE = "SELECT * FROM notifications WHERE notification_id = %(notification_id)s"
WHOSE = "SELECT customer_id FROM notifications WHERE notification_id = %(notification_id)s"
ABOUT = "SELECT * FROM notifications WHERE about = %(about)s ORDER BY requested_at, notification_id"
PAGE = """
SELECT * FROM notifications
WHERE (%(before_at)s::timestamptz IS NULL OR (requested_at, notification_id) < (%(before_at)s, %(before_id)s))
  AND (%(customer_id)s::text IS NULL OR (customer_id = %(customer_id)s AND customer_id <> ''))
ORDER BY requested_at DESC, notification_id DESC LIMIT %(limit)s
"""
BY_STATUS = "SELECT template, status, count(*) AS messages FROM notifications GROUP BY template, status ORDER BY 1, 2"
