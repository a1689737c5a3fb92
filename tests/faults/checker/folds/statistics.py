"""Figures per minute of event time and source partition, as the log adds them up."""

from bisect import bisect_right
from datetime import datetime
from typing import Any

from tests.faults.checker.findings import Fact

COUNTED = {
    "order.placed.v1": "placed",
    "order.confirmed.v1": "confirmed",
    "order.rejected.v1": "rejected",
    "order.cancelled.v1": "cancelled",
}
SUMMED = {"payment.captured.v1": "captured", "payment.refunded.v1": "refunded"}

Key = tuple[int, str, str, str]
"""Minute (of the epoch), source partition, name, currency."""


class Statistics:
    """Of each figure, the offsets that changed it and what it was after each."""

    def __init__(self) -> None:
        self.all: dict[Key, tuple[list[int], list[int]]] = {}

    def add(self, fact: Fact) -> None:
        """Take an event into account."""
        if name := COUNTED.get(fact.kind):
            self._add(fact, name, "", 1)
        elif name := SUMMED.get(fact.kind):
            self._add(fact, name, fact.body["currency"], fact.body["amount"])

    def at(self, key: Key, upto: int) -> int:
        """What a figure was after an offset."""
        offsets, values = self.all.get(key, ([], []))
        place = bisect_right(offsets, upto)
        return values[place - 1] if place else 0

    def _add(self, fact: Fact, name: str, currency: str, amount: int) -> None:
        key = (minute_of(fact.time), f"{fact.context}.events/{fact.partition}", name, currency)
        offsets, values = self.all.setdefault(key, ([], []))
        values.append(amount + (values[-1] if values else 0))
        offsets.append(fact.offset)


def minute_of(time: Any) -> int:
    """The minute of a moment in ISO 8601."""
    return int(datetime.fromisoformat(str(time)).timestamp() // 60)
