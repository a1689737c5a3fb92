"""Users, and the messages that go to people."""

from typing import Any

from tests.faults.checker.findings import Fact
from tests.faults.checker.folds.orders import Report

BEST_FIRST = ("delivered", "sent", "requested", "bounced", "declined")
ON_WAYS = {
    "notification.sent.v1": ("requested", "sent"),
    "notification.deferred.v1": ("requested", "requested"),
    "notification.declined.v1": ("requested", "declined"),
    "notification.arrived.v1": ("sent", "delivered"),
    "notification.bounced.v1": ("sent", "bounced"),
}
"""Steps on one way of a message: what it comes after, and what it leads to."""


class Message:
    """One message to a person; `last` in milliseconds."""

    __slots__ = (
        "about", "channel", "customer_id", "kind", "last", "locale", "notification_id", "params", "partition",
        "position", "reason", "recipient", "requested_at", "skipped", "status", "template", "updated_at", "version",
        "ways",
    )  # fmt: skip

    def __init__(self, fact: Fact) -> None:
        body = fact.body
        self.notification_id: str = body["notification_id"]
        self.about: str = body["about"]
        self.channel: str = body["channel"]
        self.recipient: str = body["recipient"]
        self.template: str = body["template"]
        self.params: dict[str, Any] = body["params"]
        self.status, self.reason = "requested", ""
        self.customer_id: str = body.get("customer_id", "")
        self.kind: str = body.get("kind", "order")
        self.locale = "en"
        self.ways: dict[str, dict[str, Any]] = {}
        self.skipped: dict[str, str] = {}
        self.requested_at = self.updated_at = fact.time
        self.last = fact.timestamp
        self.partition, self.version, self.position = fact.partition, fact.version, fact.offset

    def settle(self, fact: Fact) -> None:
        """It went the one way it was asked for, or it is known which ways it is to go, or none."""
        body = fact.body
        match fact.kind:
            case "notification.delivered.v1":
                self.status = "delivered"
            case "notification.refused.v1":
                self.status, self.reason = "refused", body["reason"]
            case "notification.suppressed.v1":
                self.status, self.reason, self.skipped = "suppressed", "not wanted", body["skipped"]
            case "notification.routed.v1":
                self.status, self.skipped, self.locale = "routed", body["skipped"], body["locale"]
                new = {"status": "requested", "reason": "", "attempts": 0, "reference": "", "due_at": body["due_at"]}
                self.ways = {name: {"recipient": address, **new} for name, address in body["ways"].items()}

    def go(self, fact: Fact) -> bool:
        """A step on one of its ways; False if it may not come after what came before."""
        before, step = ON_WAYS[fact.kind]
        if not self.ways and (self.status, step) == ("delivered", "bounced"):  # its server had taken it
            gone = {"status": "sent", "reason": "", "attempts": 0, "reference": "", "due_at": None}
            self.ways = {fact.body["way"]: {"recipient": self.recipient, **gone}}
        way = self.ways.get(fact.body["way"])
        if way is None or way["status"] != before:
            return False
        way["status"] = step
        for name in ("reason", "attempts", "reference", "due_at"):
            way[name] = fact.body.get(name, way[name])
        if step in ("sent", "declined"):
            way["due_at"] = None
        if step == "sent":
            way["reason"] = ""
        best = min((each["status"] for each in self.ways.values()), key=BEST_FIRST.index)
        self.status = "routed" if best == "requested" else best
        self.updated_at, self.last = fact.time, fact.timestamp
        self.partition, self.version, self.position = fact.partition, fact.version, fact.offset
        return True

    def row(self) -> dict[str, Any]:
        """As the read model must show it."""
        return {name: getattr(self, name) for name in self.__slots__ if name != "last"}


class Messages:
    """All messages, by id."""

    def __init__(self, report: Report) -> None:
        self.all: dict[str, Message] = {}
        self._report = report

    def apply(self, fact: Fact) -> None:
        """Take an event into account, and say so if it must not have happened."""
        if fact.kind.startswith("contact."):
            return  # how a customer is reached is no message
        notification_id = fact.body["notification_id"]
        message = self.all.get(notification_id)
        if fact.kind == "notification.requested.v1":
            if message is not None:
                self._report("notifications.at_most_once", message.about, "a message requested twice", fact)
            self.all[notification_id] = Message(fact)
            return
        if fact.kind in ON_WAYS:
            if message is None or not message.go(fact):
                self._report("notifications.at_most_once", notification_id, f"{fact.kind} of a way that is over", fact)
            return
        if message is None or message.status != "requested":
            was = message.status if message else "unknown"
            self._report("notifications.at_most_once", notification_id, f"{fact.kind} of a message {was}", fact)
        if message is not None:
            message.settle(fact)
            message.updated_at, message.last = fact.time, fact.timestamp
            message.partition, message.version, message.position = fact.partition, fact.version, fact.offset


class Users:
    """All users as rows, by id."""

    def __init__(self) -> None:
        self.all: dict[str, dict[str, Any]] = {}

    def apply(self, fact: Fact) -> None:
        """Take an event into account; who is erased without an account has no row."""
        body, row = fact.body, self.all.get(fact.body["user_id"], {})
        if not row and fact.kind in ("user.erased.v1", "user.key_destroyed.v1"):
            return
        place = {"version": fact.version, "partition": fact.partition, "position": fact.offset}
        self.all[body["user_id"]] = {**row, **_changed(fact, row), **place}


def _changed(fact: Fact, row: dict[str, Any]) -> dict[str, Any]:
    """What an event changes of a user's row."""
    body = fact.body
    match fact.kind:
        case "user.registered.v1":
            named = {name: body[name] for name in ("user_id", "email", "name", "password_hash")}
            changes = row.get("password_changes", 0)
            new = {"status": "active", "verified": False, "password_changes": changes, "phone": "", "locale": ""}
            return {**named, **new, "default_address": "", "registered_at": fact.time}
        case "user.email_verified.v1":
            return {"verified": True}
        case "user.password_rehashed.v1":
            return {"password_hash": body["password_hash"]}
        case "user.password_changed.v1":
            return {"password_hash": body["password_hash"], "password_changes": body["changes"]}
        case "user.profile_changed.v1":
            return {name: body[name] for name in ("name", "phone", "locale")}
        case "user.default_address_chosen.v1":
            return {"default_address": body["address_id"]}
        case "user.address_removed.v1":
            return {"default_address": ""} if row.get("default_address") == body["address_id"] else {}
        case "user.deleted.v1":
            gone = dict.fromkeys(("email", "name", "password_hash", "phone", "locale", "default_address"), "")
            return {**gone, "status": "deleted", "verified": False, "password_changes": body["changes"]}
        case "user.erased.v1":
            gone = dict.fromkeys(("email", "name", "password_hash", "phone", "locale", "default_address"), "")
            return {**gone, "status": "erased", "verified": False, "password_changes": body["changes"]}
        case _:
            return {}
