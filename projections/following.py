"""Following is asking for an order's history as it grows, and knowing when nothing is awaited any more."""

from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from events.order import (
    OrderCancelled,
    OrderDelivered,
    OrderRejected,
    OrderReturnReceived,
    OrderReturnRequested,
)

_LAST = (OrderRejected.tag, OrderCancelled.tag, OrderDelivered.tag)


class Course(Struct, frozen=True):
    """How far an order has come: whether it has arrived or will not, and which returns are on their way back."""

    settled: bool = False
    returning: frozenset[str] = frozenset()

    @property
    def over(self) -> bool:
        """Nothing is to come, unless somebody begins something new: a return, a note."""
        return self.settled and not self.returning


def further(course: Course, kind: str, data: Mapping[str, Any]) -> Course:
    """The course after one more event of this type, as it was recorded."""
    if kind in _LAST:
        return Course(True, course.returning)
    if kind == OrderReturnRequested.tag:
        return Course(course.settled, course.returning | {data["return_id"]})
    if kind == OrderReturnReceived.tag:
        return Course(course.settled, course.returning - {data["return_id"]})
    return course


HEADS = """
SELECT p AS partition, coalesce((SELECT max(position) + 1 FROM history WHERE partition = p), 0) AS next,
  (SELECT bool_and(joined) FROM view_versions WHERE live AND name IN ('orders', 'history')) AS together
FROM generate_series(0, %(last)s::int) AS p ORDER BY p
"""
"""Where the history ends in each partition, and whether orders are shown as of the same position."""

SINCE = """
SELECT h.*, f.customer_id
FROM unnest(%(partitions)s::int[], %(froms)s::bigint[], %(upto)s::bigint[]) AS r(partition, first, upto)
CROSS JOIN LATERAL (
  SELECT * FROM history AS h
  WHERE h.partition = r.partition AND h.position >= r.first AND h.position < r.upto AND h.version > 0
  ORDER BY h.position LIMIT %(stride)s
) AS h
LEFT JOIN LATERAL (
  SELECT data ->> 'customer_id' AS customer_id FROM history AS f
  WHERE cardinality(%(customers)s::text[]) > 0 AND f.stream = h.stream AND f.version = 1 LIMIT 1
) AS f ON true
WHERE h.stream = ANY(%(streams)s::text[]) OR f.customer_id = ANY(%(customers)s::text[])
ORDER BY h.partition, h.position
"""
"""What has happened in between to these orders, and to those of these customers; a limit, so that it is never planned
as a walk through everything."""

MISSED = """
SELECT h.* FROM orders AS o
CROSS JOIN LATERAL (SELECT * FROM history AS h WHERE h.stream = 'order-' || o.order_id AND h.version > 0) AS h
JOIN unnest(%(froms)s::bigint[]) WITH ORDINALITY AS r(first, number) ON h.partition = r.number - 1
WHERE o.customer_id = %(customer_id)s AND h.position >= r.first
ORDER BY h.partition, h.position LIMIT %(limit)s
"""
"""What has happened to a customer's orders since they last heard of them."""
