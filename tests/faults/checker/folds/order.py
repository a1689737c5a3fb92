"""One order as the log tells of it: what it was, and what has become of it."""

from typing import Any

from tests.faults.checker.findings import Fact

OVER = ("rejected", "cancelled")


class Order:
    """One order. `asked` is the id of the command that placed it; times are as recorded, `last` in milliseconds.

    `parts` are what was taken off its total, by id, `billed` what its shipments were charged for, less what came
    back; `totals` all that it ever came to; `asked_for` all that was ever to be held of a SKU in all; `amendments`
    what is awaited of each; `told` the mails about its parts that its customer must have had.
    """

    __slots__ = (
        "address", "amendments", "asked", "asked_for", "attempts", "awaited", "billed", "cancelled",
        "confirmed_at", "currency",
        "customer_id", "email", "ended", "lines", "notes", "order_id", "partition", "parts", "per_shipment",
        "placed", "placed_at", "placed_lines", "position", "ready", "reason", "requested", "returns", "secured",
        "shipments",
        "shipping", "staff_notes", "status", "token", "told", "total", "totals", "tracking", "uncommitted",
        "updated_at", "version", "was_confirmed",
    )  # fmt: skip

    def __init__(self, fact: Fact) -> None:
        body = fact.body
        self.order_id: str = body["order_id"]
        self.customer_id: str = body["customer_id"]
        self.email: str = body["email"]
        self.currency: str = body["currency"]
        self.total: int = body["total"]
        self.token: str = body["payment_token"]
        self.attempts: int = body.get("payment_attempts", 1)
        self.per_shipment: bool = body.get("capture") == "per_shipment"
        self.billed = 0
        self.address = {name: body["shipping_address"][name] for name in ADDRESS}
        self.shipping: int = body.get("shipping_cents", 0)
        self.lines = [line_of(line) for line in body["lines"]]
        self.placed_lines = self.lines
        self.cancelled: dict[str, int] = {}
        self.parts: dict[str, int] = {}
        self.totals = {self.total}
        self.requested = 0
        self.shipments: list[dict[str, Any]] = []
        self.returns: list[dict[str, Any]] = []
        self.notes: list[dict[str, Any]] = []
        self.staff_notes: list[dict[str, Any]] = []
        self.told: list[str] = []
        self.uncommitted = sorted({line["sku"] for line in self.lines})
        self.awaited = set(self.uncommitted)
        self.amendments: dict[str, set[str]] = {}
        self.asked_for = {sku: {quantity} for sku, quantity in self.ordered().items()}
        self.status, self.reason, self.tracking = "placed", "", ""
        self.ready = self.secured = self.was_confirmed = False
        self.placed_at = self.updated_at = fact.time
        self.confirmed_at: str | None = None
        self.asked = fact.causation
        self.placed = self.ended = fact.timestamp
        self.partition, self.version, self.position = fact.partition, fact.version, fact.offset

    @property
    def over(self) -> bool:
        """Rejected or cancelled: no goods and no money are to change hands."""
        return self.status in OVER

    @property
    def open(self) -> bool:
        """Neither confirmed nor over."""
        return self.status in ("placed", "secured")

    def ordered(self) -> dict[str, int]:
        """How many of each SKU were asked for."""
        sums: dict[str, int] = {}
        for line in self.lines:
            sums[line["sku"]] = sums.get(line["sku"], 0) + line["quantity"]
        return sums

    def wanted(self) -> dict[str, int]:
        """How many of each SKU are left of them."""
        return {sku: quantity - self.cancelled.get(sku, 0) for sku, quantity in self.ordered().items()}

    def sent(self) -> dict[str, int]:
        """How many of each SKU have left the house."""
        sums = dict.fromkeys(self.ordered(), 0)
        for shipment in self.shipments:
            for sku, quantity in shipment["items"].items():
                sums[sku] += quantity
        return sums

    def left(self) -> dict[str, int]:
        """How many of each SKU are still to go."""
        wanted, sent = self.wanted(), self.sent()
        return {sku: wanted[sku] - sent[sku] for sku in wanted if wanted[sku] > sent[sku]}

    def back(self) -> dict[str, int]:
        """How many of each SKU were taken back, or are to come."""
        sums = dict.fromkeys(self.ordered(), 0)
        for each in self.returns:
            taken = [item for item in each["received"] if item["verdict"] != "refuse"]
            coming = {} if each["received_at"] else each["items"]
            for sku, quantity in (*((item["sku"], item["quantity"]) for item in taken), *coming.items()):
                sums[sku] += quantity
        return sums

    def row(self) -> dict[str, Any]:
        """As the read model must show it."""
        return {
            "order_id": self.order_id,
            "customer_id": self.customer_id,
            "email": self.email,
            "status": self.status,
            "reason": self.reason,
            "currency": self.currency,
            "total": self.total,
            "line_count": len(self.lines),
            "lines": self.lines,
            "shipping_address": self.address,
            "uncommitted": self.uncommitted,
            "ready_to_ship": self.ready,
            "tracking": self.tracking,
            "shipping_cents": self.shipping,
            "cancelled": self.cancelled,
            "shipments": self.shipments,
            "returns": self.returns,
            "notes": self.notes,
            "staff_notes": self.staff_notes,
            "placed_at": self.placed_at,
            "updated_at": self.updated_at,
            "confirmed_at": self.confirmed_at,
            "version": self.version,
            "partition": self.partition,
            "position": self.position,
        }


LINE = ("sku", "quantity", "unit_price")


def line_of(line: dict[str, Any]) -> dict[str, Any]:
    """A line with its tax, which is not told where there is none."""
    return {**{name: line[name] for name in LINE}, "tax_cents": line.get("tax_cents", 0)}


ADDRESS = ("name", "street", "city", "postal_code", "country")


def cost_of(line: dict[str, Any]) -> int:
    """What a line comes to, tax included."""
    return int(line["quantity"] * line["unit_price"] + line["tax_cents"])
