"""Product builders: products on shelf 0 and what orders hold of them."""

from events.product import (
    ProductDescribed,
    ProductListed,
    ProductPriced,
    ProductWithdrawn,
    ReservationCommitted,
    ReservationLapsed,
    ReservationMade,
    ReservationReduced,
    ReservationRefused,
    ReservationReleased,
    ReservationShipped,
    StockAdjusted,
    StockCounted,
    StockReceived,
    StockReleased,
    StockReserved,
    StockShipped,
)
from schemas.product import ListProduct
from schemas.values import Item
from tests.builders.order import K1
from tests.builders.values import EUR, FIGS, HOLD, MILK, NOON, A

SHELF = 0
SOME = ((FIGS, 2), (MILK, 1))
"""What order A wants from shelf 0."""


def items(*wanted: tuple[str, int]) -> tuple[Item, ...]:
    return tuple(Item(sku=sku, quantity=quantity) for sku, quantity in wanted or SOME)


def list_product(sku: str = FIGS, stock: int = 0, price: int = 150) -> ListProduct:
    return ListProduct(sku=sku, name=sku.title(), department="food", price=price, currency=EUR, stock=stock)


def listed(sku: str = FIGS) -> ProductListed:
    return ProductListed(**list_product(sku).model_dump())


def described(name: str = "Dried figs", sku: str = FIGS) -> ProductDescribed:
    return ProductDescribed(sku=sku, name=name, description="from Izmir", department="dried fruit")


def priced(price: int = 175, sku: str = FIGS) -> ProductPriced:
    return ProductPriced(sku=sku, price=price, currency=EUR)


def withdrawn(sku: str = FIGS) -> ProductWithdrawn:
    return ProductWithdrawn(sku=sku, reason="withdrawn")


def received(quantity: int, sku: str = FIGS) -> StockReceived:
    return StockReceived(sku=sku, quantity=quantity)


def adjusted(delta: int, sku: str = FIGS) -> StockAdjusted:
    return StockAdjusted(sku=sku, delta=delta, reason="broken")


def counted(quantity: int, sku: str = FIGS) -> StockCounted:
    return StockCounted(sku=sku, quantity=quantity)


def stock_reserved(quantity: int, sku: str = FIGS, order_id: str = A) -> StockReserved:
    return StockReserved(sku=sku, order_id=order_id, quantity=quantity)


def stock_released(quantity: int, sku: str = FIGS, order_id: str = A) -> StockReleased:
    return StockReleased(sku=sku, order_id=order_id, quantity=quantity)


def stock_shipped(quantity: int, sku: str = FIGS, order_id: str = A) -> StockShipped:
    return StockShipped(sku=sku, order_id=order_id, quantity=quantity)


def made(*wanted: tuple[str, int], order_id: str = A) -> ReservationMade:
    return ReservationMade(order_id=order_id, partition=SHELF, items=items(*wanted), expires_at=NOON + HOLD)


def refused(*skus: str, reason: str = "out of stock", order_id: str = A) -> ReservationRefused:
    return ReservationRefused(order_id=order_id, partition=SHELF, reason=reason, skus=skus)


def committed(*skus: str, order_id: str = A) -> ReservationCommitted:
    return ReservationCommitted(order_id=order_id, partition=SHELF, skus=skus or (FIGS, MILK))


def released(order_id: str = A) -> ReservationReleased:
    return ReservationReleased(order_id=order_id, partition=SHELF)


def reduced(*gone: tuple[str, int], part_id: str = K1, order_id: str = A) -> ReservationReduced:
    return ReservationReduced(order_id=order_id, partition=SHELF, part_id=part_id, items=items(*gone))


def lapsed(*skus: str, order_id: str = A) -> ReservationLapsed:
    return ReservationLapsed(order_id=order_id, partition=SHELF, skus=skus or (FIGS, MILK))


def shipped(order_id: str = A) -> ReservationShipped:
    return ReservationShipped(order_id=order_id, partition=SHELF)
