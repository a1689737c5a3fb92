"""Revenue view: what was sold on each day, and for how much; an order counts on the day (UTC) of its confirmation.

Tax and shipping are no revenue. What is called off of an order or comes back later is taken off the same day.

Which department a SKU belongs to is the product context's knowledge: who asks by department brings it along.
"""

from collections.abc import Iterable
from datetime import UTC, date, datetime
from functools import reduce
from typing import TypeAlias, assert_never

from msgspec import Struct
from msgspec.structs import replace

from events.event import Event
from events.order import (
    OrderAmended,
    OrderCancelled,
    OrderConfirmed,
    OrderLineCancelled,
    OrderPlaced,
    OrderReturnReceived,
)
from projections.view import Projection, Totals
from schemas.values import Line, Returned

Selling: TypeAlias = (
    OrderPlaced | OrderAmended | OrderConfirmed | OrderCancelled | OrderLineCancelled | OrderReturnReceived
)


class RevenueView(Struct, frozen=True):
    """One order; by SKU, its quantity and what it comes to in minor units. Without a day it counts on none."""

    order_id: str
    currency: str
    lines: dict[str, tuple[int, int]]
    day: date | None = None


class Revenue(Struct, frozen=True, omit_defaults=True):
    """What was sold, in one currency, in minor units; day and department as far as they were asked for."""

    currency: str
    quantity: int
    revenue: int
    day: date | None = None
    department: str | None = None


def project(view: RevenueView | None, event: Selling, at: datetime) -> RevenueView | None:
    match event:
        case OrderPlaced():
            return RevenueView(event.order_id, event.currency, _together(event.lines))
        case OrderAmended():
            return view and replace(view, lines=_together(event.lines))
        case OrderConfirmed():
            return view and replace(view, day=at.astimezone(UTC).date())
        case OrderCancelled():
            return view and replace(view, day=None)
        case OrderLineCancelled():
            return view and _less(view, event.sku, event.quantity, event.amount - event.tax_cents)
        case OrderReturnReceived():
            return view and reduce(_without, (item for item in event.items if item.accepted), view)
        case _:
            assert_never(event)


def _without(view: RevenueView, item: Returned) -> RevenueView:
    return _less(view, item.sku, item.quantity, item.amount - item.tax_cents)


def _less(view: RevenueView, sku: str, quantity: int, revenue: int) -> RevenueView:
    were = view.lines[sku]
    return replace(view, lines={**view.lines, sku: (were[0] - quantity, were[1] - revenue)})


def _together(lines: Iterable[Line]) -> dict[str, tuple[int, int]]:
    sums: dict[str, tuple[int, int]] = {}
    for line in lines:
        quantity, revenue = sums.get(line.sku, (0, 0))
        sums[line.sku] = quantity + line.quantity, revenue + line.quantity * line.unit_price
    return sums


def key_of(event: Event) -> str | None:
    return event.order_id if isinstance(event, Selling) else None


REVENUE = Projection(
    name="revenue",
    context="order",
    view=RevenueView,
    key_of=key_of,
    project=project,
    version=2,
    totals=Totals(
        name="revenue_totals",
        keys={"day": "date", "sku": "text", "currency": "text"},
        sums=("quantity", "revenue"),
        query="SELECT partition, day, line.key AS sku, currency, (line.value->>0)::bigint AS quantity,"
        " (line.value->>1)::bigint AS revenue FROM {rows}, jsonb_each(lines) AS line WHERE day IS NOT NULL",
    ),
)

SKUS = "SELECT DISTINCT sku FROM revenue_totals WHERE day BETWEEN %(first)s AND %(last)s"

BY = {"day": "day", "department": "coalesce(department, '')"}


def report(by: Iterable[str]) -> str:
    """The question for sums by some of BY, with each SKU's department, as far as known, in two lists side by side."""
    chosen = list(by)
    columns = ", ".join(f"{BY[name]} AS {name}" for name in chosen)
    places = ", ".join(str(number + 1) for number in range(len(chosen) + 1))
    return f"""
SELECT {columns}, currency, sum(quantity) AS quantity, sum(revenue) AS revenue FROM revenue_totals
LEFT JOIN unnest(%(skus)s::text[], %(departments)s::text[]) AS known(known, department) ON known = sku
WHERE day BETWEEN %(first)s AND %(last)s
GROUP BY {places} HAVING sum(quantity) <> 0 ORDER BY {places}
"""  # noqa: S608  only constants are put in
