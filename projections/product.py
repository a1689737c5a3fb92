"""Product view: the catalogue and its stock, with search."""

from datetime import datetime
from typing import assert_never

from msgspec import Struct
from msgspec.structs import replace

from events.event import Event
from events.product import (
    LowStockSet,
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
    moved,
)
from projections.view import Projection


class ProductView(Struct, frozen=True):
    """One product; price in minor units, held stock is still on the shelf.

    `locations`: what lies where, together what is on hand. `low`: no more than `threshold` are available.
    """

    sku: str
    name: str
    description: str
    department: str
    brand: str
    price: int
    currency: str
    withdrawn: bool
    on_hand: int
    held: int
    available: int
    shipped: int
    locations: dict[str, int]
    threshold: int | None
    low: bool
    listed_at: datetime
    updated_at: datetime


def project(view: ProductView | None, event: ProductEvent, at: datetime) -> ProductView | None:
    if isinstance(event, ProductListed):
        return ProductView(
            event.sku, event.name, event.description, event.department, event.brand, event.price, event.currency,
            withdrawn=False, on_hand=0, held=0, available=0, shipped=0,
            locations={}, threshold=None, low=False, listed_at=at, updated_at=at,
        )  # fmt: skip
    if view is None:
        return None
    match event:
        case ProductDescribed():
            words = {name: getattr(event, name) for name in ("name", "description", "department", "brand")}
            changed = replace(view, **words)
        case ProductPriced():
            changed = replace(view, price=event.price, currency=event.currency)
        case ProductWithdrawn():
            changed = replace(view, withdrawn=True)
        case StockReceived() | StockAdjusted() | StockCounted() | StockTransferred():
            changed = replace(view, locations=moved(event, view.locations))
        case StockReserved():
            changed = replace(view, held=view.held + event.quantity)
        case StockReleased():
            changed = replace(view, held=view.held - event.quantity)
        case StockShipped():
            held, shipped = view.held - event.quantity, view.shipped + event.quantity
            changed = replace(view, locations=moved(event, view.locations), held=held, shipped=shipped)
        case LowStockSet():
            changed = replace(view, threshold=event.threshold)
        case StockRanLow() | StockAwaited() | StockNotAwaited() | StockReturned() | StockTold():
            changed = view
        case _:
            assert_never(event)
    on_hand = sum(changed.locations.values())
    available = on_hand - changed.held
    low = changed.threshold is not None and available <= changed.threshold
    return replace(changed, on_hand=on_hand, available=available, low=low, updated_at=at)


def key_of(event: Event) -> str | None:
    """The SKU; a reservation's events change no product."""
    return getattr(event, "sku", None)


_WORDS = "to_tsvector('simple', name || ' ' || department || ' ' || description || ' ' || sku)"

PRODUCTS = Projection(
    name="products",
    context="product",
    view=ProductView,
    key_of=key_of,
    project=project,
    indexes=("CREATE INDEX {table}_by_words ON {table} USING gin (" + _WORDS + ")",),
    version=2,
)

ONE = "SELECT * FROM products WHERE sku = %(sku)s"
MISSING = """
SELECT asked FROM unnest(%(skus)s::text[]) AS asked
WHERE NOT EXISTS (SELECT FROM products WHERE sku = asked AND NOT withdrawn)
"""
DEPARTMENTS = "SELECT sku, department FROM products WHERE sku = ANY(%(skus)s)"
PAGE = f"""
SELECT * FROM products
WHERE (%(words)s::text IS NULL OR {_WORDS} @@ websearch_to_tsquery('simple', %(words)s))
  AND (%(low)s::bool IS NULL OR low = %(low)s)
  AND (%(after)s::text IS NULL OR sku > %(after)s)
ORDER BY sku LIMIT %(limit)s
"""  # noqa: S608  only constants are put in
STOCK = """
SELECT count(*) AS products, coalesce(sum(on_hand), 0)::bigint AS on_hand, coalesce(sum(held), 0)::bigint AS held,
  coalesce(sum(available), 0)::bigint AS available, coalesce(sum(shipped), 0)::bigint AS shipped,
  count(*) FILTER (WHERE available < 0) AS oversold
FROM products
"""
