"""Search view: the words of the products on sale, to be found also by those who misspell them.

Of a product's events only those that change words reach it: stock that comes and goes touches none of its indexes.
Prices and stock are looked up beside it, in `products`; the questions are in `finding.py`.
"""

from datetime import datetime
from typing import TypeAlias, assert_never

from msgspec import Struct
from msgspec.structs import replace

from events.event import Event
from events.product import ProductDescribed, ProductListed, ProductWithdrawn
from projections.view import Projection

Wording: TypeAlias = ProductListed | ProductDescribed | ProductWithdrawn


class SearchView(Struct, frozen=True):
    """One product's words."""

    sku: str
    name: str
    department: str
    brand: str
    description: str
    withdrawn: bool


def project(view: SearchView | None, event: Wording, _: datetime) -> SearchView | None:
    match event:
        case ProductListed():
            return _worded(event, withdrawn=False)
        case ProductDescribed():
            return view and _worded(event, view.withdrawn)
        case ProductWithdrawn():
            return view and replace(view, withdrawn=True)
        case _:
            assert_never(event)


def _worded(event: ProductListed | ProductDescribed, withdrawn: bool) -> SearchView:
    return SearchView(event.sku, event.name, event.department, event.brand, event.description, withdrawn)


def key_of(event: Event) -> str | None:
    return event.sku if isinstance(event, Wording) else None


_WORDS = (
    "(setweight(to_tsvector('simple', name), 'A') || setweight(to_tsvector('simple', department || ' ' || brand), 'B')"
    " || setweight(to_tsvector('simple', sku || ' ' || description), 'C'))"
)

SEARCH = Projection(
    name="search",
    context="product",
    view=SearchView,
    key_of=key_of,
    project=project,
    indexes=(
        "CREATE INDEX {table}_by_words ON {table} USING gin (words)",
        "CREATE INDEX {table}_by_likeness ON {table} USING gin (name gin_trgm_ops)",
    ),
    version=2,
    extensions=("pg_trgm",),
    derived={"words": f"tsvector NOT NULL GENERATED ALWAYS AS ({_WORDS}) STORED"},
)
