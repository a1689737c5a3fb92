"""Notification builders: the mail that tells Ada that her order is confirmed."""

from events.ids import derive
from events.notification import NotificationDelivered, NotificationRefused, NotificationRequested
from schemas.notification import RequestNotification
from tests.builders.values import EMAIL, A

ABOUT = f"order-{A}"
MAIL = derive(ABOUT, "order_confirmed/")
PARAMS = {"order_id": A, "total": 850, "currency": "EUR", "lines": 3}


def request() -> RequestNotification:
    return RequestNotification(
        notification_id=MAIL, about=ABOUT, recipient=EMAIL, template="order_confirmed", params=PARAMS
    )


def requested() -> NotificationRequested:
    return NotificationRequested(**dict(request()))


def delivered() -> NotificationDelivered:
    return NotificationDelivered(notification_id=MAIL)


def refused(reason: str = "no such mailbox") -> NotificationRefused:
    return NotificationRefused(notification_id=MAIL, reason=reason)
