"""Price journal: every price that a product has had, since when, and why; a row each, for ever."""

from datetime import datetime
from typing import Any

from msgspec import Struct

from events.product import ProductListed, ProductPriced
from projections.recorded import Item
from projections.view import PLACE, Journal


class Price(Struct, frozen=True):
    """What a product cost from `since` until just before `until`, in minor units; null is until now.

    `reason` is as it was given with the command; `request` is the id of the request that began it.
    """

    price: int
    currency: str
    since: datetime
    until: datetime | None
    reason: str
    request: str
    version: int


def rows_of(partition: int, item: Item) -> list[dict[str, Any]]:
    event, envelope = item.event, item.envelope
    if envelope is None or not item.version or not isinstance(event, ProductListed | ProductPriced):
        return []
    reason = event.reason if isinstance(event, ProductPriced) else "listed"
    return [
        {
            "partition": partition,
            "position": item.offset,
            "sku": event.sku,
            "version": item.version,
            "price": event.price,
            "currency": event.currency,
            "since": item.at,
            "reason": reason,
            "request": envelope.correlation,
        }
    ]


PRICES = Journal(
    name="prices",
    context="product",
    rows_of=rows_of,
    columns={
        **PLACE,
        "sku": "text NOT NULL",
        "version": "bigint NOT NULL",
        "price": "bigint NOT NULL",
        "currency": "text NOT NULL",
        "since": "timestamptz NOT NULL",
        "reason": "text NOT NULL",
        "request": "text NOT NULL",
    },
    keys=("partition", "position"),
    indexes=("CREATE INDEX {table}_of_sku ON {table} (sku, version)",),
)

OF_PRODUCT = """
SELECT price, currency, since, until, reason, request, version FROM (
  SELECT *, lead(since) OVER (ORDER BY version) AS until FROM prices WHERE sku = %(sku)s
) AS prices WHERE %(before)s::bigint IS NULL OR version < %(before)s ORDER BY version DESC LIMIT %(limit)s
"""
