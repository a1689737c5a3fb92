"""The script is what customers will ask for, written before anything is asked: the same seed gives the same script.

Real baskets of up to six lines, a hot SKU for which there is more demand than stock, cards that are declined, amounts
at which the provider goes wrong, and for each order what its customer does with it later.
"""

from collections.abc import Iterator
from datetime import date
from functools import cached_property
from random import Random
from typing import Any
from uuid import UUID

from msgspec import Struct

from api.stub.book import BRIEF_TOKEN
from schemas.order import PlaceOrder
from schemas.product import ListProduct
from workers.baskets import CURRENCY, Baskets, Window

LONGEST_BASKET = 6
HOT, HOT_SHARE, HOT_DEMAND = "HOT-1", 0.15, 1.6
"""The SKU that is short, the share of orders that want it, and how much more is wanted than there is."""
REFILL_EVERY = 50
"""Orders between two deliveries of the hot SKU."""
GIFT = "GIFT-CARD"
"""The SKU of any price: with it, an order's amount is one of those at which the provider goes wrong."""
MAGIC = {4_000_002: 2, 4_000_408: 1, 4_000_409: 2, 4_000_500: 2, 4_000_999: 6}
MAGIC_SHARE, DECLINED_SHARE = 0.05, 0.015
REPEATED = 0.10
"""The share of requests that are sent twice under one key."""
FATES = {
    "keep": 25,
    "cancel first": 2,  # these three come in the wrong order
    "cancel at once": 3,
    "ship at once": 1,
    "cancel in payment": 5,
    "cancel paid": 7,
    "ship": 10,
    "deliver": 11,
    "refund a part": 5,
    "refund twice": 3,
    "refund all": 2,
    "cancel shipped": 3,
    "cancel a line": 3,  # while its stock and its money are being asked for
    "cancel a paid line": 3,
    "ship in parts": 2,
    "send back": 2,
    "amend": 3,  # while its stock is being asked for, or a moment too late
    "other cards": 3,
    "pay in parts": 3,
    "pay in parts, call off": 2,
    "outlive a hold": 2,  # between two shipments, and the same card is held as briefly once more
}
MORE: dict[str, dict[str, Any]] = {
    "other cards": {"payment_token": "tok_declined", "payment_attempts": 3},
    "pay in parts": {"capture": "per_shipment", "payment_attempts": 2},
    "pay in parts, call off": {"capture": "per_shipment"},
    "outlive a hold": {"capture": "per_shipment", "payment_token": BRIEF_TOKEN},
}
"""What an order says when it is placed, for what its customer does later."""


IN_PARTS = [fate for fate, said in MORE.items() if "capture" in said]


class Ask(Struct, frozen=True):
    """One request as a client means it: sent again, it is the same request. `kind` is for the history."""

    kind: str
    target: str
    path: str
    body: dict[str, Any]
    key: str
    repeats: tuple[float, ...] = ()
    """Seconds after the first send at which the same is sent once more, as if by another hand."""


class Life(Struct, frozen=True):
    """One order, from its customer's side; `pause` is how long (seconds) the customer thinks before each later step."""

    number: int
    order_id: str
    total: int
    fate: str
    place: Ask
    later: tuple[Ask, ...]
    pause: float


class Script:
    """What is asked in a run; lives are made as they are needed, each from the seed and its own number."""

    def __init__(self, seed: int, baskets: int = 400) -> None:
        self.seed, self._count = seed, baskets

    @cached_property
    def pool(self) -> list[PlaceOrder]:
        """The baskets that are ordered, over and over: small ones, of one week."""
        week = Baskets.from_wheel().orders(Window.of(date(2017, 10, 9), days=7))
        return [order for order in week if len(order.lines) <= LONGEST_BASKET][: self._count]

    def products(self) -> list[Ask]:
        """The catalogue: what is in the baskets, in stock for ever, the hot SKU and the gift card."""
        rng = Random(f"{self.seed}/products")
        prices = {line.sku: line.unit_price for order in self.pool for line in order.lines}
        listings = [_listing(sku, price, 10**8) for sku, price in sorted(prices.items())]
        special = [_listing(HOT, 1999, self._hot_stock()), _listing(GIFT, 5000, 10**8)]
        return [
            Ask("list", product.sku, "/products", product.model_dump(), _key(rng)) for product in special + listings
        ]

    def refill(self, number: int) -> Ask | None:
        """The delivery of the hot SKU that comes after so many orders, if one does."""
        if number % REFILL_EVERY:
            return None
        rng = Random(f"{self.seed}/refill/{number}")
        return Ask("stock", HOT, f"/products/{HOT}/stock/receive", {"quantity": self._hot_stock()}, _key(rng))

    def lives(self) -> Iterator[Life]:
        """Order after order, without an end."""
        number = 0
        while True:
            yield self.life(number)
            number += 1

    def life(self, number: int) -> Life:
        """One order and what becomes of it, as far as its customer has a say."""
        rng = Random(f"{self.seed}/order/{number}")
        order_id = _key(rng)
        fate = rng.choices(list(FATES), list(FATES.values()))[0]
        body = self._body(rng, number) | {"order_id": order_id} | MORE.get(fate, {})
        place = Ask("place", order_id, "/orders", body, _key(rng), _repeats(rng))
        total = sum(line["quantity"] * line["unit_price"] for line in body["lines"])
        return Life(
            number, order_id, total, fate, place, _later(rng, fate, order_id, body["lines"]), rng.uniform(0.1, 3.0)
        )

    def _body(self, rng: Random, number: int) -> dict[str, Any]:
        basket = self.pool[number % len(self.pool)]
        body = basket.model_dump(mode="json", exclude={"order_id"})
        if rng.random() < MAGIC_SHARE:
            amount = rng.choices(list(MAGIC), list(MAGIC.values()))[0]
            body["lines"] = [{"sku": GIFT, "quantity": 1, "unit_price": amount}]
        elif rng.random() < HOT_SHARE:
            body["lines"].append({"sku": HOT, "quantity": rng.randint(1, 3), "unit_price": 1999})
        if rng.random() < DECLINED_SHARE:
            body["payment_token"] = "tok_declined"
        return body

    def _hot_stock(self) -> int:
        """What is delivered at a time: two pieces an order are wanted, by a share of the orders."""
        return round(REFILL_EVERY * (1 - MAGIC_SHARE) * HOT_SHARE * 2 / HOT_DEMAND)


