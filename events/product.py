"""Product events are what has happened to a product's listing, its stock, and an order's reservation on a shelf."""

import operator
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TypeAlias, assert_never

from pydantic import BaseModel, ConfigDict, Field

from events.event import Event
from schemas.values import MAIN, Item


class Taken(BaseModel):
    """So many of a product, from one location."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    location: str
    quantity: int


class Waiting(BaseModel):
    """A customer who wants to hear that there is something to buy again."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    customer_id: str
    email: str


class _OfProduct(Event):
    sku: str

    @property
    def stream(self) -> str:
        return f"product-{self.sku}"


class ProductListed(_OfProduct, tag="product.listed.v1"):
    name: str
    description: str
    department: str
    price: int
    currency: str
    brand: str = ""


class ProductDescribed(_OfProduct, tag="product.described.v1"):
    name: str
    description: str
    department: str
    brand: str = ""


class ProductPriced(_OfProduct, tag="product.priced.v1"):
    price: int
    currency: str
    reason: str = ""


class ProductWithdrawn(_OfProduct, tag="product.withdrawn.v1"):
    reason: str


class StockReceived(_OfProduct, tag="stock.received.v1"):
    quantity: int
    location: str = MAIN


class StockAdjusted(_OfProduct, tag="stock.adjusted.v1"):
    delta: int
    reason: str
    location: str = MAIN


class StockCounted(_OfProduct, tag="stock.counted.v1"):
    """So many are at the location, and not what was thought."""

    quantity: int
    location: str = MAIN


class StockTransferred(_OfProduct, tag="stock.transferred.v1"):
    quantity: int
    source: str
    target: str


class StockReserved(_OfProduct, tag="stock.reserved.v1"):
    """Some of the stock is held for an order."""

    order_id: str
    quantity: int


class StockReleased(_OfProduct, tag="stock.released.v1"):
    """What was held for an order may be sold again."""

    order_id: str
    quantity: int


class StockShipped(_OfProduct, tag="stock.shipped.v1"):
    """What was held for an order has left the shelf; `taken` says from where, or nothing if all was from main."""

    order_id: str
    quantity: int
    taken: tuple[Taken, ...] = ()


class LowStockSet(_OfProduct, tag="product.low_stock_set.v1"):
    """The stock is low when no more than `threshold` are available; never, if that is null. `tell`: a mail address."""

    threshold: int | None
    tell: str = Field("", exclude_if=operator.not_)


class StockRanLow(_OfProduct, tag="stock.ran_low.v1"):
    """The stock has become low; not said again until it was more. `nth` counts such events that somebody is told of."""

    available: int
    threshold: int
    tell: str = Field("", exclude_if=operator.not_)
    name: str = Field("", exclude_if=operator.not_)
    nth: int = Field(0, exclude_if=operator.not_)


class StockAwaited(_OfProduct, tag="stock.awaited.v1"):
    """A customer waits until there is something to buy."""

    customer_id: str
    email: str


class StockNotAwaited(_OfProduct, tag="stock.not_awaited.v1"):
    """A customer waits no more, without having been told."""

    customer_id: str


class StockReturned(_OfProduct, tag="stock.returned.v1"):
    """There is something to buy again, and so many customers wait for it."""

    available: int
    waiting: int


class StockTold(_OfProduct, tag="stock.told.v1"):
    """These customers are to be told, and wait no more; `nth` counts such events of the product."""

    nth: int
    name: str
    customers: tuple[Waiting, ...]


class _OfReservation(Event):
    order_id: str
    partition: int

    @property
    def stream(self) -> str:
        return f"reservation-{self.partition}-{self.order_id}"


class ReservationMade(_OfReservation, tag="reservation.made.v1"):
    """Every item of the order on this shelf is held, until the time given."""

    items: tuple[Item, ...]
    expires_at: datetime


class ReservationExtended(_OfReservation, tag="reservation.extended.v1"):
    """These items of an amended order are held too, for as long as those that are held already."""

    part_id: str
    items: tuple[Item, ...]
    expires_at: datetime


class ReservationRefused(_OfReservation, tag="reservation.refused.v1"):
    """Nothing is held: at least the refused SKUs were short."""

    reason: str
    skus: tuple[str, ...]


class ReservationCommitted(_OfReservation, tag="reservation.committed.v1"):
    """The hold lapses no more."""

    skus: tuple[str, ...]


class ReservationReleased(_OfReservation, tag="reservation.released.v1"):
    """Nothing is held any more for this order on this shelf, or ever will be, unless its last part was called off."""

    part_id: str = Field("", exclude_if=operator.not_)


class ReservationReduced(_OfReservation, tag="reservation.reduced.v1"):
    """These items are held no more, others are."""

    part_id: str
    items: tuple[Item, ...]


class ReservationLapsed(_OfReservation, tag="reservation.lapsed.v1"):
    """The time was over before the order was confirmed; nothing is held any more."""

    skus: tuple[str, ...]


class ReservationShipped(_OfReservation, tag="reservation.shipped.v1"):
    """The goods have left the shelf."""


ProductEvent: TypeAlias = (
    ProductListed
    | ProductDescribed
    | ProductPriced
    | ProductWithdrawn
    | StockReceived
    | StockAdjusted
    | StockCounted
    | StockReserved
    | StockReleased
    | StockShipped
    | StockTransferred
    | LowStockSet
    | StockRanLow
    | StockAwaited
    | StockNotAwaited
    | StockReturned
    | StockTold
)
ReservationEvent: TypeAlias = (
    ReservationMade
    | ReservationExtended
    | ReservationRefused
    | ReservationCommitted
    | ReservationReleased
    | ReservationReduced
    | ReservationLapsed
    | ReservationShipped
)
Movement: TypeAlias = StockReceived | StockAdjusted | StockCounted | StockTransferred | StockShipped
"""What changes how much lies where."""


def moved(event: Movement, there: Mapping[str, int]) -> dict[str, int]:
    """What lies at each location after an event, given what lay there before; a location with nothing is left out."""
    after = {**there}
    for location, quantity in _added(event, there):
        after[location] = after.get(location, 0) + quantity
    return {location: quantity for location, quantity in after.items() if quantity}


def _added(event: Movement, there: Mapping[str, int]) -> Sequence[tuple[str, int]]:
    match event:
        case StockReceived():
            return [(event.location, event.quantity)]
        case StockAdjusted():
            return [(event.location, event.delta)]
        case StockCounted():
            return [(event.location, event.quantity - there.get(event.location, 0))]
        case StockTransferred():
            return [(event.source, -event.quantity), (event.target, event.quantity)]
        case StockShipped(taken=()):
            return [(MAIN, -event.quantity)]
        case StockShipped():
            return [(each.location, -each.quantity) for each in event.taken]
        case _:
            assert_never(event)
