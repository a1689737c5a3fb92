"""Inverse tells from what was recorded what had been asked, where nothing else tells it any more."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from events.event import Event
from events.order import (
    OrderAddressChanged,
    OrderAmended,
    OrderCancelled,
    OrderConfirmed,
    OrderDelivered,
    OrderLineCancelled,
    OrderLinesCommitted,
    OrderLinesReserved,
    OrderNoted,
    OrderPartlyShipped,
    OrderPlaced,
    OrderRejected,
    OrderReturnReceived,
    OrderReturnRequested,
    OrderShipmentDelivered,
    OrderShipped,
    OrderStockSecured,
)
from events.product import (
    LowStockSet,
    ProductDescribed,
    ProductListed,
    ProductPriced,
    ProductWithdrawn,
    ReservationCommitted,
    ReservationExtended,
    ReservationMade,
    ReservationReduced,
    ReservationReleased,
    ReservationShipped,
    StockAdjusted,
    StockAwaited,
    StockCounted,
    StockNotAwaited,
    StockReceived,
    StockShipped,
    StockTold,
    StockTransferred,
)
from schemas import order as of_order
from schemas import product as of_product
from schemas.values import Command

Told = Callable[[Sequence[Any], Any], Command]
"""told(a command's events, the state of its stream before them) → the command."""

LAPSED = "reservation lapsed"


def _plain(command: type[Command], *left_out: str) -> Told:
    """Event and command have the same fields, but for those."""
    names = [name for name in command.model_fields if name not in left_out]

    # Not checked again: what was recorded was checked when it came, by the rules of its day.
    def told(events: Sequence[Event], _: Any) -> Command:
        return command.model_construct(**{name: getattr(events[-1], name) for name in names})

    return told


def _first(command: type[Command]) -> Told:
    """The same, where the first event is the command's own, and others follow from it."""
    told = _plain(command)
    return lambda events, state: told(events[:1], state)


def _secured(events: Sequence[Event], state: Any) -> Command:
    event = events[0]
    assert isinstance(event, OrderStockSecured)  # noqa: S101  by the table
    return of_order.RecordReservation(order_id=event.order_id, skus=tuple(sorted(state.awaited)))


def _rejected(events: Sequence[Event], _: Any) -> Command:
    event = events[0]
    assert isinstance(event, OrderRejected)  # noqa: S101  by the table
    if event.reason == LAPSED:
        return of_order.RecordLapse(order_id=event.order_id, skus=event.refused)
    return of_order.RejectOrder(order_id=event.order_id, reason=event.reason, skus=event.refused)


def _cancelled(events: Sequence[Event], _: Any) -> Command:
    event = events[0]
    assert isinstance(event, OrderCancelled)  # noqa: S101  by the table
    if event.reason == LAPSED:
        return of_order.RecordLapse(order_id=event.order_id, skus=event.skus)
    return of_order.CancelOrder.model_construct(order_id=event.order_id, reason=event.reason, by=event.by)


def _shipped(events: Sequence[Event], _: Any) -> Command:
    event = events[0]
    assert isinstance(event, OrderShipped | OrderPartlyShipped)  # noqa: S101  by the table
    lines = event.items if isinstance(event, OrderPartlyShipped) else ()
    named: dict[str, Any] = {name: getattr(event, name) or None for name in ("order_id", "shipment_id")}
    told: dict[str, Any] = {"tracking": event.tracking, "by": event.by, "lines": lines}
    return of_order.ShipOrder.model_construct(**named, **told)


def _delivered(events: Sequence[Event], _: Any) -> Command:
    event = events[0]
    assert isinstance(event, OrderDelivered | OrderShipmentDelivered)  # noqa: S101  by the table
    which = event.shipment_id if isinstance(event, OrderShipmentDelivered) and len(events) == 1 else None
    return of_order.DeliverOrder.model_construct(order_id=event.order_id, shipment_id=which, by=event.by)


def _parted(events: Sequence[Event], _: Any) -> Command:
    event = events[-1]
    assert isinstance(event, ReservationReduced)  # noqa: S101  by the table
    kind = of_product.ShipItems if isinstance(events[0], StockShipped) else of_product.ReleaseItems
    return kind.model_construct(**dict(event))


def _listed(events: Sequence[Event], _: Any) -> Command:
    event = events[0]
    stock = sum(each.quantity for each in events if isinstance(each, StockReceived))
    return of_product.ListProduct.model_construct(**dict(event), stock=stock)


INVERSE: Mapping[type[Event], Told] = {
    OrderPlaced: _plain(of_order.PlaceOrder),
    OrderLinesReserved: _plain(of_order.RecordReservation),
    OrderStockSecured: _secured,
    OrderConfirmed: _plain(of_order.ConfirmOrder),
    OrderLinesCommitted: _plain(of_order.RecordCommitment),
    OrderRejected: _rejected,
    OrderCancelled: _cancelled,
    OrderLineCancelled: _first(of_order.CancelLine),
    OrderPartlyShipped: _shipped,
    OrderShipped: _shipped,
    OrderShipmentDelivered: _delivered,
    OrderDelivered: _delivered,
    OrderReturnRequested: _plain(of_order.RequestReturn),
    OrderReturnReceived: _plain(of_order.ReceiveReturn),
    OrderAddressChanged: _plain(of_order.ChangeAddress),
    OrderAmended: _plain(of_order.AmendOrder),
    OrderNoted: _plain(of_order.AddNote),
    ProductListed: _listed,
    ProductDescribed: _plain(of_product.DescribeProduct),
    ProductPriced: _plain(of_product.PriceProduct),
    ProductWithdrawn: _plain(of_product.WithdrawProduct),
    StockReceived: _plain(of_product.ReceiveStock),
    StockAdjusted: _plain(of_product.AdjustStock),
    StockCounted: _plain(of_product.CountStock),
    StockTransferred: _plain(of_product.TransferStock),
    LowStockSet: _plain(of_product.SetLowStock),
    StockAwaited: _plain(of_product.AwaitStock),
    StockNotAwaited: _plain(of_product.StopAwaitingStock),
    StockTold: _plain(of_product.TellWaiting),
    ReservationMade: _plain(of_product.ReserveStock),
    ReservationExtended: _plain(of_product.ExtendReservation),
    ReservationCommitted: _plain(of_product.CommitReservation),
    ReservationReleased: _plain(of_product.ReleaseReservation),
    ReservationReduced: _parted,
    ReservationShipped: _plain(of_product.ShipReservation),
}
"""What is not here (a refusal, an answer of the provider) cannot be told: its events stand for it."""