def _listing(sku: str, price: int, stock: int) -> ListProduct:
    return ListProduct(sku=sku, name=f"Product {sku}", price=price, currency=CURRENCY, stock=stock)


def _later(rng: Random, fate: str, order_id: str, lines: list[dict[str, Any]]) -> tuple[Ask, ...]:
    def ask(kind: str, **body: Any) -> Ask:
        return Ask(kind.rpartition("/")[2], order_id, f"/orders/{order_id}/{kind}", body, _key(rng), _repeats(rng))

    def attempt(token: str) -> Ask:
        path = f"/payments/{order_id}/attempts"
        return Ask("attempt", order_id, path, {"payment_token": token}, _key(rng), _repeats(rng))

    if sum(line["quantity"] for line in lines) == 1 and fate in IN_PARTS:
        return ()
    part = {"amount": max(1, sum(line["quantity"] * line["unit_price"] for line in lines) // 3)}
    one = {"sku": lines[-1]["sku"], "quantity": 1}
    match fate:
        case "cancel first" | "cancel at once" | "cancel in payment":
            return (ask("cancel"),)  # a reason is its customer's, whom the read model has to know first
        case "ship at once":
            return (ask("ship"),)
        case "cancel paid":
            return (ask("cancel", reason=fate),)
        case "ship":
            return (ask("ship", tracking=f"T{order_id[:8]}"),)
        case "deliver":
            return (ask("ship"), ask("deliver"))
        case "cancel shipped":
            return (ask("ship"), ask("cancel", reason=fate))
        case "cancel a line" | "cancel a paid line":
            return (ask(f"lines/{one['sku']}/cancel", quantity=1),)
        case "ship in parts":
            return (ask("ship", lines=[one]), ask(f"lines/{one['sku']}/cancel"), ask("ship"), ask("deliver"))
        case "amend":
            more = [{**lines[-1], "quantity": lines[-1]["quantity"] + 1}]
            return (ask("amend", lines=more), ask("amend", lines=[lines[-1]]))
        case "other cards":
            return (attempt("tok_declined"), attempt("tok_visa"))
        case "pay in parts":
            return (ask("ship", lines=[one]), ask("ship"), ask("deliver"), ask("returns", items=[one], reason="dull"))
        case "pay in parts, call off":
            return (ask("ship", lines=[one]), *(ask(f"lines/{line['sku']}/cancel") for line in lines[:2]))
        case "outlive a hold":
            return (ask("ship", lines=[one]), attempt("tok_visa"), ask("ship"), ask("refund"))
        case "send back":
            return (ask("ship"), ask("deliver"), ask("returns", items=[one], reason="too small"))
        case "refund a part":
            return (ask("refund", **part),)
        case "refund twice":
            return (ask("refund", **part), ask("refund", **part))
        case "refund all":
            return (ask("refund"),)
        case _:
            return ()


def _repeats(rng: Random) -> tuple[float, ...]:
    """At once, so that both are under way together, or soon, or when the first is long forgotten."""
    if rng.random() >= REPEATED:
        return ()
    return (rng.choice((0.0, rng.uniform(0.01, 0.2), rng.uniform(0.5, 3.0), rng.uniform(5.0, 20.0))),)


def _key(rng: Random) -> str:
    return str(UUID(int=rng.getrandbits(128), version=4))
