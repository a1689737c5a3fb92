"""Product rules: what is listed may be sold, what is held may not be sold again, and no shelf goes below zero."""

from typing import Any, assert_never

from msgspec import Struct
from msgspec.structs import replace

from aggregates.errors import ProductAlreadyWithdrawn, ProductExists, ProductUnknown, StockHeld
from events.event import Event
from events.product import (
    ProductDescribed,
    ProductEvent,
    ProductListed,
    ProductPriced,
    ProductWithdrawn,
    StockAdjusted,
    StockCounted,
    StockReceived,
    StockReleased,
    StockReserved,
    StockShipped,
)
from schemas.product import (
    AdjustStock,
    CountStock,
    DescribeProduct,
    ListProduct,
    PriceProduct,
    ReceiveStock,
    WithdrawProduct,
)


class Product(Struct, frozen=True):
    """What the rules need to know of a product; held stock is still on the shelf."""

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

    @property
    def available(self) -> int:
        """How many may still be promised."""
        return self.on_hand - self.held

    @property
    def on_sale(self) -> bool:
        """Whether it may be ordered."""
        return self.listed and not self.withdrawn


def evolve(product: Product, event: ProductEvent) -> Product:
    match event:
        case ProductListed():
            return replace(product, listed=True, **_listing(event))
        case ProductDescribed():
            return replace(product, **_words(event))
        case ProductPriced():
            return replace(product, price=event.price, currency=event.currency)
        case ProductWithdrawn():
            return replace(product, withdrawn=True)
        case StockReceived():
            return replace(product, on_hand=product.on_hand + event.quantity)
        case StockAdjusted():
            return replace(product, on_hand=product.on_hand + event.delta)
        case StockCounted():
            return replace(product, on_hand=event.quantity)
        case StockReserved():
            return replace(product, held=product.held + event.quantity)
        case StockReleased():
            return replace(product, held=product.held - event.quantity)
        case StockShipped():
            return replace(product, on_hand=product.on_hand - event.quantity, held=product.held - event.quantity)
        case _:
            assert_never(event)


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
    return [StockReceived(sku=command.sku, quantity=command.quantity)]


def adjust(command: AdjustStock, product: Product) -> list[Event]:
    if not product.listed:
        raise ProductUnknown
    if product.on_hand + command.delta < product.held:
        raise StockHeld(f"orders hold {product.held}; {product.on_hand + command.delta} would be left")
    if not command.delta:
        return []
    return [StockAdjusted(sku=command.sku, delta=command.delta, reason=command.reason)]


def count(command: CountStock, product: Product) -> list[Event]:
    if not product.listed:
        raise ProductUnknown
    if command.quantity < product.held:
        raise StockHeld(f"orders hold {product.held}; {command.quantity} were counted")
    if command.quantity == product.on_hand:
        return []
    return [StockCounted(sku=command.sku, quantity=command.quantity)]


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
}
