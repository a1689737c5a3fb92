"""Statistics are what the events of one minute add up to: a pure fold, one row per minute and source partition."""

from datetime import UTC, datetime
from typing import NamedTuple

import msgspec

from events.event import Event
from events.order import OrderCancelled, OrderConfirmed, OrderPlaced, OrderRejected
from events.payment import PaymentCaptured, PaymentRefunded

MINUTE = 60.0
"""Seconds in a window."""


class Window(msgspec.Struct, omit_defaults=True):
    """One minute of one source partition. Amounts are minor units by currency; `upto` is the last offset counted."""

    placed: int = 0
    confirmed: int = 0
    rejected: int = 0
    cancelled: int = 0
    captured: dict[str, int] = {}
    refunded: dict[str, int] = {}
    upto: int = -1

    def add(self, event: Event) -> bool:
        """Count an event; False if it is none that counts."""
        match event:
            case OrderPlaced():
                self.placed += 1
            case OrderConfirmed():
                self.confirmed += 1
            case OrderRejected():
                self.rejected += 1
            case OrderCancelled():
                self.cancelled += 1
            case PaymentCaptured():
                self.captured[event.currency] = self.captured.get(event.currency, 0) + event.amount
            case PaymentRefunded():
                self.refunded[event.currency] = self.refunded.get(event.currency, 0) + event.amount
            case _:
                return False
        return True


class Row(NamedTuple):
    """A window as it is kept for queries; the key is (minute, source).

    The numbers are totals, never increments, and each source partition has rows of its own. So sums over sources are
    right whoever reads which partition, and a row may be written again and again: keep the one with the highest `upto`.
    """

    minute: datetime
    source: str
    window: Window


def minute_of(at: datetime) -> float:
    """The start of the minute that a moment lies in, in seconds since 1970."""
    return at.timestamp() // MINUTE * MINUTE


def row_of(start: float, source: str, window: Window) -> Row:
    """The row of a window that begins at `start`, seconds since 1970."""
    return Row(datetime.fromtimestamp(start, UTC), source, window)
