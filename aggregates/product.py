"""Product rules: what is listed may be sold, what is held may not be sold again, and no shelf goes below zero."""

from collections.abc import Sequence
from itertools import islice
from typing import Any, assert_never

from msgspec import Struct
from msgspec.structs import replace

from aggregates.errors import (
    ProductAlreadyWithdrawn,
    ProductExists,
    ProductUnknown,
    StockElsewhere,
    StockHeld,
    StockThere,
    WaitingListFull,
)
from events.event import Event
from events.product import (
    LowStockSet,
    Movement,
    ProductDescribed,
    ProductEvent,
    ProductListed,
    ProductPriced,
    ProductWithdrawn,
    StockAdjusted,
    StockAwaited,
    StockCounted,
    StockNotAwaited,
    StockRanLow,
    StockReceived,
    StockReleased,
    StockReserved,
    StockReturned,
    StockShipped,
    StockTold,
    StockTransferred,
    Waiting,
    moved,
)
from schemas.product import (
    AdjustStock,
    AwaitStock,
    CountStock,
    DescribeProduct,
    ListProduct,
    PriceProduct,
    ReceiveStock,
    SetLowStock,
    StopAwaitingStock,
    TellWaiting,
    TransferStock,
    WithdrawProduct,
)
from schemas.values import MAIN

MOST_WAITING = 1000
"""Customers who wait for one product."""
TOLD_AT_ONCE = 50
"""Customers that one event has told; the next follows as soon as it is recorded."""


class Product(Struct, frozen=True):
    """What the rules need to know of a product; held stock is still on the shelf.

    `elsewhere`: what of the stock on hand lies at other locations than the main one. `low`: this has been said, and the
    stock has not been above the threshold since. `waiting`: e-mail addresses by customer, who came first comes first.
    `tell`: who is told that it is low, `lows` times so far.
    """

    listed: bool = False
    withdrawn: bool = False
    name: str = ""
    description: str = ""
    department: str = ""
    price: int = 0
    currency: str = ""
    on_hand: int = 0
    held: int = 0
    brand: str = ""
    elsewhere: dict[str, int] = {}
    threshold: int | None = None
    low: bool = False
    waiting: dict[str, str] = {}
    told: int = 0
    tell: str = ""
    lows: int = 0

    @property
    def locations(self) -> dict[str, int]:
        """What lies at each location that has any."""
        main = self.on_hand - sum(self.elsewhere.values())
        return {MAIN: main, **self.elsewhere} if main else self.elsewhere

    @property
    def available(self) -> int:
        """How many may still be promised."""
        return self.on_hand - self.held

    @property
    def on_sale(self) -> bool:
        """Whether it may be ordered."""
        return self.listed and not self.withdrawn


def evolve(product: Product, event: ProductEvent) -> Product:
    after = _evolve(product, event)
    if after.low and (after.threshold is None or after.available > after.threshold):
        return replace(after, low=False)
    return after


def _evolve(product: Product, event: ProductEvent) -> Product:
    match event:
        case ProductListed():
            return replace(product, listed=True, **_listing(event))
        case ProductDescribed():
            return replace(product, **_words(event))
        case ProductPriced():
            return replace(product, price=event.price, currency=event.currency)
        case ProductWithdrawn():
            return replace(product, withdrawn=True)
        case StockReceived() | StockAdjusted() | StockCounted() | StockTransferred():
            return _stocked(product, event)
        case StockReserved():
            return replace(product, held=product.held + event.quantity)
        case StockReleased():
            return replace(product, held=product.held - event.quantity)
        case StockShipped(taken=()) if not product.elsewhere:
            return replace(product, on_hand=product.on_hand - event.quantity, held=product.held - event.quantity)
        case StockShipped():
            return _stocked(replace(product, held=product.held - event.quantity), event)
        case LowStockSet():
            return replace(product, threshold=event.threshold, tell=event.tell)
        case StockRanLow():
            return replace(product, low=True, lows=event.nth or product.lows)
        case StockAwaited():
            return replace(product, waiting=product.waiting | {event.customer_id: event.email})
        case StockNotAwaited():
            return replace(product, waiting=_without(product.waiting, [event.customer_id]))
        case StockTold():
            told = [customer.customer_id for customer in event.customers]
            return replace(product, waiting=_without(product.waiting, told), told=event.nth)
        case StockReturned():
            return product
        case _:
            assert_never(event)


def _stocked(product: Product, event: Movement) -> Product:
    there = moved(event, product.locations)
    elsewhere = {name: quantity for name, quantity in there.items() if name != MAIN}
    return replace(product, on_hand=sum(there.values()), elsewhere=elsewhere)


def _without(waiting: dict[str, str], customers: Sequence[str]) -> dict[str, str]:
    return {customer: email for customer, email in waiting.items() if customer not in customers}


