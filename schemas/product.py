"""Product commands are what may be asked of a product, and of one order's reservation on a shelf."""

from typing import Annotated, TypeAlias

from pydantic import Field, StringConstraints

from schemas.values import (
    MAIN,
    OF_GOODS,
    OF_STAFF,
    Cents,
    Command,
    Currency,
    CustomerId,
    Email,
    Item,
    Location,
    OrderId,
    PersonalEmail,
    Quantity,
    Sku,
    Text,
    Uuid,
)

Description = Annotated[str, StringConstraints(max_length=2000), OF_GOODS]
Label = Annotated[str, StringConstraints(max_length=200), OF_GOODS]
Stock = Annotated[int, Field(ge=0, le=1_000_000_000)]


class _ToProduct(Command):
    sku: Sku

    @property
    def stream(self) -> str:
        return f"product-{self.sku}"


class ListProduct(_ToProduct, tag="product.list"):
    """Offer a product, with the stock there is at the start."""

    name: Annotated[Text, OF_GOODS]
    description: Description = ""
    department: Label = ""
    brand: Label = ""
    price: Cents
    currency: Currency = "EUR"
    stock: Stock = 0


class DescribeProduct(_ToProduct, tag="product.describe"):
    """Change what the catalogue says of a product."""

    name: Annotated[Text, OF_GOODS]
    description: Description = ""
    department: Label = ""
    brand: Label = ""


class PriceProduct(_ToProduct, tag="product.price"):
    """Change a product's price, and say why; orders already placed keep theirs."""

    price: Cents
    currency: Currency = "EUR"
    reason: Label = ""


class WithdrawProduct(_ToProduct, tag="product.withdraw"):
    """Stop selling a product; stock already held stays held."""

    reason: Annotated[Text, OF_GOODS] = "withdrawn"


class ReceiveStock(_ToProduct, tag="product.receive_stock"):
    """Put goods on the shelf, at one of the places where it stands."""

    quantity: Quantity
    location: Location = MAIN


class AdjustStock(_ToProduct, tag="product.adjust_stock"):
    """Correct the stock of a location by a difference, such as -2 for breakage."""

    delta: Annotated[int, Field(ge=-1_000_000, le=1_000_000)]
    reason: Annotated[Text, OF_GOODS]
    location: Location = MAIN


class CountStock(_ToProduct, tag="product.count_stock"):
    """Set the stock of a location to what was counted there."""

    quantity: Stock
    location: Location = MAIN


class TransferStock(_ToProduct, tag="product.transfer_stock"):
    """Take goods from one location to another."""

    quantity: Quantity
    source: Location
    target: Location


class SetLowStock(_ToProduct, tag="product.set_low_stock"):
    """Say at how many available the stock is low, and who is told of it; a threshold of null says that it never is."""

    threshold: Stock | None
    tell: Annotated[Email, OF_STAFF] | None = None


class AwaitStock(_ToProduct, tag="product.await_stock"):
    """Have a customer told, once, when there is something to buy again."""

    customer_id: CustomerId
    email: PersonalEmail

    @property
    def person(self) -> str:
        return self.customer_id


class StopAwaitingStock(_ToProduct, tag="product.stop_awaiting_stock"):
    """The customer wants to hear of it no more."""

    customer_id: CustomerId


class TellWaiting(_ToProduct, tag="product.tell_waiting"):
    """There is something to buy: tell the next of those who wait."""


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


class ExtendReservation(_ToReservation, tag="product.extend_reservation"):
    """Hold these items of an amended order too, or none that it has here; the part's id makes it happen once."""

    part_id: Uuid
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
    | TransferStock
    | SetLowStock
    | AwaitStock
    | StopAwaitingStock
    | TellWaiting
    | ReserveStock
    | ExtendReservation
    | CommitReservation
    | ReleaseReservation
    | ReleaseItems
    | ShipReservation
    | ShipItems
    | LapseReservation
)
