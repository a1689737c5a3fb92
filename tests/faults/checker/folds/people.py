"""Users, and the messages that go to people."""

from typing import Any

from tests.faults.checker.findings import Fact
from tests.faults.checker.folds.orders import Report


class Message:
    """One message to a person; `last` in milliseconds."""

    __slots__ = (
        "about", "channel", "last", "notification_id", "params", "partition", "position", "reason", "recipient",
        "requested_at", "status", "template", "updated_at", "version",
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
        self.requested_at = self.updated_at = fact.time
        self.last = fact.timestamp
        self.partition, self.version, self.position = fact.partition, fact.version, fact.offset

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
        notification_id = fact.body["notification_id"]
        message = self.all.get(notification_id)
        if fact.kind == "notification.requested.v1":
            if message is not None:
                self._report("notifications.at_most_once", message.about, "a message requested twice", fact)
            self.all[notification_id] = Message(fact)
            return
        if message is None or message.status != "requested":
            was = message.status if message else "unknown"
            self._report("notifications.at_most_once", notification_id, f"{fact.kind} of a message {was}", fact)
        if message is not None:
            message.status = "delivered" if fact.kind == "notification.delivered.v1" else "refused"
            message.reason = fact.body.get("reason", message.reason)
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
