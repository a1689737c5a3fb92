"""Contexts are what the documents say of the topics: who writes which event, and who must react to it."""

from collections.abc import Iterable
from typing import Any
from zlib import crc32

CONTEXTS = ("order", "product", "payment", "user", "notification")

PARKED = ("record.parked.v1", "letter.parked.v1")
"""Records that say what was set aside: with nobody behind it, or in order."""

LETTERS = ("letter.retried.v1", "letter.released.v1", "letter.edited.v1", "letter.discarded.v1")
"""Records that say what became of a letter."""

OUTCOMES = ("command.rejected.v1", "command.unchanged.v1", *PARKED, *LETTERS)
"""Records that say what became of a command that changed nothing; they have no version."""

CLAIM = "log.claimed.v1"

CLIENT, OWNER = "client", "owner"
"""Origins of commands that no reaction has sent: a client's, and those that a partition's owner gives itself."""


def home_of(stream: str, partitions: int) -> int:
    """The partition where a stream lives: a reservation names its shelf, all others are spread by CRC-32."""
    kind, _, rest = stream.partition("-")
    if kind == "reservation":
        return int(rest.partition("-")[0])
    return crc32(stream.encode()) % partitions


def shelves_of(skus: Iterable[str], partitions: int) -> int:
    """On how many partitions of the product context these SKUs live."""
    return len({home_of(f"product-{sku}", partitions) for sku in skus})


def reactions_to(kind: str, body: dict[str, Any], partitions: int) -> dict[str, int]:
    """How many commands each context must give itself because of an event (docs/choreography.md)."""
    match kind:
        case "order.placed.v1":
            return {"product": shelves_of((line["sku"] for line in body["lines"]), partitions)}
        case "order.amended.v1":
            moved = [shelves_of((i["sku"] for i in body[what]), partitions) for what in ("added", "removed")]
            return {"product": sum(moved)}
        case "order.stock_secured.v1":
            return {"payment": 1}
        case "order.confirmed.v1" | "order.rejected.v1" | "order.cancelled.v1":
            return {"product": shelves_of(body["skus"], partitions), "payment": 1, "notification": 1}
        case "order.line_cancelled.v1":
            return {"product": 1, "payment": 1, "notification": 1}
        case "order.partly_shipped.v1":
            shelves = shelves_of((item["sku"] for item in body["items"]), partitions)
            return {"product": shelves, "notification": 1, **_charged(body)}
        case "order.shipped.v1":
            return {"product": shelves_of(body["skus"], partitions), "notification": 1, **_charged(body)}
        case "order.return_received.v1":
            good = {item["sku"] for item in body["items"] if item["verdict"] == "restock"}
            return {"product": len(good), "payment": 1, "notification": 1}
        case "order.delivered.v1" | "order.return_requested.v1" | "payment.refunded.v1" | "payment.card_awaited.v1":
            return {"notification": 1}
        case "stock.ran_low.v1":
            return {"notification": 1 if body.get("tell") else 0}
        case "stock.told.v1":
            return {"notification": len(body["customers"])}
        case "user.preferences_changed.v1":
            return {"notification": sum(len(channels) for channels in body["preferences"].values())}
        case "user.profile_changed.v1":
            return {"notification": 1 if len(body["locale"].partition("-")[0]) == 2 else 0}
        case "user.deleted.v1":
            return {"notification": 2}
        case "user.erased.v1":
            return {"notification": 1}
        case "payment.refused.v1":
            return {"order": 1} if body["step"].partition(":")[0] == "capture" else {}
        case "payment.authorization_expired.v1":
            return {"order": 1} if body["final"] else {}
        case _:
            if kind in MAILED_BY_USER:
                return {"notification": 1}
            return {"order": 1} if kind in HEARD_BY_ORDER else {}


def _charged(body: dict[str, Any]) -> dict[str, int]:
    """Where money is taken per shipment, a shipment says how much, and payment must take it."""
    return {"payment": 1} if "charge" in body else {}


MAILED_BY_USER = (
    "user.registered.v1",
    "user.verification_requested.v1",
    "user.registration_repeated.v1",
    "user.reset_requested.v1",
    "user.password_changed.v1",
    "user.session_revoked.v1",
)

HEARD_BY_ORDER = (
    "reservation.made.v1",
    "reservation.extended.v1",
    "reservation.refused.v1",
    "reservation.committed.v1",
    "reservation.lapsed.v1",
    "payment.authorized.v1",
    "payment.declined.v1",
    "payment.lapsed.v1",
    "payment.renewal_declined.v1",
    "payment.given_up.v1",
)

RULES_SAID_NO = (
    "OrderUnknown", "OrderExists", "OrderSettled", "OrderAlreadyShipped", "OrderNotReady", "OrderNotShipped",
    "OrderAlreadySecured", "TooManyLines", "PriceStands",
    "LineUnknown", "LineTooSmall", "ShipmentUnknown", "ReturnUnknown", "ReturnTooLarge",
    "ProductUnknown", "ProductExists", "ProductAlreadyWithdrawn", "StockHeld",
    "PaymentUnknown", "NothingToRefund", "RefundTooLarge", "AttemptNotAwaited", "EmailTaken", "UserUnknown",
    "CredentialsStale", "SessionOver", "TokenJustUsed", "ProofSpent", "AddressUnknown", "AddressExists",
    "TooManyAddresses", "SecurityMailStays", "DeviceUnknown", "TooManyDevices",
    "LetterUnknown", "LetterWaits", "LetterUnfit", "KeyReused", "PreconditionFailed",
)  # fmt: skip
"""Codes of refusals that are recorded in the log; all others are given at the door."""
