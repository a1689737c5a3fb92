"""Product events are what has happened to a product's listing, its stock, and an order's reservation on a shelf."""

from datetime import datetime
from typing import TypeAlias

from events.event import Event
from schemas.values import Item


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


class ProductDescribed(_OfProduct, tag="product.described.v1"):
    name: str
    description: str
    department: str


class ProductPriced(_OfProduct, tag="product.priced.v1"):
    price: int
    currency: str


class ProductWithdrawn(_OfProduct, tag="product.withdrawn.v1"):
    reason: str


class StockReceived(_OfProduct, tag="stock.received.v1"):
    quantity: int


class StockAdjusted(_OfProduct, tag="stock.adjusted.v1"):
    delta: int
    reason: str


class StockCounted(_OfProduct, tag="stock.counted.v1"):
    quantity: int


class StockReserved(_OfProduct, tag="stock.reserved.v1"):
    """Some of the stock is held for an order."""

    order_id: str
    quantity: int


class StockReleased(_OfProduct, tag="stock.released.v1"):
    """What was held for an order may be sold again."""

    order_id: str
    quantity: int


class StockShipped(_OfProduct, tag="stock.shipped.v1"):
    """What was held for an order has left the shelf."""

    order_id: str
    quantity: int


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


class ReservationRefused(_OfReservation, tag="reservation.refused.v1"):
    """Nothing is held: at least the refused SKUs were short."""

    reason: str
    skus: tuple[str, ...]


class ReservationCommitted(_OfReservation, tag="reservation.committed.v1"):
    """The hold lapses no more."""

    skus: tuple[str, ...]


class ReservationReleased(_OfReservation, tag="reservation.released.v1"):
    """Nothing is held any more, or ever will be, for this order on this shelf."""


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
)
ReservationEvent: TypeAlias = (
    ReservationMade
    | ReservationRefused
    | ReservationCommitted
    | ReservationReleased
    | ReservationReduced
    | ReservationLapsed
    | ReservationShipped
)
