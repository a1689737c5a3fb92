"""Product view: the catalogue and its stock, with search."""

from datetime import datetime
from typing import assert_never

from msgspec import Struct
from msgspec.structs import replace

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
from projections.view import Projection


class ProductView(Struct, frozen=True):
    """One product; price in minor units, held stock is still on the shelf."""

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
    listed_at: datetime
    updated_at: datetime


def project(view: ProductView | None, event: ProductEvent, at: datetime) -> ProductView | None:
    if isinstance(event, ProductListed):
        return ProductView(
            event.sku, event.name, event.description, event.department, event.brand, event.price, event.currency,
            withdrawn=False, on_hand=0, held=0, available=0, shipped=0, listed_at=at, updated_at=at,
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
        case StockReceived():
            changed = replace(view, on_hand=view.on_hand + event.quantity)
        case StockAdjusted():
            changed = replace(view, on_hand=view.on_hand + event.delta)
        case StockCounted():
            changed = replace(view, on_hand=event.quantity)
        case StockReserved():
            changed = replace(view, held=view.held + event.quantity)
        case StockReleased():
            changed = replace(view, held=view.held - event.quantity)
        case StockShipped():
            left, held, shipped = (
                view.on_hand - event.quantity,
                view.held - event.quantity,
                view.shipped + event.quantity,
            )
            changed = replace(view, on_hand=left, held=held, shipped=shipped)
        case _:
            assert_never(event)
    return replace(changed, available=changed.on_hand - changed.held, updated_at=at)


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
  AND (%(after)s::text IS NULL OR sku > %(after)s)
ORDER BY sku LIMIT %(limit)s
"""  # noqa: S608  only constants are put in
STOCK = """
SELECT count(*) AS products, coalesce(sum(on_hand), 0)::bigint AS on_hand, coalesce(sum(held), 0)::bigint AS held,
  coalesce(sum(available), 0)::bigint AS available, coalesce(sum(shipped), 0)::bigint AS shipped,
  count(*) FILTER (WHERE available < 0) AS oversold
FROM products
"""