def list_(command: ListProduct, product: Product) -> list[Event]:
    wanted = _listing(command)
    if product.listed:
        if all(getattr(product, name) == value for name, value in wanted.items()):
            return []
        raise ProductExists
    listed = ProductListed(sku=command.sku, **wanted)
    if not command.stock:
        return [listed]
    return [listed, StockReceived(sku=command.sku, quantity=command.stock)]


def describe(command: DescribeProduct, product: Product) -> list[Event]:
    _refuse_unless_on_sale(product)
    described = ProductDescribed(**dict(command))
    return [] if evolve(product, described) == product else [described]


def price(command: PriceProduct, product: Product) -> list[Event]:
    _refuse_unless_on_sale(product)
    priced = ProductPriced(**dict(command))
    return [] if evolve(product, priced) == product else [priced]


def withdraw(command: WithdrawProduct, product: Product) -> list[Event]:
    if not product.listed:
        raise ProductUnknown
    return [] if product.withdrawn else [ProductWithdrawn(sku=command.sku, reason=command.reason)]


def receive(command: ReceiveStock, product: Product) -> list[Event]:
    if not product.listed:
        raise ProductUnknown
    return [StockReceived(**dict(command))]


def adjust(command: AdjustStock, product: Product) -> list[Event]:
    if not product.listed:
        raise ProductUnknown
    if product.on_hand + command.delta < product.held:
        raise StockHeld(f"orders hold {product.held}; {product.on_hand + command.delta} would be left")
    if not command.delta:
        return []
    _refuse_unless_there(product, command.location, -command.delta)
    return [StockAdjusted(**dict(command))]


def count(command: CountStock, product: Product) -> list[Event]:
    if not product.listed:
        raise ProductUnknown
    known = product.locations.get(command.location, 0)
    left = product.on_hand - known + command.quantity
    if left < product.held:
        raise StockHeld(f"orders hold {product.held}; {left} would be left with what was counted")
    return [] if command.quantity == known else [StockCounted(**dict(command))]


def transfer(command: TransferStock, product: Product) -> list[Event]:
    if not product.listed:
        raise ProductUnknown
    _refuse_unless_there(product, command.source, command.quantity)
    return [] if command.source == command.target else [StockTransferred(**dict(command))]


def set_low_stock(command: SetLowStock, product: Product) -> list[Event]:
    if not product.listed:
        raise ProductUnknown
    tell = command.tell or ""
    if (command.threshold, tell) == (product.threshold, product.tell):
        return []
    return [LowStockSet(sku=command.sku, threshold=command.threshold, tell=tell)]


def await_stock(command: AwaitStock, product: Product) -> list[Event]:
    _refuse_unless_on_sale(product)
    if product.waiting.get(command.customer_id) == command.email:
        return []
    if product.available > 0:
        raise StockThere
    if command.customer_id not in product.waiting and len(product.waiting) >= MOST_WAITING:
        raise WaitingListFull
    return [StockAwaited(**dict(command))]


def stop_awaiting(command: StopAwaitingStock, product: Product) -> list[Event]:
    if not product.listed:
        raise ProductUnknown
    return [StockNotAwaited(**dict(command))] if command.customer_id in product.waiting else []


def tell_waiting(command: TellWaiting, product: Product) -> list[Event]:
    if not to_be_told(product):
        return []
    first = islice(product.waiting.items(), TOLD_AT_ONCE)
    customers = tuple(Waiting(customer_id=customer, email=email) for customer, email in first)
    return [StockTold(sku=command.sku, nth=product.told + 1, name=product.name, customers=customers)]


def to_be_told(product: Product) -> bool:
    """Whether there is something to buy for those who wait."""
    return bool(product.waiting) and product.on_sale and product.available > 0


def _refuse_unless_there(product: Product, location: str, quantity: int) -> None:
    there = product.locations.get(location, 0)
    if quantity > there:
        raise StockElsewhere(f"{location} has {there}, and not {quantity}")


def _words(said: ProductListed | ProductDescribed | ListProduct) -> dict[str, str]:
    """What is said of a product."""
    return {name: getattr(said, name) for name in ("name", "description", "department", "brand")}


def _listing(said: ProductListed | ListProduct) -> dict[str, Any]:
    """What is said of a product, and its price."""
    return {**_words(said), "price": said.price, "currency": said.currency}


def _refuse_unless_on_sale(product: Product) -> None:
    if not product.listed:
        raise ProductUnknown
    if product.withdrawn:
        raise ProductAlreadyWithdrawn


RULES = {
    ListProduct: list_,
    DescribeProduct: describe,
    PriceProduct: price,
    WithdrawProduct: withdraw,
    ReceiveStock: receive,
    AdjustStock: adjust,
    CountStock: count,
    TransferStock: transfer,
    SetLowStock: set_low_stock,
    AwaitStock: await_stock,
    StopAwaitingStock: stop_awaiting,
    TellWaiting: tell_waiting,
}
