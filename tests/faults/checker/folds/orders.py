"""Orders as the log tells of them, step by step, and whether each step was legal."""

from collections.abc import Callable
from typing import Any

from tests.faults.checker.findings import Fact
from tests.faults.checker.folds.order import ADDRESS, OVER, Order, cost_of, line_of

Report = Callable[[str, str, str, Fact], None]

ENDED = (*OVER, "delivered")

LEGAL = {
    "order.lines_reserved.v1": ("placed",),
    "order.stock_secured.v1": ("placed",),
    "order.confirmed.v1": ("secured",),
    "order.lines_committed.v1": ("confirmed",),
    "order.rejected.v1": ("placed", "secured"),
    "order.cancelled.v1": ("placed", "secured", "confirmed"),
    "order.line_cancelled.v1": ("placed", "secured", "confirmed", "partially_shipped"),
    "order.partly_shipped.v1": ("confirmed", "partially_shipped"),
    "order.shipped.v1": ("confirmed", "partially_shipped"),
    "order.shipment_delivered.v1": ("partially_shipped", "shipped"),
    "order.delivered.v1": ("shipped",),
    "order.amended.v1": ("placed",),
    "order.address_changed.v1": ("placed", "secured", "confirmed"),
    "order.noted.v1": (
        "placed",
        "secured",
        "confirmed",
        "partially_shipped",
        "shipped",
        "delivered",
        "rejected",
        "cancelled",
    ),
    "order.return_requested.v1": ("partially_shipped", "shipped", "delivered"),
    "order.return_received.v1": ("partially_shipped", "shipped", "delivered"),
}
"""From which status each step may be taken."""


