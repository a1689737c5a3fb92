"""Product builders: products on shelf 0 and what orders hold of them."""

from events.product import (
    LowStockSet,
    ProductDescribed,
    ProductListed,
    ProductPriced,
    ProductWithdrawn,
    ReservationCommitted,
    ReservationExtended,
    ReservationLapsed,
    ReservationMade,
    ReservationReduced,
    ReservationRefused,
    ReservationReleased,
    ReservationShipped,
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
    Taken,
    Waiting,
)
from schemas.product import ListProduct
from schemas.values import MAIN, Item
from tests.builders.order import K1, items_of
from tests.builders.values import EMAIL, EUR, FIGS, HOLD, MILK, NOON, A

SHELF = 0
SOME = ((FIGS, 2), (MILK, 1))
"""What order A wants from shelf 0."""


def items(*wanted: tuple[str, int]) -> tuple[Item, ...]:
    return items_of(*(wanted or SOME))


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


def received(quantity: int, sku: str = FIGS, location: str = MAIN) -> StockReceived:
    return StockReceived(sku=sku, quantity=quantity, location=location)


def adjusted(delta: int, sku: str = FIGS, location: str = MAIN) -> StockAdjusted:
    return StockAdjusted(sku=sku, delta=delta, reason="broken", location=location)


def counted(quantity: int, sku: str = FIGS, location: str = MAIN) -> StockCounted:
    return StockCounted(sku=sku, quantity=quantity, location=location)


def transferred(quantity: int, source: str = MAIN, target: str = "annex", sku: str = FIGS) -> StockTransferred:
    return StockTransferred(sku=sku, quantity=quantity, source=source, target=target)


def low_stock_set(threshold: int | None, sku: str = FIGS) -> LowStockSet:
    return LowStockSet(sku=sku, threshold=threshold)


def ran_low(available: int, threshold: int, sku: str = FIGS) -> StockRanLow:
    return StockRanLow(sku=sku, available=available, threshold=threshold)


def ran_low_for(tell: str, nth: int = 1) -> StockRanLow:
    return StockRanLow(sku=FIGS, available=3, threshold=3, tell=tell, name=FIGS.title(), nth=nth)


def awaited(customer_id: str = "ada", email: str = EMAIL, sku: str = FIGS) -> StockAwaited:
    return StockAwaited(sku=sku, customer_id=customer_id, email=email)


def not_awaited(customer_id: str = "ada", sku: str = FIGS) -> StockNotAwaited:
    return StockNotAwaited(sku=sku, customer_id=customer_id)


def returned(available: int, waiting: int = 1, sku: str = FIGS) -> StockReturned:
    return StockReturned(sku=sku, available=available, waiting=waiting)


def told(*customers: str, nth: int = 1, sku: str = FIGS) -> StockTold:
    waiting = tuple(Waiting(customer_id=customer, email=EMAIL) for customer in customers or ("ada",))
    return StockTold(sku=sku, nth=nth, name=sku.title(), customers=waiting)


def stock_reserved(quantity: int, sku: str = FIGS, order_id: str = A) -> StockReserved:
    return StockReserved(sku=sku, order_id=order_id, quantity=quantity)


def stock_released(quantity: int, sku: str = FIGS, order_id: str = A) -> StockReleased:
    return StockReleased(sku=sku, order_id=order_id, quantity=quantity)


def stock_shipped(quantity: int, sku: str = FIGS, order_id: str = A, **taken: int) -> StockShipped:
    parts = tuple(Taken(location=location, quantity=part) for location, part in taken.items())
    return StockShipped(sku=sku, order_id=order_id, quantity=quantity, taken=parts)


def made(*wanted: tuple[str, int], order_id: str = A) -> ReservationMade:
    return ReservationMade(order_id=order_id, partition=SHELF, items=items(*wanted), expires_at=NOON + HOLD)


def refused(*skus: str, reason: str = "out of stock", order_id: str = A) -> ReservationRefused:
    return ReservationRefused(order_id=order_id, partition=SHELF, reason=reason, skus=skus)


def committed(*skus: str, order_id: str = A) -> ReservationCommitted:
    return ReservationCommitted(order_id=order_id, partition=SHELF, skus=skus or (FIGS, MILK))


def extended(*more: tuple[str, int], part_id: str = K1, order_id: str = A) -> ReservationExtended:
    said = {"order_id": order_id, "partition": SHELF, "part_id": part_id}
    return ReservationExtended(**said, items=items(*more), expires_at=NOON + HOLD)


def released(order_id: str = A, part_id: str = "") -> ReservationReleased:
    return ReservationReleased(order_id=order_id, partition=SHELF, part_id=part_id)


def reduced(*gone: tuple[str, int], part_id: str = K1, order_id: str = A) -> ReservationReduced:
    return ReservationReduced(order_id=order_id, partition=SHELF, part_id=part_id, items=items(*gone))


def lapsed(*skus: str, order_id: str = A) -> ReservationLapsed:
    return ReservationLapsed(order_id=order_id, partition=SHELF, skus=skus or (FIGS, MILK))


def shipped(order_id: str = A) -> ReservationShipped:
    return ReservationShipped(order_id=order_id, partition=SHELF)
