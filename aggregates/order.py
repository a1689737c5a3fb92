"""Order rules: placed once, then secured, confirmed, shipped and delivered, or rejected or cancelled, once."""

from enum import Enum
from typing import assert_never
from zlib import crc32

from msgspec import Struct
from msgspec.structs import replace

from aggregates.decider import Decider, alone
from aggregates.errors import (
    OrderAlreadyShipped,
    OrderExists,
    OrderNotReady,
    OrderNotShipped,
    OrderSettled,
    OrderUnknown,
)
from events.event import Event
from events.order import (
    OrderCancelled,
    OrderConfirmed,
    OrderDelivered,
    OrderEvent,
    OrderLinesCommitted,
    OrderLinesReserved,
    OrderPlaced,
    OrderRejected,
    OrderShipped,
    OrderStockSecured,
)
from schemas.order import (
    CancelOrder,
    ConfirmOrder,
    DeliverOrder,
    PlaceOrder,
    RecordCommitment,
    RecordLapse,
    RecordReservation,
    RejectOrder,
    ShipOrder,
)
from schemas.values import total_of


class Status(Enum):
    """Where an order stands."""

    UNKNOWN = "unknown"
    PLACED = "placed"
    SECURED = "secured"
    CONFIRMED = "confirmed"
    SHIPPED = "shipped"
    DELIVERED = "delivered"
    REJECTED = "rejected"
    CANCELLED = "cancelled"


OVER = (Status.REJECTED, Status.CANCELLED)
GONE = (Status.SHIPPED, Status.DELIVERED)


class Order(Struct, frozen=True):
    """What the rules need to know; `awaited` are the SKUs not yet held, `uncommitted` those that may lapse."""

    status: Status = Status.UNKNOWN
    customer_id: str = ""
    email: str = ""
    payment_token: str = ""
    amount: int = 0
    currency: str = ""
    contents: int = 0
    skus: tuple[str, ...] = ()
    awaited: frozenset[str] = frozenset()
    uncommitted: frozenset[str] = frozenset()


def evolve(order: Order, event: OrderEvent) -> Order:
    match event:
        case OrderPlaced():
            skus = tuple(dict.fromkeys(line.sku for line in event.lines))
            return Order(
                status=Status.PLACED,
                customer_id=event.customer_id,
                email=event.email,
                payment_token=event.payment_token,
                amount=event.total,
                currency=event.currency,
                contents=_contents(event),
                skus=skus,
                awaited=frozenset(skus),
                uncommitted=frozenset(skus),
            )
        case OrderLinesReserved():
            return replace(order, awaited=order.awaited - set(event.skus))
        case OrderStockSecured():
            return replace(order, status=Status.SECURED, awaited=frozenset())
        case OrderConfirmed():
            return replace(order, status=Status.CONFIRMED)
        case OrderLinesCommitted():
            return replace(order, uncommitted=order.uncommitted - set(event.skus))
        case OrderRejected():
            return replace(order, status=Status.REJECTED)
        case OrderCancelled():
            return replace(order, status=Status.CANCELLED)
        case OrderShipped():
            return replace(order, status=Status.SHIPPED)
        case OrderDelivered():
            return replace(order, status=Status.DELIVERED)
        case _:
            assert_never(event)


def place(command: PlaceOrder, order: Order) -> list[Event]:
    placed = OrderPlaced(**dict(command), total=total_of(command.lines))
    if order.status is Status.UNKNOWN:
        return [placed]
    if order.contents == _contents(placed):
        return []  # the same order, sent again under another command id
    raise OrderExists


def record_reservation(command: RecordReservation, order: Order) -> list[Event]:
    news = tuple(sku for sku in command.skus if sku in order.awaited)
    if order.status is not Status.PLACED or not news:
        return []
    if order.awaited - set(news):
        return [OrderLinesReserved(order_id=command.order_id, skus=news)]
    return [
        OrderStockSecured(
            order_id=command.order_id,
            email=order.email,
            amount=order.amount,
            currency=order.currency,
            payment_token=order.payment_token,
        )
    ]


