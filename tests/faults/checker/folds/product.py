"""Products, their stock, and what is held of it for which order."""

from typing import Any

from tests.faults.checker.findings import Fact
from tests.faults.checker.folds.orders import Orders, Report

LEGAL = {
    "reservation.made.v1": ("",),
    "reservation.extended.v1": ("", "made", "emptied"),
    "reservation.refused.v1": ("", "made", "emptied"),
    "reservation.committed.v1": ("made",),
    "reservation.released.v1": ("", "made", "committed"),
    "reservation.reduced.v1": ("made", "committed"),
    "reservation.lapsed.v1": ("made",),
    "reservation.shipped.v1": ("committed",),
}
"""From which state of a reservation each step may be taken; what is released before it was made stays released."""


class Product:
    """One product."""

    __slots__ = (
        "brand", "currency", "department", "description", "held", "listed_at", "locations", "name", "partition",
        "position", "price", "shipped", "sku", "threshold", "told", "told_low", "updated_at", "version", "waiting",
        "withdrawn",
    )  # fmt: skip

    def __init__(self, body: dict[str, Any]) -> None:
        self.sku: str = body["sku"]
        self.name, self.description, self.department = body["name"], body["description"], body["department"]
        self.brand = body.get("brand", "")
        self.price, self.currency = body["price"], body["currency"]
        self.withdrawn = False
        self.held = self.shipped = self.told = self.told_low = 0
        self.locations: dict[str, int] = {}
        self.threshold: int | None = None
        self.waiting: set[str] = set()
        self.listed_at = self.updated_at = ""
        self.partition = self.version = self.position = 0

    def row(self) -> dict[str, Any]:
        """As the read model must show it."""
        shown = {name: getattr(self, name) for name in self.__slots__ if name not in ("told", "told_low", "waiting")}
        available = self.on_hand - self.held
        low = self.threshold is not None and available <= self.threshold
        return shown | {"on_hand": self.on_hand, "available": available, "low": low}

    @property
    def on_hand(self) -> int:
        """What lies anywhere."""
        return sum(self.locations.values())

    def put(self, location: str, quantity: int) -> None:
        """Change what lies at a location, of which none is named that has nothing."""
        self.locations[location] = self.locations.get(location, 0) + quantity
        if not self.locations[location]:
            del self.locations[location]


class Hold:
    """How many of a SKU were reserved for an order, and what became of them."""

    __slots__ = ("released", "reserved", "shipped")

    def __init__(self) -> None:
        self.reserved = self.released = self.shipped = 0

    @property
    def left(self) -> int:
        """What is held now."""
        return self.reserved - self.released - self.shipped


