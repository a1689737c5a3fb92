"""Product commands are what may be asked of a product, and of one order's reservation on a shelf."""

from typing import Annotated, TypeAlias

from pydantic import Field, StringConstraints

from schemas.values import Cents, Command, Currency, Item, OrderId, Quantity, Sku, Text, Uuid

Description = Annotated[str, StringConstraints(max_length=2000)]
Stock = Annotated[int, Field(ge=0, le=1_000_000_000)]


class _ToProduct(Command):
    sku: Sku

    @property
    def stream(self) -> str:
        return f"product-{self.sku}"


class ListProduct(_ToProduct, tag="product.list"):
    """Offer a product, with the stock there is at the start."""

    name: Text
    description: Description = ""
    department: Annotated[str, StringConstraints(max_length=200)] = ""
    price: Cents
    currency: Currency = "EUR"
    stock: Stock = 0


class DescribeProduct(_ToProduct, tag="product.describe"):
    """Change what the catalogue says of a product."""

    name: Text
    description: Description = ""
    department: Annotated[str, StringConstraints(max_length=200)] = ""


class PriceProduct(_ToProduct, tag="product.price"):
    """Change a product's price; orders already placed keep theirs."""

    price: Cents
    currency: Currency = "EUR"


class WithdrawProduct(_ToProduct, tag="product.withdraw"):
    """Stop selling a product; stock already held stays held."""

    reason: Text = "withdrawn"


class ReceiveStock(_ToProduct, tag="product.receive_stock"):
    """Put goods on the shelf."""

    quantity: Quantity


class AdjustStock(_ToProduct, tag="product.adjust_stock"):
    """Correct the stock by a difference, such as -2 for breakage."""

    delta: Annotated[int, Field(ge=-1_000_000, le=1_000_000)]
    reason: Text


class CountStock(_ToProduct, tag="product.count_stock"):
    """Set the stock to what was counted."""

    quantity: Stock


class _ToReservation(Command):
    order_id: OrderId
    partition: int

    @property
    def stream(self) -> str:
        return f"reservation-{self.partition}-{self.order_id}"

    @property
    def shelf(self) -> int | None:
        return self.partition


class ReserveStock(_ToReservation, tag="product.reserve_stock"):
    """Hold these items for an order, all or none; every item lives on this shelf."""

    items: tuple[Item, ...]


class CommitReservation(_ToReservation, tag="product.commit_reservation"):
    """The order is confirmed: the hold lapses no more."""


class ReleaseReservation(_ToReservation, tag="product.release_reservation"):
    """The order is off: give back what is held."""


class ReleaseItems(_ToReservation, tag="product.release_items"):
    """Some items of the order are off: give them back; the part's id makes it happen once."""

    part_id: Uuid
    items: tuple[Item, ...]


class ShipReservation(_ToReservation, tag="product.ship_reservation"):
    """The goods leave the shelf."""


class ShipItems(_ToReservation, tag="product.ship_items"):
    """Some items of the order leave the shelf; the part's id makes it happen once."""

    part_id: Uuid
    items: tuple[Item, ...]


class LapseReservation(_ToReservation, tag="product.lapse_reservation"):
    """The time of the hold is over."""


ProductCommand: TypeAlias = (
    ListProduct
    | DescribeProduct
    | PriceProduct
    | WithdrawProduct
    | ReceiveStock
    | AdjustStock
    | CountStock
    | ReserveStock
    | CommitReservation
    | ReleaseReservation
    | ReleaseItems
    | ShipReservation
    | ShipItems
    | LapseReservation
)
