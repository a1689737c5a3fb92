"""Notification rules: a message is requested once, and goes its ways once each.

Without a word from the customer, it goes the one way that it was requested for, and is delivered or refused. Otherwise
it is routed: every way that the customer wants is sent or declined by itself, and what was sent may arrive or bounce.
"""

from datetime import datetime, timedelta
from enum import Enum
from typing import Any, assert_never

from msgspec import Struct
from msgspec.structs import replace

from aggregates import contact as contacts
from aggregates.contact import Contact
from aggregates.decider import Decider, StateOf, Todo
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
from schemas.notification import (
    NotificationCommand,
    RecordDelivery,
    RecordFailure,
    RecordRefusal,
    RecordReport,
    RecordRoute,
    RecordSending,
    RequestNotification,
)

ATTEMPTS = 8
"""How often a way is tried; with the pauses between, that takes about an hour."""
FIRST_PAUSE, LONGEST_PAUSE = timedelta(seconds=30), timedelta(hours=1)


class Status(Enum):
    """Where a message stands, or one of its ways."""

    UNKNOWN = "unknown"
    REQUESTED = "requested"
    ROUTED = "routed"
    SENT = "sent"
    DELIVERED = "delivered"
    BOUNCED = "bounced"
    DECLINED = "declined"
    REFUSED = "refused"
    SUPPRESSED = "suppressed"


class Way(Struct, frozen=True):
    """One way of a message; `due` says when it may be tried, if not at once."""

    recipient: str
    status: Status = Status.REQUESTED
    due: datetime | None = None
    attempts: int = 0
    reference: str = ""


class Notification(Struct, frozen=True):
    """What the rules, and the effects that deliver it, need to know of a message."""

    status: Status = Status.UNKNOWN
    channel: str = ""
    recipient: str = ""
    template: str = ""
    params: dict[str, Any] = {}
    customer_id: str = ""
    kind: str = "order"
    locale: str = "en"
    ways: dict[str, Way] = {}


def evolve(message: Notification, event: NotificationEvent) -> Notification:
    match event:
        case NotificationRequested():
            return Notification(
                Status.REQUESTED, event.channel, event.recipient, event.template, event.params,
                event.customer_id, event.kind,
            )  # fmt: skip
        case NotificationDelivered():
            return replace(message, status=Status.DELIVERED, params={})
        case NotificationRefused():
            return replace(message, status=Status.REFUSED, params={})
        case NotificationRouted():
            ways = {name: Way(recipient, due=event.due_at) for name, recipient in event.ways.items()}
            return replace(message, status=Status.ROUTED, locale=event.locale, ways=ways)
        case NotificationSuppressed():
            return replace(message, status=Status.SUPPRESSED, params={})
        case NotificationSent():
            return _with(message, event.way, status=Status.SENT, reference=event.reference, due=None)
        case NotificationDeferred():
            return _with(message, event.way, due=event.due_at, attempts=event.attempts)
        case NotificationDeclined():
            return _with(message, event.way, status=Status.DECLINED, attempts=event.attempts, due=None)
        case NotificationArrived():
            return _with(message, event.way, status=Status.DELIVERED)
        case NotificationBounced():
            return _with(message, event.way, status=Status.BOUNCED)
        case _:
            assert_never(event)


def _with(message: Notification, name: str, **changes: Any) -> Notification:
    way = replace(message.ways.get(name, Way(message.recipient)), **changes)
    ways = {**message.ways, name: way}
    status = overall({name: way.status.value for name, way in ways.items()})
    going = any(way.status is Status.REQUESTED for way in ways.values())
    return replace(message, ways=ways, status=Status(status), params=message.params if going else {})


def request(command: RequestNotification, message: Notification) -> list[Event]:
    if message.status is not Status.UNKNOWN:
        return []
    return [NotificationRequested(**dict(command))]


def record_delivery(command: RecordDelivery, message: Notification) -> list[Event]:
    if message.status is not Status.REQUESTED:
        return []
    return [NotificationDelivered(notification_id=command.notification_id)]


def record_refusal(command: RecordRefusal, message: Notification) -> list[Event]:
    if message.status is not Status.REQUESTED:
        return []
    return [NotificationRefused(notification_id=command.notification_id, reason=command.reason)]