class Orders:
    """All orders, by id."""

    def __init__(self, report: Report) -> None:
        self.all: dict[str, Order] = {}
        self._report = report

    def apply(self, fact: Fact) -> None:
        """Take an event into account, and say so if it must not have happened."""
        order_id = fact.body["order_id"]
        order = self.all.get(order_id)
        if fact.kind == "order.placed.v1":
            if order is not None:
                self._report("orders.one_end", order_id, "placed a second time", fact)
            order = self.all[order_id] = Order(fact)
            if order.total != order.shipping + sum(map(cost_of, order.lines)):
                self._report("money.amounts", order_id, f"a total of {order.total} is not what its lines cost", fact)
            return
        if order is None:
            self._report("orders.legal_steps", order_id, f"{fact.kind} before it was placed", fact)
            return
        if order.status not in LEGAL[fact.kind]:
            promise = "orders.one_end" if order.status in ENDED else "orders.legal_steps"
            self._report(promise, order_id, f"{fact.kind} of an order that is {order.status}", fact)
        self._step(order, fact)
        order.updated_at, order.ended = fact.time, fact.timestamp
        order.version, order.position, order.partition = fact.version, fact.offset, fact.partition

    def _step(self, order: Order, fact: Fact) -> None:
        body = fact.body
        match fact.kind:
            case "order.lines_reserved.v1":
                which = body.get("amendment_id", "")
                awaited = order.amendments.get(which, set()) if which else order.awaited
                self._expect(order, fact, awaited.issuperset(body["skus"]), "lines that it did not await")
                awaited -= set(body["skus"])
            case "order.stock_secured.v1":
                self._expect(order, fact, _same_money(order, body), "another amount")
                order.status, order.secured, order.requested = "secured", True, body["amount"]
            case "order.confirmed.v1":
                self._expect(order, fact, _same_money(order, body), "another amount")
                order.status, order.confirmed_at, order.was_confirmed = "confirmed", fact.time, True
            case "order.lines_committed.v1":
                self._expect(order, fact, set(body["skus"]) <= set(order.uncommitted), "lines that were committed")
                order.uncommitted = [sku for sku in order.uncommitted if sku not in body["skus"]]
                order.ready = not order.uncommitted
            case "order.rejected.v1":
                refused = ", ".join(body["refused"])
                order.status, order.reason = "rejected", f"{body['reason']}: {refused}" if refused else body["reason"]
            case "order.cancelled.v1":
                order.status, order.reason, order.ready = "cancelled", body["reason"], False
            case "order.amended.v1":
                self._amended(order, fact)
            case "order.line_cancelled.v1":
                self._line_cancelled(order, fact)
            case "order.shipped.v1":
                self._sent(order, fact)
                order.status, order.ready = "shipped", False
                self._expect(order, fact, not order.left(), "shipped, and something is left")
                order.told.append("order_shipped")
            case "order.partly_shipped.v1":
                self._sent(order, fact)
                order.status = "partially_shipped"
                self._expect(order, fact, bool(order.left()), "partly shipped, and nothing is left")
                order.told.append("order_partly_shipped")
            case "order.shipment_delivered.v1":
                self._expect(order, fact, body["shipment_id"] in under_way(order), "no such shipment is under way")
                _arrive(order, fact, body["shipment_id"])
            case "order.address_changed.v1":
                order.address = {name: body["shipping_address"][name] for name in ADDRESS}
            case "order.noted.v1":
                note = {"note_id": body["note_id"], "text": body["text"], "by": body.get("by", ""), "at": fact.time}
                shown = order.notes if body["audience"] == "everyone" else order.staff_notes
                shown.append(note)
            case "order.return_requested.v1":
                self._announced(order, fact)
            case "order.return_received.v1":
                self._returned(order, fact)
            case "order.delivered.v1":
                _arrive(order, fact)
                order.status = "delivered"
                order.told.append("order_delivered")

    def _sent(self, order: Order, fact: Fact) -> None:
        body, left = fact.body, order.left()
        items = {item["sku"]: item["quantity"] for item in body.get("items", ())} or left
        legal = items and all(0 < quantity <= left.get(sku, 0) for sku, quantity in items.items())
        self._expect(order, fact, bool(legal), "more than is left")
        self._expect(order, fact, not order.uncommitted, "shipped with stock that may lapse")
        shipment = {"shipment_id": body.get("shipment_id", ""), "tracking": body["tracking"], "items": items}
        order.shipments = [*order.shipments, {**shipment, "shipped_at": fact.time, "delivered_at": None}]
        order.tracking = body["tracking"]
        self._charged(order, fact)

    def _charged(self, order: Order, fact: Fact) -> None:
        """Where money is taken per shipment, each says how much; the last, whatever is still owed."""
        charge = fact.body.get("charge")
        self._expect(order, fact, (charge is not None) == order.per_shipment, "charged as it was not agreed")
        billed, order.billed = order.billed, order.billed + (charge or 0)
        last = fact.kind == "order.shipped.v1"
        right = max(order.total, billed)
        if order.per_shipment and (order.billed != right if last else not billed <= order.billed <= right):
            said = f"{charge} charged after {billed}, and the order comes to {order.total}"
            self._report("money.amounts", order.order_id, said, fact)

    def _amended(self, order: Order, fact: Fact) -> None:
        """All lines are told anew, and how many of each SKU that is more or fewer."""
        body, before = fact.body, {sku: quantity for sku, quantity in order.wanted().items() if quantity}
        order.lines, order.cancelled = [line_of(line) for line in body["lines"]], {}
        order.total, order.shipping = body["total"], body["shipping_cents"]
        order.totals.add(order.total)
        if order.total != order.shipping + sum(map(cost_of, order.lines)):
            said = f"a total of {order.total} is not what its amended lines cost"
            self._report("money.amounts", order.order_id, said, fact)
        after = dict(before)
        for what, sign in (("added", 1), ("removed", -1)):
            for item in body[what]:
                after[item["sku"]] = after.get(item["sku"], 0) + sign * item["quantity"]
        self._expect(order, fact, after == order.ordered(), "its lines are not what was ordered, more and fewer")
        added = {item["sku"]: item["quantity"] for item in body["added"]}
        order.amendments[body["amendment_id"]] = set(added)
        for sku, quantity in added.items():
            sums = order.asked_for.setdefault(sku, {0})
            sums.add(max(sums) + quantity)
        order.uncommitted = sorted({*order.uncommitted, *added})

    def _line_cancelled(self, order: Order, fact: Fact) -> None:
        body, sku = fact.body, fact.body["sku"]
        there = order.wanted().get(sku, 0)
        legal = 0 < body["quantity"] <= order.left().get(sku, 0) and body["left"] == there - body["quantity"]
        self._expect(order, fact, legal and any(n > 0 for n in _after(order, body)), f"{there} of it were left")
        self._expect(order, fact, body["cancellation_id"] not in order.parts, "cancelled under an id that is taken")
        if not 0 <= body["amount"] <= sum(cost_of(line) for line in order.lines if line["sku"] == sku):
            self._report("money.amounts", order.order_id, f"{body['amount']} less: more than {sku} cost", fact)
        closes = order.per_shipment and order.status == "partially_shipped" and order.left() == {sku: body["quantity"]}
        self._expect(order, fact, bool(body.get("closes")) == closes, "closes it, or does not")
        order.cancelled = {**order.cancelled, sku: order.cancelled.get(sku, 0) + body["quantity"]}
        _less(order, body["cancellation_id"], body["amount"])
        order.told.append("order_line_cancelled")
        if order.status == "partially_shipped" and not order.left():
            order.status, order.ready = "shipped", False
        elif order.status != "partially_shipped" and not body["left"]:
            for awaited in (order.awaited, *order.amendments.values()):
                awaited.discard(sku)
            order.uncommitted = [other for other in order.uncommitted if other != sku]
            order.ready = order.status == "confirmed" and not order.uncommitted

    def _announced(self, order: Order, fact: Fact) -> None:
        body = fact.body
        items = {item["sku"]: item["quantity"] for item in body["items"]}
        there = {sku: n - order.back()[sku] for sku, n in _delivered(order).items()}
        legal = all(0 < quantity <= there.get(sku, 0) for sku, quantity in items.items())
        self._expect(order, fact, bool(items) and legal, "more than was delivered")
        asked = {"return_id": body["return_id"], "reason": body["reason"], "items": items, "requested_at": fact.time}
        order.returns = [*order.returns, {**asked, "received": [], "amount": 0, "note": "", "received_at": None}]
        order.told.append("order_return_requested")

    def _returned(self, order: Order, fact: Fact) -> None:
        body = fact.body
        asked = [each for each in order.returns if each["return_id"] == body["return_id"] and not each["received_at"]]
        self._expect(order, fact, len(asked) == 1, "nothing was announced, or it is back already")
        received = [{name: item[name] for name in ("sku", "quantity", "verdict")} for item in body["items"]]
        came: dict[str, int] = {}
        for item in received:
            came[item["sku"]] = came.get(item["sku"], 0) + item["quantity"]
        for each in asked:
            legal = all(0 < quantity <= each["items"].get(sku, 0) for sku, quantity in came.items())
            self._expect(order, fact, legal, "more than was announced")
        told = {"received": received, "amount": body["amount"], "note": body["note"], "received_at": fact.time}
        order.returns = [{**each, **told} if each in asked else each for each in order.returns]
        refused = sum(item["amount"] for item in body["items"] if item["verdict"] == "refuse")
        if body["amount"] != sum(item["amount"] for item in body["items"]) or refused:
            self._report("money.amounts", order.order_id, f"{body['amount']} less for what came back", fact)
        _less(order, body["return_id"], body["amount"])
        order.billed -= body["amount"] if order.per_shipment else 0
        order.told.append("order_return_received")

    def _expect(self, order: Order, fact: Fact, right: bool, said: str) -> None:
        if not right:
            self._report("orders.legal_steps", order.order_id, f"{fact.kind}: {said}", fact)


def _less(order: Order, part: str, amount: int) -> None:
    """The order comes to so much less."""
    order.parts[part] = amount
    order.total -= amount
    order.totals.add(order.total)


def _delivered(order: Order) -> dict[str, int]:
    """How many of each SKU have arrived."""
    sums = dict.fromkeys(order.ordered(), 0)
    for shipment in order.shipments:
        for sku, quantity in shipment["items"].items() if shipment["delivered_at"] else ():
            sums[sku] += quantity
    return sums


def under_way(order: Order) -> list[str]:
    """The shipments that have not arrived."""
    return [each["shipment_id"] for each in order.shipments if each["delivered_at"] is None]


def _arrive(order: Order, fact: Fact, which: str | None = None) -> None:
    arrived = under_way(order) if which is None else [which]
    order.shipments = [
        {**each, "delivered_at": fact.time if each["shipment_id"] in arrived else each["delivered_at"]}
        for each in order.shipments
    ]


def _after(order: Order, body: dict[str, Any]) -> list[int]:
    return [n - (body["quantity"] if sku == body["sku"] else 0) for sku, n in order.wanted().items()]


def _same_money(order: Order, body: dict[str, Any]) -> bool:
    return bool((body["amount"], body["currency"]) == (order.total, order.currency))
