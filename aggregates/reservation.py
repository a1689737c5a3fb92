"""Reservation rules: an order's items on one shelf are held together, all or none, until committed or lapsed.

A shelf is a partition of the product context, so a reservation and the stock of its SKUs have one owner and change
in one atomic commit. That is why one message per shelf is enough, however many lines an order has.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from enum import Enum
from typing import Any, assert_never

from msgspec import Struct
from msgspec.structs import replace

from aggregates import product as products
from aggregates.decider import Decider, StateOf, Todo
from aggregates.product import Product, to_be_told
from aggregates.shelf import completed
from events.event import Event
from events.product import (
    ReservationCommitted,
    ReservationEvent,
    ReservationExtended,
    ReservationLapsed,
    ReservationMade,
    ReservationReduced,
    ReservationRefused,
    ReservationReleased,
    ReservationShipped,
    StockReleased,
    StockReserved,
    StockShipped,
)
from schemas.product import (
    CommitReservation,
    ExtendReservation,
    LapseReservation,
    ProductCommand,
    ReleaseItems,
    ReleaseReservation,
    ReserveStock,
    ShipItems,
    ShipReservation,
)
from schemas.values import Item, together


class Status(Enum):
    """Where a reservation stands."""

    UNKNOWN = "unknown"
    HELD = "held"
    COMMITTED = "committed"
    EMPTY = "empty"
    OVER = "over"


class Reservation(Struct, frozen=True):
    """What the rules need to know of a reservation; `items` are what is held, `known` the ids of parts that are not."""

    status: Status = Status.UNKNOWN
    items: tuple[tuple[str, int], ...] = ()
    expires_at: datetime | None = None
    known: tuple[str, ...] = ()

    @property
    def skus(self) -> tuple[str, ...]:
        return tuple(sku for sku, _ in self.items)


def evolve(reservation: Reservation, event: ReservationEvent) -> Reservation:
    match event:
        case ReservationMade():
            items = tuple((item.sku, item.quantity) for item in event.items)
            return Reservation(Status.HELD, items, event.expires_at)
        case ReservationExtended():
            items = tuple(together((*_items(reservation), *event.items)).items())
            return Reservation(Status.HELD, items, event.expires_at, (*reservation.known, event.part_id))
        case ReservationCommitted():
            return replace(reservation, status=Status.COMMITTED)
        case ReservationReduced():
            return replace(
                reservation, items=_less(reservation.items, event.items), known=(*reservation.known, event.part_id)
            )
        case ReservationReleased(part_id=part_id) if part_id:
            return replace(reservation, status=Status.EMPTY, items=(), known=(*reservation.known, part_id))
        case ReservationRefused() | ReservationReleased() | ReservationLapsed() | ReservationShipped():
            return Reservation(Status.OVER)
        case _:
            assert_never(event)


def reserve(command: ReserveStock, reservation: Reservation, state_of: StateOf, expires_at: datetime) -> list[Event]:
    if reservation.status is not Status.UNKNOWN:
        return []  # answered already, or released before it came
    wanted = _together(command.items)
    short = tuple(item.sku for item in wanted if not _enough(state_of(f"product-{item.sku}"), item.quantity))
    if short:
        reason = "not on sale" if _none_on_sale(short, state_of) else "out of stock"
        return [ReservationRefused(order_id=command.order_id, partition=command.partition, reason=reason, skus=short)]
    made = ReservationMade(order_id=command.order_id, partition=command.partition, items=wanted, expires_at=expires_at)
    return [*_move(StockReserved, command.order_id, wanted), made]


def extend(
    command: ExtendReservation, reservation: Reservation, state_of: StateOf, expires_at: datetime
) -> list[Event]:
    """What an amendment added is held until the rest is; if there is not enough, the order has nothing here."""
    if command.part_id in reservation.known or reservation.status in (Status.OVER, Status.COMMITTED):
        return []  # done, or the order is off
    said = {"order_id": command.order_id, "partition": command.partition}
    wanted = _together(command.items)
    short = tuple(item.sku for item in wanted if not _enough(state_of(f"product-{item.sku}"), item.quantity))
    if short:
        reason = "not on sale" if _none_on_sale(short, state_of) else "out of stock"
        released = _move(StockReleased, command.order_id, _items(reservation))
        return [*released, ReservationRefused(**said, reason=reason, skus=short)]
    until = reservation.expires_at or expires_at
    extended = ReservationExtended(**said, part_id=command.part_id, items=wanted, expires_at=until)
    return [*_move(StockReserved, command.order_id, wanted), extended]


def commit(command: CommitReservation, reservation: Reservation) -> list[Event]:
    if reservation.status is not Status.HELD:
        return []
    return [ReservationCommitted(order_id=command.order_id, partition=command.partition, skus=reservation.skus)]


def release(command: ReleaseReservation, reservation: Reservation) -> list[Event]:
    if reservation.status in (Status.OVER, Status.EMPTY):
        return []
    # Released before it was asked for, it stays released: a late ReserveStock then finds it over.
    released = ReservationReleased(order_id=command.order_id, partition=command.partition)
    return [*_move(StockReleased, command.order_id, _items(reservation)), released]


def release_items(command: ReleaseItems, reservation: Reservation) -> list[Event]:
    """Give back a part of what is held; with the last of it, the reservation is over."""
    return _part(command, reservation, StockReleased, ReservationReleased)


def ship_items(command: ShipItems, reservation: Reservation) -> list[Event]:
    """A part of what is held leaves the shelf; with the last of it, the reservation is over."""
    if reservation.status is not Status.COMMITTED:
        return []
    return _part(command, reservation, StockShipped, ReservationShipped)


def lapse(command: LapseReservation, reservation: Reservation) -> list[Event]:
    if reservation.status is not Status.HELD:
        return []
    lapsed = ReservationLapsed(order_id=command.order_id, partition=command.partition, skus=reservation.skus)
    return [*_move(StockReleased, command.order_id, _items(reservation)), lapsed]


def ship(command: ShipReservation, reservation: Reservation) -> list[Event]:
    if reservation.status is not Status.COMMITTED:
        return []  # an order ships only when all its reservations are committed: this one has shipped already
    shipped = ReservationShipped(order_id=command.order_id, partition=command.partition)
    return [*_move(StockShipped, command.order_id, _items(reservation)), shipped]


def todos(state: Any) -> list[Todo]:
    """A held reservation lapses when its time is over; who waits for a product is told when there is some."""
    if isinstance(state, Product) and to_be_told(state):
        return [Todo("tell", key=f"tell {next(iter(state.waiting))}")]
    if isinstance(state, Reservation) and state.status is Status.HELD:
        return [Todo("lapse", state.expires_at)]
    return []


def decider(hold: timedelta) -> Decider:
    """The product context's rules; stock is held for `hold`."""

    def decide(command: ProductCommand, state_of: StateOf, at: datetime) -> list[Event]:
        return completed(decide_alone(command, state_of, at), state_of)

    def decide_alone(command: ProductCommand, state_of: StateOf, at: datetime) -> list[Event]:
        state = state_of(command.stream)
        match command:
            case ReserveStock():
                return reserve(command, state, state_of, at + hold)
            case ExtendReservation():
                return extend(command, state, state_of, at + hold)
            case CommitReservation():
                return commit(command, state)
            case ReleaseReservation():
                return release(command, state)
            case ReleaseItems():
                return release_items(command, state)
            case LapseReservation():
                return lapse(command, state)
            case ShipReservation():
                return ship(command, state)
            case ShipItems():
                return ship_items(command, state)
            case _:
                return products.RULES[type(command)](command, state)  # type: ignore[operator,no-any-return]

    return Decider(
        context="product",
        initial={"product": Product(), "reservation": Reservation()},
        evolve=_evolve_either,
        decide=decide,
        todos=todos,
    )


