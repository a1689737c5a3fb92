"""Values that tests share: a time, two orders, SKUs whose shelves are known."""

from datetime import UTC, datetime, timedelta

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
HOLD = timedelta(minutes=15)
OVERDUE = timedelta(minutes=10)
CARD_WITHIN = timedelta(days=3)

A = "0a000000-0000-4000-8000-00000000000a"
B = "0b000000-0000-4000-8000-00000000000b"
C = "0c000000-0000-4000-8000-00000000000c"

FIGS, MILK, WATER = "figs", "milk", "water"
"""These live on shelf 0."""
BREAD, CHEESE = "bread", "cheese"
"""These live on shelf 1."""

EMAIL = "ada@customers.example"
EUR = "EUR"