def record_route(command: RecordRoute, message: Notification, at: datetime) -> list[Event]:
    """Security waits for no quiet hours to end, nor does what is asked for before they do."""
    if message.status is not Status.REQUESTED:
        return []
    if not command.ways:
        return [NotificationSuppressed(notification_id=command.notification_id, skipped=command.skipped)]
    quiet = (command.quiet.begins, command.quiet.ends) if command.quiet and message.kind != "security" else None
    due_at = contacts.due(at, command.time_zone, quiet)
    return [
        NotificationRouted(
            notification_id=command.notification_id,
            ways=command.ways,
            skipped=command.skipped,
            locale=command.locale,
            due_at=None if _too_late(due_at, message) else due_at,
        )
    ]


def _too_late(due_at: datetime | None, message: Notification) -> bool:
    """Whether what the message asks for has to be done before it would go."""
    until = message.params.get("due_at")
    return bool(due_at and until and datetime.fromisoformat(until) <= due_at)


def record_sending(command: RecordSending, message: Notification) -> list[Event]:
    way = message.ways.get(command.way)
    if way is None or way.status is not Status.REQUESTED:
        return []  # the provider's own report was faster
    return [NotificationSent(notification_id=command.notification_id, way=command.way, reference=command.reference)]


def record_failure(command: RecordFailure, message: Notification, at: datetime) -> list[Event]:
    way = message.ways.get(command.way)
    if way is None or way.status is not Status.REQUESTED:
        return []
    attempts, said = way.attempts + 1, {"notification_id": command.notification_id, "way": command.way}
    if command.final or attempts >= ATTEMPTS:
        return [NotificationDeclined(**said, reason=command.reason, attempts=attempts)]
    pause = min(FIRST_PAUSE * 2 ** (attempts - 1), LONGEST_PAUSE)
    return [NotificationDeferred(**said, reason=command.reason, attempts=attempts, due_at=at + pause)]


def record_report(command: RecordReport, message: Notification) -> list[Event]:
    """Reports come late, twice, in any order, and before we have noted that it was sent: the first that ends it counts.

    Where it went out twice, as the provider's first answer was lost, the other one's arrival counts, its bounce not.
    """
    if not message.ways and command.way == message.channel:
        return _reported_of_the_one(command, message)
    way = message.ways.get(command.way)
    if way is None or way.status not in (Status.REQUESTED, Status.SENT):
        return []
    if way.reference not in ("", command.reference) and not command.arrived:
        return []
    said = {"notification_id": command.notification_id, "way": command.way}
    sent = [NotificationSent(**said, reference=command.reference)] if way.status is Status.REQUESTED else []
    if command.arrived:
        return [*sent, NotificationArrived(**said)]
    return [*sent, NotificationBounced(**said, reason=command.reason)]


def _reported_of_the_one(command: RecordReport, message: Notification) -> list[Event]:
    """Of a message that went the one way it was requested for, delivered says that it was taken: a bounce is news."""
    if command.arrived or message.status not in (Status.REQUESTED, Status.DELIVERED):
        return []
    said = {"notification_id": command.notification_id}
    taken = [NotificationDelivered(**said)] if message.status is Status.REQUESTED else []
    return [*taken, NotificationBounced(**said, way=command.way, reason=command.reason)]


def todos(state: Notification | Contact) -> list[Todo]:
    """A requested message is to be delivered, and each of a routed one's ways is to be gone when it is due."""
    if isinstance(state, Contact):
        return []
    if state.status is Status.REQUESTED:
        return [Todo("deliver", key="deliver")]
    return [
        # An attempt's number is part of the key: with the next one another deadline is meant.
        Todo("send", way.due, f"send:{name}:{way.attempts}")
        for name, way in state.ways.items()
        if way.status is Status.REQUESTED
    ]


RULES: dict[type[Any], Any] = {
    RequestNotification: request,
    RecordDelivery: record_delivery,
    RecordRefusal: record_refusal,
    RecordSending: record_sending,
    RecordReport: record_report,
    **contacts.RULES,
}
TIMED: dict[type[Any], Any] = {RecordRoute: record_route, RecordFailure: record_failure}


def _evolve_either(state: Notification | Contact, event: Any) -> Notification | Contact:
    """What an event makes of a message or of a contact."""
    return contacts.evolve(state, event) if isinstance(state, Contact) else evolve(state, event)


def decide(command: NotificationCommand, state_of: StateOf, at: datetime) -> list[Event]:
    state = state_of(command.stream)
    if timed := TIMED.get(type(command)):
        return timed(command, state, at)  # type: ignore[no-any-return]
    return RULES[type(command)](command, state)  # type: ignore[no-any-return]


DECIDER = Decider(
    context="notification",
    initial={"notification": Notification(), "contact": Contact()},
    evolve=_evolve_either,
    decide=decide,
    todos=todos,
)
