"""Order view: what clients see of an order, and what they may ask."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, assert_never

from msgspec import Struct
from msgspec.structs import replace

from events.event import Event
from events.order import (
    OrderAddressChanged,
    OrderAmended,
    OrderCancelled,
    OrderConfirmed,
    OrderDelivered,
    OrderEvent,
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
from projections.view import Projection
from schemas.mark import MARK


class OrderView(Struct, frozen=True):
    """One order; `lines` are as ordered or last amended, `cancelled` quantities by SKU. Neither they nor what was
    accepted of `returns` are in the `total`, in minor units.

    `ready_to_ship` once no line's stock may lapse any more, until all is shipped; a shipment has its items by SKU, and
    no `delivered_at` while it is under way.
    """

    order_id: str
    customer_id: str
    email: str
    status: str
    reason: str
    currency: str
    total: int
    line_count: int
    lines: list[dict[str, Any]]
    shipping_address: dict[str, Any]
    uncommitted: list[str]
    ready_to_ship: bool
    tracking: str
    placed_at: datetime
    updated_at: datetime
    confirmed_at: datetime | None = None
    shipping_cents: int = 0
    cancelled: dict[str, int] = {}
    shipments: list[dict[str, Any]] = []
    returns: list[dict[str, Any]] = []
    notes: list[dict[str, Any]] = []
    staff_notes: list[dict[str, Any]] = []


def project(view: OrderView | None, event: OrderEvent, at: datetime) -> OrderView | None:
    if isinstance(event, OrderPlaced):
        return _placed(event, at)
    if view is None:
        return None
    match event:
        case OrderLinesReserved():
            return replace(view, updated_at=at)
        case OrderStockSecured():
            return replace(view, status="secured", updated_at=at)
        case OrderConfirmed():
            return replace(view, status="confirmed", confirmed_at=at, updated_at=at)
        case OrderLinesCommitted():
            return replace(_committed(view, event.skus), updated_at=at)
        case OrderRejected():
            return replace(view, status="rejected", reason=_why(event), updated_at=at)
        case OrderCancelled():
            return replace(view, status="cancelled", reason=event.reason, ready_to_ship=False, updated_at=at)
        case OrderLineCancelled():
            return replace(_reduced(view, event), updated_at=at)
        case OrderPartlyShipped():
            return replace(_sent(view, event, at), status="partially_shipped")
        case OrderShipped():
            return replace(_sent(view, event, at), status="shipped", ready_to_ship=False)
        case OrderShipmentDelivered():
            return _arrived(view, at, event.shipment_id)
        case OrderDelivered():
            return replace(_arrived(view, at), status="delivered")
        case OrderReturnRequested():
            return replace(view, returns=[*view.returns, _announced(event, at)], updated_at=at)
        case OrderReturnReceived():
            returns = [_received(each, event, at) for each in view.returns]
            return replace(view, returns=returns, total=view.total - event.amount, updated_at=at)
        case OrderAddressChanged():
            return replace(view, shipping_address=vars(event.shipping_address).copy(), updated_at=at)
        case OrderAmended():
            return _amended(view, event, at)
        case OrderNoted():
            return _noted(view, event, at)
        case _:
            assert_never(event)


def _committed(view: OrderView, skus: Iterable[str]) -> OrderView:
    committed = set(skus)
    left = [sku for sku in view.uncommitted if sku not in committed]
    return replace(view, uncommitted=left, ready_to_ship=view.status == "confirmed" and not left)


def _reduced(view: OrderView, event: OrderLineCancelled) -> OrderView:
    cancelled = {**view.cancelled, event.sku: view.cancelled.get(event.sku, 0) + event.quantity}
    reduced = replace(view, cancelled=cancelled, total=view.total - event.amount)
    if view.status == "partially_shipped":
        return reduced if _left(reduced) else replace(reduced, status="shipped", ready_to_ship=False)
    return reduced if event.left else _committed(reduced, (event.sku,))


def _amended(view: OrderView, event: OrderAmended, at: datetime) -> OrderView:
    """The view with what is ordered now; what was called off before is in none of these lines."""
    added = {item.sku for item in event.added}
    return replace(
        view,
        lines=[vars(line).copy() for line in event.lines],
        line_count=len(event.lines),
        total=event.total,
        shipping_cents=event.shipping_cents,
        cancelled={},
        uncommitted=sorted({*view.uncommitted, *added}),
        updated_at=at,
    )


def _sent(view: OrderView, event: OrderPartlyShipped | OrderShipped, at: datetime) -> OrderView:
    """The view with one more shipment; one that is not told item by item has all that was left."""
    items = {item.sku: item.quantity for item in event.items} or _left(view)
    shipment: dict[str, Any] = {"shipment_id": event.shipment_id, "tracking": event.tracking, "items": items}
    shipment |= {"shipped_at": at.isoformat(), "delivered_at": None}
    return replace(view, shipments=[*view.shipments, shipment], tracking=event.tracking, updated_at=at)


def _arrived(view: OrderView, at: datetime, shipment_id: str | None = None) -> OrderView:
    """The view with a shipment, or all that are under way, delivered."""
    shipments = [
        {**each, "delivered_at": at.isoformat()}
        if each["delivered_at"] is None and shipment_id in (None, each["shipment_id"])
        else each
        for each in view.shipments
    ]
    return replace(view, shipments=shipments, updated_at=at)


def _noted(view: OrderView, event: OrderNoted, at: datetime) -> OrderView:
    note = {"note_id": event.note_id, "text": event.text, "by": event.by, "at": at.isoformat()}
    if event.audience == "everyone":
        return replace(view, notes=[*view.notes, note], updated_at=at)
    return replace(view, staff_notes=[*view.staff_notes, note], updated_at=at)


def _announced(event: OrderReturnRequested, at: datetime) -> dict[str, Any]:
    items = {item.sku: item.quantity for item in event.items}
    asked = {"return_id": event.return_id, "reason": event.reason, "items": items, "requested_at": at.isoformat()}
    return {**asked, "received": [], "amount": 0, "note": "", "received_at": None}


def _received(each: dict[str, Any], event: OrderReturnReceived, at: datetime) -> dict[str, Any]:
    """A return, if it is this one, with what came of it."""
    if each["return_id"] != event.return_id:
        return each
    received = [{"sku": item.sku, "quantity": item.quantity, "verdict": item.verdict} for item in event.items]
    return {**each, "received": received, "amount": event.amount, "note": event.note, "received_at": at.isoformat()}


def _left(view: OrderView) -> dict[str, int]:
    """How many of each SKU are neither cancelled nor shipped."""
    left: dict[str, int] = {}
    for line in view.lines:
        left[line["sku"]] = left.get(line["sku"], 0) + line["quantity"]
    for gone in (view.cancelled, *(shipment["items"] for shipment in view.shipments)):
        for sku, quantity in gone.items():
            left[sku] -= quantity
    return {sku: quantity for sku, quantity in left.items() if quantity}


def _placed(event: OrderPlaced, at: datetime) -> OrderView:
    return OrderView(
        order_id=event.order_id,
        customer_id=event.customer_id,
        email=event.email,
        status="placed",
        reason="",
        currency=event.currency,
        total=event.total,
        line_count=len(event.lines),
        lines=[
            vars(line).copy() for line in event.lines
        ],  # flat, so it is what model_dump gives, and ten times as fast
        shipping_address=vars(event.shipping_address).copy(),
        uncommitted=sorted({line.sku for line in event.lines}),
        ready_to_ship=False,
        tracking="",
        placed_at=at,
        updated_at=at,
        shipping_cents=event.shipping_cents,
    )


def _why(event: OrderRejected) -> str:
    return f"{event.reason}: {', '.join(event.refused)}" if event.refused else event.reason


def key_of(event: Event) -> str | None:
    return getattr(event, "order_id", None)


ORDERS = Projection(
    name="orders",
    context="order",
    view=OrderView,
    key_of=key_of,
    project=project,
    version=2,
    indexes=(
        "CREATE INDEX {table}_of_customer ON {table} (customer_id, placed_at DESC, order_id DESC)",
        "CREATE INDEX {table}_by_status ON {table} (status)",
        "CREATE INDEX {table}_by_time ON {table} (placed_at DESC, order_id DESC)",
    ),
)

ONE = "SELECT * FROM orders WHERE order_id = %(order_id)s"
CUSTOMER = "SELECT customer_id FROM orders WHERE order_id = %(order_id)s"
PAGE = """
SELECT * FROM orders
WHERE (%(customer_id)s::text IS NULL OR customer_id = %(customer_id)s)
  AND (%(status)s::text IS NULL OR status = %(status)s)
  AND (%(before_at)s::timestamptz IS NULL OR (placed_at, order_id) < (%(before_at)s, %(before_id)s))
ORDER BY placed_at DESC, order_id DESC LIMIT %(limit)s
"""
BY_STATUS = """
SELECT status, count(*) AS orders, coalesce(sum(line_count), 0)::bigint AS lines, sum(total)::bigint AS total,
  count(confirmed_at) AS confirmed_once
FROM orders GROUP BY status ORDER BY status
"""
UNDER_WAY = ("placed", "secured", "confirmed", "partially_shipped")
"""An order that is still to be shipped."""
OPEN = f"""
SELECT order_id FROM orders WHERE customer_id = %(customer_id)s AND status IN {UNDER_WAY} LIMIT 10
"""  # noqa: S608
OWN_WORDS = "in their own words"
"""What a person's reason is counted as: it is sealed, and theirs."""
BY_REASON = f"""
SELECT CASE WHEN starts_with(reason, '{MARK}') THEN '{OWN_WORDS}' ELSE reason END AS reason, count(*) AS orders
FROM orders WHERE reason <> '' GROUP BY 1 ORDER BY 2 DESC
"""  # noqa: S608
SETTLED = "SELECT order_id FROM orders WHERE order_id = ANY(%(order_ids)s) AND status NOT IN ('placed', 'secured')"
