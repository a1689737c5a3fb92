"""Spending view: what each customer's orders come to; an order counts from its confirmation until it is cancelled."""

from datetime import datetime
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

Counting: TypeAlias = (
    OrderPlaced | OrderAmended | OrderConfirmed | OrderCancelled | OrderLineCancelled | OrderReturnReceived
)


class SpendingView(Struct, frozen=True):
    """One order; amount in minor units."""

    order_id: str
    customer_id: str
    currency: str
    amount: int
    counted: bool


class Spent(Struct, frozen=True):
    """What a customer has spent in one currency, in minor units, and on how many orders."""

    customer_id: str
    currency: str
    orders: int
    spent: int


def project(view: SpendingView | None, event: Counting, _: datetime) -> SpendingView | None:
    match event:
        case OrderPlaced():
            return SpendingView(event.order_id, event.customer_id, event.currency, event.total, counted=False)
        case OrderAmended():
            return view and replace(view, amount=event.total)
        case OrderConfirmed():
            return view and replace(view, counted=True)
        case OrderCancelled():
            return view and replace(view, counted=False)
        case OrderLineCancelled() | OrderReturnReceived():
            return view and replace(view, amount=view.amount - event.amount)
        case _:
            assert_never(event)


def key_of(event: Event) -> str | None:
    return event.order_id if isinstance(event, Counting) else None


SPENDING = Projection(
    name="spending",
    context="order",
    view=SpendingView,
    key_of=key_of,
    project=project,
    version=2,
    totals=Totals(
        name="spending_totals",
        keys={"customer_id": "text", "currency": "text"},
        sums=("orders", "spent"),
        query="SELECT partition, customer_id, currency, 1 AS orders, amount AS spent FROM {rows} WHERE counted",
    ),
)

OF_CUSTOMER = """
SELECT customer_id, currency, sum(orders) AS orders, sum(spent) AS spent FROM spending_totals
WHERE customer_id = %(customer_id)s GROUP BY customer_id, currency HAVING sum(orders) > 0 ORDER BY currency
"""
TOP = """
SELECT customer_id, currency, orders, spent FROM (
  SELECT customer_id, currency, sum(orders) AS orders, sum(spent) AS spent,
    row_number() OVER (PARTITION BY currency ORDER BY sum(spent) DESC, customer_id) AS place
  FROM spending_totals WHERE %(currency)s::text IS NULL OR currency = %(currency)s
  GROUP BY customer_id, currency HAVING sum(orders) > 0
) AS ranked WHERE place <= %(limit)s ORDER BY currency, place
"""