class Products:
    """All products by SKU, all holds by order and SKU, all reservations by stream."""

    def __init__(self, orders: Orders, report: Report) -> None:
        self.all: dict[str, Product] = {}
        self.holds: dict[str, dict[str, Hold]] = {}
        self.reservations: dict[str, str] = {}
        self.last: dict[str, int] = {}
        self._items: dict[str, list[str]] = {}
        self.refused_for_want = 0
        self._orders, self._report = orders, report

    def apply(self, fact: Fact) -> None:
        """Take an event into account, and say so if it must not have happened."""
        if fact.kind.startswith("reservation."):
            self._reservation(fact)
        else:
            self._product(fact)

    def _product(self, fact: Fact) -> None:
        body, sku = fact.body, fact.body["sku"]
        product = self.all.get(sku)
        if fact.kind == "product.listed.v1":
            if product is not None:
                self._report("stock.legal_steps", sku, "listed a second time", fact)
            product = self.all[sku] = Product(body)
            product.listed_at = fact.time
        elif product is None:
            self._report("stock.legal_steps", sku, f"{fact.kind} before it was listed", fact)
            return
        else:
            self._change(product, fact)
            if not 0 <= product.held <= product.on_hand:
                self._report("stock.no_oversell", sku, f"{product.held} held of {product.on_hand} on hand", fact)
            if min(product.locations.values(), default=0) < 0:
                self._report("stock.no_oversell", sku, f"less than nothing at a location: {product.locations}", fact)
        product.updated_at = fact.time
        product.partition, product.version, product.position = fact.partition, fact.version, fact.offset

    def _change(self, product: Product, fact: Fact) -> None:
        body = fact.body
        match fact.kind:
            case "product.described.v1":
                product.name, product.description = body["name"], body["description"]
                product.department, product.brand = body["department"], body.get("brand", "")
            case "product.priced.v1":
                product.price, product.currency = body["price"], body["currency"]
            case "product.withdrawn.v1":
                product.withdrawn = True
            case "stock.received.v1":
                product.put(body.get("location", "main"), body["quantity"])
            case "stock.adjusted.v1":
                product.put(body.get("location", "main"), body["delta"])
            case "stock.counted.v1":
                location = body.get("location", "main")
                product.put(location, body["quantity"] - product.locations.get(location, 0))
            case "stock.transferred.v1":
                product.put(body["source"], -body["quantity"])
                product.put(body["target"], body["quantity"])
            case "product.low_stock_set.v1":
                product.threshold = body["threshold"]
            case "stock.ran_low.v1":
                if product.threshold is None or product.on_hand - product.held > product.threshold:
                    self._report("stock.legal_steps", product.sku, "said to be low, and is not", fact)
                product.told_low += 1 if body.get("tell") else 0
            case "stock.awaited.v1":
                product.waiting.add(body["customer_id"])
            case "stock.not_awaited.v1":
                product.waiting.discard(body["customer_id"])
            case "stock.returned.v1":
                pass
            case "stock.told.v1":
                self._told(product, fact)
            case _:
                self._move(product, fact)

    def _told(self, product: Product, fact: Fact) -> None:
        for customer in (each["customer_id"] for each in fact.body["customers"]):
            if customer not in product.waiting:
                self._report("stock.legal_steps", product.sku, f"{customer} is told, and does not wait", fact)
            product.waiting.discard(customer)
            product.told += 1

    def _move(self, product: Product, fact: Fact) -> None:
        body, quantity = fact.body, fact.body["quantity"]
        self.last[body["order_id"]] = fact.timestamp
        hold = self.holds.setdefault(body["order_id"], {}).setdefault(product.sku, Hold())
        match fact.kind:
            case "stock.reserved.v1":
                product.held += quantity
                hold.reserved += quantity
                return
            case "stock.released.v1":
                product.held -= quantity
                hold.released += quantity
            case "stock.shipped.v1":
                product.held -= quantity
                for each in body.get("taken") or [{"location": "main", "quantity": quantity}]:
                    product.put(each["location"], -each["quantity"])
                if sum(each["quantity"] for each in body.get("taken", ())) not in (0, quantity):
                    self._report("stock.legal_steps", product.sku, f"{body['taken']} is not {quantity}", fact)
                product.shipped += quantity
                hold.shipped += quantity
        if hold.left < 0:
            said = f"{product.sku}: {hold.reserved} reserved, {hold.released} released, {hold.shipped} shipped"
            self._report("stock.released_once", body["order_id"], said, fact)

    def _reservation(self, fact: Fact) -> None:
        order_id = fact.body["order_id"]
        self.last[order_id] = fact.timestamp
        state = self.reservations.get(fact.stream, "")
        if state not in LEGAL[fact.kind]:
            said = f"{fact.kind} on shelf {fact.partition} of what is {state or 'not held'}"
            self._report("stock.legal_steps", order_id, said, fact)
        if fact.kind == "reservation.reduced.v1":
            return
        step = "emptied" if fact.body.get("part_id") and fact.kind == "reservation.released.v1" else ""
        self.reservations[fact.stream] = step or fact.kind.split(".")[1].replace("extended", "made")
        match fact.kind.split(".")[1]:
            case "made":
                self._made(order_id, fact)
            case "extended":
                self._extended(order_id, fact)
            case "refused":
                self._refused(order_id, fact)
            case "released" | "lapsed" | "shipped":
                self._over(order_id, fact)

    def _made(self, order_id: str, fact: Fact) -> None:
        holds = self.holds.get(order_id, {})
        self._items[fact.stream] = [item["sku"] for item in fact.body["items"] if item["sku"] in holds]
        for item in fact.body["items"]:
            hold = holds.get(item["sku"])
            if hold is None or hold.left != item["quantity"]:
                self._report("stock.held_is_ordered", order_id, f"{item['sku']} is said to be held, and is not", fact)

    def _extended(self, order_id: str, fact: Fact) -> None:
        holds, known = self.holds.get(order_id, {}), self._items.setdefault(fact.stream, [])
        for item in fact.body["items"]:
            hold = holds.get(item["sku"])
            if hold is None or hold.left < item["quantity"]:
                self._report("stock.held_is_ordered", order_id, f"{item['sku']} is said to be held, and is not", fact)
            elif item["sku"] not in known:
                known.append(item["sku"])

    def _over(self, order_id: str, fact: Fact) -> None:
        holds = self.holds.get(order_id, {})
        for sku in self._items.pop(fact.stream, ()):
            hold = holds[sku]
            if hold.left:
                said = f"{sku}: {hold.reserved} reserved, {hold.released} released, {hold.shipped} shipped"
                self._report("stock.released_once", order_id, said, fact)

    def _refused(self, order_id: str, fact: Fact) -> None:
        self._over(order_id, fact)
        order = self._orders.all.get(order_id)
        self.refused_for_want += fact.body["reason"] == "out of stock"
        wanted = {sku: max(sums) for sku, sums in order.asked_for.items()} if order else {}
        for sku in fact.body["skus"]:
            product = self.all.get(sku)
            if product is None or product.withdrawn or sku not in wanted:
                continue
            if product.on_hand - product.held >= wanted[sku]:
                said = f"{wanted[sku]} of {sku} refused with {product.on_hand - product.held} available"
                self._report("stock.refusals_honest", order_id, said, fact)
