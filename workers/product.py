"""Product reactions and effects: what stock does when an order has spoken, and when time has passed.

An order's lines are asked for shelf by shelf: one message per partition that holds any of its SKUs.
"""

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from aggregates.decider import Todo
from events.ids import derive
from events.order import (
    OrderAmended,
    OrderCancelled,
    OrderConfirmed,
    OrderLineCancelled,
    OrderPartlyShipped,
    OrderPlaced,
    OrderRejected,
    OrderReturnReceived,
    OrderShipped,
)
from events.topics import shelf_of
from schemas.product import (
    CommitReservation,
    ExtendReservation,
    LapseReservation,
    ReceiveStock,
    ReleaseItems,
    ReleaseReservation,
    ReserveStock,
    ShipItems,
    ShipReservation,
    TellWaiting,
)
from schemas.values import Item, together
from workers.policy import on


def reserve_when_placed(event: OrderPlaced) -> list[ReserveStock]:
    lines = (Item(sku=line.sku, quantity=line.quantity) for line in event.lines)
    return [ReserveStock(order_id=event.order_id, partition=shelf, items=items) for shelf, items in _by_shelf(lines)]


def commit_when_confirmed(event: OrderConfirmed) -> list[CommitReservation]:
    return [CommitReservation(order_id=event.order_id, partition=shelf) for shelf in _shelves(event.skus)]


def release_when_off(event: OrderRejected | OrderCancelled) -> list[ReleaseReservation]:
    return [ReleaseReservation(order_id=event.order_id, partition=shelf) for shelf in _shelves(event.skus)]


def release_when_line_cancelled(event: OrderLineCancelled) -> list[ReleaseItems]:
    items = (Item(sku=event.sku, quantity=event.quantity),)
    shelf = shelf_of(event.sku)
    return [ReleaseItems(order_id=event.order_id, partition=shelf, part_id=event.cancellation_id, items=items)]


def hold_more_or_fewer_when_amended(event: OrderAmended) -> list[ExtendReservation | ReleaseItems]:
    which, fewer = event.amendment_id, derive(event.amendment_id, "fewer")
    return [
        *(
            ExtendReservation(order_id=event.order_id, partition=shelf, part_id=which, items=items)
            for shelf, items in _by_shelf(event.added)
        ),
        *(
            ReleaseItems(order_id=event.order_id, partition=shelf, part_id=fewer, items=items)
            for shelf, items in _by_shelf(event.removed)
        ),
    ]


def ship_when_shipped(event: OrderShipped) -> list[ShipReservation]:
    return [ShipReservation(order_id=event.order_id, partition=shelf) for shelf in _shelves(event.skus)]


def ship_when_partly_shipped(event: OrderPartlyShipped) -> list[ShipItems]:
    return [
        ShipItems(order_id=event.order_id, partition=shelf, part_id=event.shipment_id, items=items)
        for shelf, items in _by_shelf(event.items)
    ]


def restock_when_returned(event: OrderReturnReceived) -> list[ReceiveStock]:
    good = together(item for item in event.items if item.verdict == "restock")
    return [ReceiveStock(sku=sku, quantity=quantity) for sku, quantity in good.items()]


def _by_shelf(items: Iterable[Item]) -> list[tuple[int, tuple[Item, ...]]]:
    shelves: dict[int, list[Item]] = defaultdict(list)
    for item in items:
        shelves[shelf_of(item.sku)].append(item)
    return [(shelf, tuple(found)) for shelf, found in sorted(shelves.items())]


def _shelves(skus: Iterable[str]) -> list[int]:
    return sorted({shelf_of(sku) for sku in skus})


async def lapse(stream: str, _: Any, __: Todo) -> LapseReservation:
    _, shelf, order_id = stream.split("-", 2)
    return LapseReservation(order_id=order_id, partition=int(shelf))


async def tell(stream: str, _: Any, __: Todo) -> TellWaiting:
    return TellWaiting(sku=stream.removeprefix("product-"))


REACTIONS = (
    on(OrderPlaced, reserve_when_placed),
    on(OrderAmended, hold_more_or_fewer_when_amended),
    on(OrderConfirmed, commit_when_confirmed),
    on(OrderRejected, release_when_off),
    on(OrderCancelled, release_when_off),
    on(OrderShipped, ship_when_shipped),
    on(OrderLineCancelled, release_when_line_cancelled),
    on(OrderPartlyShipped, ship_when_partly_shipped),
    on(OrderReturnReceived, restock_when_returned),
)
EFFECTS = {"lapse": lapse, "tell": tell}
