"""Search view: the words of the products on sale, to be found also by those who misspell them.

Of a product's events only those that change words reach it: stock that comes and goes touches none of its indexes.
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
    description: str
    withdrawn: bool


class Found(Struct, frozen=True):
    """A product that fits. `rank` is above 1 where it has the words, else it is how alike its name is, 1 at most."""

    sku: str
    name: str
    department: str
    exact: bool
    rank: float


def project(view: SearchView | None, event: Wording, _: datetime) -> SearchView | None:
    match event:
        case ProductListed():
            return SearchView(event.sku, event.name, event.department, event.description, withdrawn=False)
        case ProductDescribed():
            return view and replace(view, name=event.name, department=event.department, description=event.description)
        case ProductWithdrawn():
            return view and replace(view, withdrawn=True)
        case _:
            assert_never(event)


def key_of(event: Event) -> str | None:
    return event.sku if isinstance(event, Wording) else None


_WORDS = (
    "(setweight(to_tsvector('simple', name), 'A') || setweight(to_tsvector('simple', department), 'B')"
    " || setweight(to_tsvector('simple', sku || ' ' || description), 'C'))"
)

SEARCH = Projection(
    name="search",
    context="product",
    view=SearchView,
    key_of=key_of,
    project=project,
    indexes=(
        "CREATE INDEX {table}_by_words ON {table} USING gin (" + _WORDS + ")",
        "CREATE INDEX {table}_by_likeness ON {table} USING gin (name gin_trgm_ops)",
    ),
    extensions=("pg_trgm",),
)

FIND = f"""
SELECT sku, name, department, exact, (CASE WHEN exact THEN 1 + weight ELSE likeness END)::float8 AS rank FROM (
  SELECT sku, name, department, {_WORDS} @@ asked AS exact, ts_rank({_WORDS}, asked) AS weight,
    word_similarity(%(q)s, name) AS likeness
  FROM search, websearch_to_tsquery('simple', %(q)s) AS asked
  WHERE NOT withdrawn AND ({_WORDS} @@ asked OR %(q)s <%% name)
) AS fitting
ORDER BY exact DESC, rank DESC, sku LIMIT %(limit)s
"""  # noqa: S608  only constants are put in
