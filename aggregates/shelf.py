"""Shelf rules: from which locations goods leave, and what is recorded because stock has become low, or has come back.

Orders hold a product wherever it lies; only what is shipped leaves a location. All of this is decided with its cause,
in one commit, whatever the cause was.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import get_args

from aggregates.decider import StateOf
from aggregates.errors import Unreadable
from aggregates.product import Product, evolve, to_be_told
from events.event import Event
from events.product import LowStockSet, ProductEvent, StockRanLow, StockReturned, StockShipped, Taken
from schemas.values import MAIN


def completed(events: Sequence[Event], state_of: StateOf) -> list[Event]:
    """A decision with the locations that its goods leave, followed by what it leads to for each product.

    Of a product that cannot be known, what orders hold can be given back all the same; nothing more is said of it.
    """
    whole: list[Event] = []
    after: dict[str, Product] = {}
    for event in events:
        product = _watched(event, after, state_of) if isinstance(event, _OF_PRODUCT) else None
        if product is not None:
            if isinstance(event, StockShipped):
                event = event.model_copy(update={"taken": taken(event.quantity, product.locations)})
            after[event.stream] = evolve(product, event)  # type: ignore[arg-type]
        whole.append(event)
    return [
        *whole,
        *(notice for stream, state in after.items() for notice in _notices(stream, state_of(stream), state)),
    ]


def _watched(event: Event, after: Mapping[str, Product], state_of: StateOf) -> Product | None:
    """The product before an event, if there may be something to be said of it: most are spared the thought."""
    stream = event.stream
    try:
        product: Product = after.get(stream) or state_of(stream)
    except Unreadable:
        return None
    plain = product.threshold is None and not product.waiting and not product.elsewhere
    return None if plain and not isinstance(event, LowStockSet) else product


def taken(quantity: int, there: Mapping[str, int]) -> tuple[Taken, ...]:
    """Where so many are taken from, the location that has most first; nothing is said where there is but main."""
    if set(there) <= {MAIN}:
        return ()
    found, left = [], quantity
    for location, most in sorted(there.items(), key=lambda pair: (-pair[1], pair[0])):
        if part := min(left, most):
            found.append(Taken(location=location, quantity=part))
            left -= part
    return tuple(found)


def _notices(stream: str, before: Product, after: Product) -> Iterator[Event]:
    sku = stream.removeprefix("product-")
    if not after.on_sale:
        return
    if after.threshold is not None and after.available <= after.threshold and not after.low:
        told = {"tell": after.tell, "name": after.name, "nth": after.lows + 1} if after.tell else {}
        yield StockRanLow(sku=sku, available=after.available, threshold=after.threshold, **told)
    if before.available <= 0 and to_be_told(after):
        yield StockReturned(sku=sku, available=after.available, waiting=len(after.waiting))


_OF_PRODUCT = get_args(ProductEvent)
