"""Findings are the violations of a run: how many of each invariant, and the first of each by time."""

from collections import Counter
from collections.abc import Iterable
from typing import Any, NamedTuple

from tests.faults.checker.promises import PROMISES

SHOWN = 10
"""Violations of one invariant that are kept, the earliest."""


class Fact(NamedTuple):
    """An effective event: decoded, with what its headers say. `timestamp` is milliseconds since 1970."""

    context: str
    partition: int
    offset: int
    timestamp: int
    kind: str
    stream: str
    version: int
    time: str
    id: str
    correlation: str
    causation: str
    origin: str
    position: int
    body: dict[str, Any]

    @property
    def place(self) -> str:
        """Such as `order.events/2/118`."""
        return f"{self.context}.events/{self.partition}/{self.offset}"


class Violation(NamedTuple):
    """A broken promise: of whom (an order, a SKU, a stream), what, when (seconds since 1970; 0: in the end), where."""

    promise: str
    subject: str
    said: str
    at: float = 0.0
    place: str = ""


class Findings:
    """All violations that were found."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self._kept: dict[str, list[Violation]] = {}

    def add(self, violation: Violation) -> None:
        """Take one in."""
        assert violation.promise in PROMISES, violation.promise
        self.counts[violation.promise] += 1
        kept = self._kept.setdefault(violation.promise, [])
        kept.append(violation)
        if len(kept) > 50 * SHOWN:
            kept[:] = _earliest(kept)

    def report(self, promise: str, subject: str, said: str, fact: Fact) -> None:
        """Take in what is wrong with an event."""
        self.add(Violation(promise, subject, said, fact.timestamp / 1000, fact.place))

    def of(self, promise: str) -> list[Violation]:
        """The earliest violations of one promise."""
        return _earliest(self._kept.get(promise, []))

    def firsts(self) -> list[Violation]:
        """The earliest violation of each broken promise."""
        return [self.of(promise)[0] for promise in PROMISES if self.counts[promise]]


def _earliest(violations: Iterable[Violation]) -> list[Violation]:
    return sorted(violations, key=lambda violation: violation.at or float("inf"))[:SHOWN]
