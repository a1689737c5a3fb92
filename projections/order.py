"""Order view: what clients see of an order, and what they may ask."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, assert_never

from msgspec import Struct
from msgspec.structs import replace

from events.event import Event
from events.order import (
    OrderCancelled,
    OrderConfirmed,
    OrderDelivered,
    OrderEvent,
    OrderLineCancelled,
    OrderLinesCommitted,
    OrderLinesReserved,
    OrderPlaced,
    OrderRejected,
    OrderShipped,
    OrderStockSecured,
)
from projections.view import Projection


class OrderView(Struct, frozen=True):
    """One order; `lines` are as ordered, `cancelled` quantities by SKU, `total`, in minor units, is without them.

    `ready_to_ship` once no line's stock may lapse any more.
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
        case OrderShipped():
            return replace(view, status="shipped", tracking=event.tracking, ready_to_ship=False, updated_at=at)
        case OrderDelivered():
            return replace(view, status="delivered", updated_at=at)
        case _:
            assert_never(event)


def _committed(view: OrderView, skus: Iterable[str]) -> OrderView:
    committed = set(skus)
    left = [sku for sku in view.uncommitted if sku not in committed]
    return replace(view, uncommitted=left, ready_to_ship=view.status == "confirmed" and not left)


def _reduced(view: OrderView, event: OrderLineCancelled) -> OrderView:
    cancelled = {**view.cancelled, event.sku: view.cancelled.get(event.sku, 0) + event.quantity}
    reduced = replace(view, cancelled=cancelled, total=view.total - event.amount)
    return reduced if event.left else _committed(reduced, (event.sku,))


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
BY_REASON = "SELECT reason, count(*) AS orders FROM orders WHERE reason <> '' GROUP BY reason ORDER BY 2 DESC"
SETTLED = "SELECT order_id FROM orders WHERE order_id = ANY(%(order_ids)s) AND status NOT IN ('placed', 'secured')"