def _evolve_either(state: Any, event: Any) -> Any:
    return products.evolve(state, event) if isinstance(state, Product) else evolve(state, event)


def _part(
    command: ReleaseItems | ShipItems,
    reservation: Reservation,
    moved: type[StockReleased | StockShipped],
    over: type[ReservationReleased | ReservationShipped],
) -> list[Event]:
    items = _held(command.items, reservation)
    if command.part_id in reservation.known or not items:
        return []
    done: Event = over(order_id=command.order_id, partition=command.partition)
    if over is ReservationReleased and reservation.status is Status.HELD:
        done = done.model_copy(update={"part_id": command.part_id})
    if _less(reservation.items, items):
        done = ReservationReduced(**{**dict(command), "items": items})
    return [*_move(moved, command.order_id, items), done]


def _together(items: tuple[Item, ...]) -> tuple[Item, ...]:
    return tuple(Item(sku=sku, quantity=quantity) for sku, quantity in together(items).items())


def _items(reservation: Reservation) -> tuple[Item, ...]:
    return tuple(Item(sku=sku, quantity=quantity) for sku, quantity in reservation.items)


def _held(items: tuple[Item, ...], reservation: Reservation) -> tuple[Item, ...]:
    """As many of these as are held."""
    held = dict(reservation.items)
    found = (Item(sku=item.sku, quantity=min(item.quantity, held.get(item.sku, 0))) for item in _together(items))
    return tuple(item for item in found if item.quantity)


def _less(held: tuple[tuple[str, int], ...], items: tuple[Item, ...]) -> tuple[tuple[str, int], ...]:
    gone = {item.sku: item.quantity for item in items}
    left = ((sku, quantity - gone.get(sku, 0)) for sku, quantity in held)
    return tuple((sku, quantity) for sku, quantity in left if quantity)


def _enough(product: Product, quantity: int) -> bool:
    return product.on_sale and product.available >= quantity


def _none_on_sale(skus: tuple[str, ...], state_of: StateOf) -> bool:
    return not any(state_of(f"product-{sku}").on_sale for sku in skus)


def _move(
    kind: Callable[..., StockReserved | StockReleased | StockShipped], order_id: str, items: tuple[Item, ...]
) -> list[Event]:
    return [kind(sku=item.sku, order_id=order_id, quantity=item.quantity) for item in items]