def confirm(command: ConfirmOrder, order: Order) -> list[Event]:
    if order.status is not Status.SECURED:
        return []  # settled already; payment voids or refunds a late authorization by itself
    return [
        OrderConfirmed(
            order_id=command.order_id,
            email=order.email,
            skus=order.skus,
            amount=order.amount,
            currency=order.currency,
            customer_id=order.customer_id,
        )
    ]


def record_commitment(command: RecordCommitment, order: Order) -> list[Event]:
    news = tuple(sku for sku in command.skus if sku in order.uncommitted)
    if order.status is not Status.CONFIRMED or not news:
        return []
    return [OrderLinesCommitted(order_id=command.order_id, skus=news)]


def reject(command: RejectOrder, order: Order) -> list[Event]:
    if order.status not in (Status.PLACED, Status.SECURED):
        return []
    return [_rejected(command.order_id, order, command.reason, command.skus)]


def record_lapse(command: RecordLapse, order: Order) -> list[Event]:
    match order.status:
        case Status.PLACED | Status.SECURED:
            return [_rejected(command.order_id, order, "reservation lapsed", command.skus)]
        case Status.CONFIRMED:
            # Confirmed a moment too late: the goods may be sold to others already, so the money goes back.
            return [_cancelled(command.order_id, order, "reservation lapsed")]
        case _:
            return []


def cancel(command: CancelOrder, order: Order) -> list[Event]:
    match order.status:
        case Status.PLACED | Status.SECURED | Status.CONFIRMED:
            return [_cancelled(command.order_id, order, command.reason)]
        case Status.CANCELLED:
            return []
        case Status.REJECTED:
            raise OrderSettled
        case Status.SHIPPED | Status.DELIVERED:
            raise OrderAlreadyShipped
        case Status.UNKNOWN:
            raise OrderUnknown
        case _:
            assert_never(order.status)


def ship(command: ShipOrder, order: Order) -> list[Event]:
    if order.status in GONE:
        return []
    _refuse_unless_known_and_open(order)
    if order.status is not Status.CONFIRMED or order.uncommitted:
        raise OrderNotReady
    return [
        OrderShipped(
            order_id=command.order_id,
            email=order.email,
            tracking=command.tracking,
            skus=order.skus,
            customer_id=order.customer_id,
        )
    ]


def deliver(command: DeliverOrder, order: Order) -> list[Event]:
    if order.status is Status.DELIVERED:
        return []
    _refuse_unless_known_and_open(order)
    if order.status is not Status.SHIPPED:
        raise OrderNotShipped
    return [OrderDelivered(order_id=command.order_id, email=order.email, customer_id=order.customer_id)]


def _contents(placed: OrderPlaced) -> int:
    """A checksum of what was ordered, by whom, to where: enough to tell a repeat from another order."""
    return crc32(placed.model_dump_json(warnings=False).encode())


def _refuse_unless_known_and_open(order: Order) -> None:
    if order.status is Status.UNKNOWN:
        raise OrderUnknown
    if order.status in OVER:
        raise OrderSettled


def _rejected(order_id: str, order: Order, reason: str, refused: tuple[str, ...]) -> OrderRejected:
    return OrderRejected(
        order_id=order_id,
        email=order.email,
        reason=reason,
        skus=order.skus,
        refused=refused,
        customer_id=order.customer_id,
    )


def _cancelled(order_id: str, order: Order, reason: str) -> OrderCancelled:
    return OrderCancelled(
        order_id=order_id, email=order.email, reason=reason, skus=order.skus, customer_id=order.customer_id
    )


DECIDER = Decider(
    context="order",
    initial={"order": Order()},
    evolve=evolve,  # type: ignore[arg-type]
    decide=alone(
        {
            PlaceOrder: place,
            RecordReservation: record_reservation,
            ConfirmOrder: confirm,
            RecordCommitment: record_commitment,
            RejectOrder: reject,
            RecordLapse: record_lapse,
            CancelOrder: cancel,
            ShipOrder: ship,
            DeliverOrder: deliver,
        }
    ),
)
