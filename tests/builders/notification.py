"""Notification builders: the mail that tells Ada that her order is confirmed."""

from datetime import datetime

from events.ids import derive
from events.notification import (
    AddressBounced,
    AddressesTrusted,
    ChannelChosen,
    ContactDescribed,
    ContactForgotten,
    DeviceAdded,
    DeviceDropped,
    NotificationArrived,
    NotificationBounced,
    NotificationDeclined,
    NotificationDeferred,
    NotificationDelivered,
    NotificationRefused,
    NotificationRequested,
    NotificationRouted,
    NotificationSent,
    NotificationSuppressed,
    QuietHours,
)
from schemas.notification import (
    AddDevice,
    ChooseChannel,
    DescribeContact,
    DropDevice,
    Quiet,
    RecordBounce,
    RecordFailure,
    RecordReport,
    RecordRoute,
    RecordSending,
    RequestNotification,
    TrustAddresses,
)
from tests.builders.values import EMAIL, NOON, A

ABOUT = f"order-{A}"
MAIL = derive(ABOUT, "order_confirmed/")
PARAMS = {"order_id": A, "total": 850, "currency": "EUR", "lines": 3}


def request() -> RequestNotification:
    return RequestNotification(
        notification_id=MAIL, about=ABOUT, recipient=EMAIL, template="order_confirmed", params=PARAMS, customer_id="ada"
    )


def requested() -> NotificationRequested:
    return NotificationRequested(**dict(request()))


def delivered() -> NotificationDelivered:
    return NotificationDelivered(notification_id=MAIL)


def refused(reason: str = "no such mailbox") -> NotificationRefused:
    return NotificationRefused(notification_id=MAIL, reason=reason)


PHONE = "+491701234567"
QUIET = Quiet(begins="22:00", ends="07:00")
SID = "SM00000000000000000000000000000001"


def route(**changes: object) -> RecordRoute:
    fields = {"ways": {"email": EMAIL, "sms": PHONE}, "skipped": {"push": "no device"}, "locale": "de"}
    return RecordRoute(notification_id=MAIL, **{**fields, **changes})  # type: ignore[arg-type]


def routed(due_at: datetime | None = None) -> NotificationRouted:
    return NotificationRouted(
        notification_id=MAIL,
        ways={"email": EMAIL, "sms": PHONE},
        skipped={"push": "no device"},
        locale="de",
        due_at=due_at,
    )


def suppressed() -> NotificationSuppressed:
    return NotificationSuppressed(notification_id=MAIL, skipped={"email": "not wanted"})


def sending(way: str = "sms", reference: str = SID) -> RecordSending:
    return RecordSending(notification_id=MAIL, way=way, reference=reference)


def sent(way: str = "sms", reference: str = SID) -> NotificationSent:
    return NotificationSent(notification_id=MAIL, way=way, reference=reference)


def failure(final: bool = False, reason: str = "HTTP 503", way: str = "sms") -> RecordFailure:
    return RecordFailure(notification_id=MAIL, way=way, reason=reason, final=final)


def deferred(attempts: int = 1, due_at: datetime = NOON, reason: str = "HTTP 503") -> NotificationDeferred:
    return NotificationDeferred(notification_id=MAIL, way="sms", reason=reason, attempts=attempts, due_at=due_at)


def declined(attempts: int = 1, reason: str = "HTTP 503", way: str = "sms") -> NotificationDeclined:
    return NotificationDeclined(notification_id=MAIL, way=way, reason=reason, attempts=attempts)


def report(arrived: bool = True, reference: str = SID, reason: str = "") -> RecordReport:
    return RecordReport(notification_id=MAIL, way="sms", reference=reference, arrived=arrived, reason=reason)


def arrived() -> NotificationArrived:
    return NotificationArrived(notification_id=MAIL, way="sms")


def bounced(reason: str = "twilio: undelivered 30003") -> NotificationBounced:
    return NotificationBounced(notification_id=MAIL, way="sms", reason=reason)


def describe(phone: str | None = PHONE, quiet: Quiet | None = QUIET) -> DescribeContact:
    return DescribeContact(customer_id="ada", phone=phone, locale="de", time_zone="Europe/Berlin", quiet=quiet)


def forgotten() -> ContactForgotten:
    return ContactForgotten(customer_id="ada")


def described(phone: str | None = PHONE) -> ContactDescribed:
    quiet = QuietHours(begins="22:00", ends="07:00")
    return ContactDescribed(customer_id="ada", phone=phone, locale="de", time_zone="Europe/Berlin", quiet=quiet)


def choose(kind: str = "order", channel: str = "sms", wanted: bool = False) -> ChooseChannel:
    return ChooseChannel(customer_id="ada", kind=kind, channel=channel, wanted=wanted)  # type: ignore[arg-type]


def chosen(kind: str = "order", channel: str = "sms", wanted: bool = False) -> ChannelChosen:
    return ChannelChosen(customer_id="ada", kind=kind, channel=channel, wanted=wanted)


def add_device(device_id: str = "pixel", address: str = "token-1") -> AddDevice:
    return AddDevice(customer_id="ada", device_id=device_id, platform="fcm", push_address=address)


def added(device_id: str = "pixel", address: str = "token-1") -> DeviceAdded:
    return DeviceAdded(customer_id="ada", device_id=device_id, platform="fcm", push_address=address)


def drop(device_id: str = "pixel", fingerprint: str = "") -> DropDevice:
    return DropDevice(customer_id="ada", device_id=device_id, fingerprint=fingerprint)


def dropped(device_id: str = "pixel") -> DeviceDropped:
    return DeviceDropped(customer_id="ada", device_id=device_id, reason="asked for")


NOBODY = "550 5.1.1 no such mailbox"


def bounce(email: str = EMAIL) -> RecordBounce:
    return RecordBounce(customer_id="ada", email=email, reason=NOBODY)


def address_bounced(email: str = EMAIL) -> AddressBounced:
    return AddressBounced(customer_id="ada", email=email, reason=NOBODY)


def trust() -> TrustAddresses:
    return TrustAddresses(customer_id="ada")


def trusted() -> AddressesTrusted:
    return AddressesTrusted(customer_id="ada")


MAIL_ID = f"<{MAIL}@orderlog.example>"


def mail_report(arrived: bool = True) -> RecordReport:
    reason = "" if arrived else "mail: failed 5.1.1"
    return RecordReport(notification_id=MAIL, way="email", reference=MAIL_ID, arrived=arrived, reason=reason)


def mail_bounced() -> NotificationBounced:
    return NotificationBounced(notification_id=MAIL, way="email", reason="mail: failed 5.1.1")
