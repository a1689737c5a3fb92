"""Selection is what somebody wants to see of a history, and which records that means, from where to where."""

from collections.abc import Callable, Mapping
from datetime import UTC

from msgspec import Struct

from events.errors import Undecodable
from events.event import Event
from events.fence import Fence
from events.log import Log, Place
from events.moments import offset_at, time_in
from events.registry import EVENTS, OUTCOMES, event_codec
from events.shapes import newest
from events.sweep import Found, effective
from events.topics import PARTITIONS, events

OF_ORDERS = ("order_id", "customer_id", "notification_id", "about")
"""An event with one of these fields can belong to an order, and so to a customer."""


class Selection(Struct, frozen=True, omit_defaults=True):
    """What is wanted; an empty field wants all.

    types: beginnings of tags. stream: one aggregate. customer: all that belongs to the orders of one. since, until:
    ISO 8601, the end excluded. positions: of each partition, the first and the last that is wanted (-1: no last).
    """

    contexts: tuple[str, ...] = tuple(EVENTS)
    types: tuple[str, ...] = ()
    stream: str = ""
    correlation: str = ""
    customer: str = ""
    since: str = ""
    until: str = ""
    positions: dict[int, tuple[int, int]] = {}

    def tags(self, context: str) -> list[str] | None:
        """The tags that are wanted of a context; None for all."""
        if not self.types:
            return None
        return [tag for tag in tags_of(context) if tag.startswith(self.types)]

    @property
    def is_whole(self) -> bool:
        """Whether every event of the contexts is wanted that lies in the time and the positions asked for."""
        return not (self.types or self.stream or self.correlation or self.customer)


class Span(Struct, frozen=True):
    """Offsets of a partition, the end excluded."""

    start: int
    end: int


class Ordered(Struct, frozen=True):
    """What belongs to a customer: the orders, and every correlation that their events have."""

    orders: frozenset[str] = frozenset()
    correlations: frozenset[str] = frozenset()


Keep = Callable[[Found], bool]


def tags_of(context: str) -> list[str]:
    """Every tag that a context's events may have, former ones too."""
    here = {*EVENTS[context], *OUTCOMES}
    return [tag for tag, cls in newest().items() if cls in here]


def classes_of(selection: Selection) -> list[type[Event]]:
    """The classes that a selection's types mean."""
    known = newest()
    wanted = [(tag, known[tag]) for name in selection.contexts for tag in selection.tags(name) or tags_of(name)]
    return list(dict.fromkeys(cls for _, cls in wanted))


def has_customer(cls: type[Event]) -> bool:
    """Whether such an event can belong to a customer's order."""
    return any(name in cls.model_fields for name in OF_ORDERS)


def keeper(selection: Selection, start: int, ordered: Ordered | None) -> Keep:
    """Says of each record whether it is wanted, beyond its type; `start` is the first offset that is."""
    checks: list[Keep] = [lambda found: found.offset >= start] if start else []
    if selection.stream:
        checks.append(lambda found: found.stream == selection.stream)
    if selection.correlation:
        checks.append(lambda found: correlation_of(found) == selection.correlation)
    if ordered is not None:
        checks.append(lambda found: order_of(found.stream) in ordered.orders
                      or correlation_of(found) in ordered.correlations)  # fmt: skip
    if not selection.is_whole:
        checks.append(lambda found: bool(found.type))
    if selection.since:
        checks.append(_since(selection.since))
    if selection.until:
        before = _since(selection.until)
        checks.append(lambda found: not before(found))
    return lambda found: all(check(found) for check in checks)


def order_of(stream: str) -> str:
    """The order that a stream is of, if it is one of an order's: order-…, payment-…, reservation-<shelf>-…"""
    kind, _, name = stream.partition("-")
    if kind == "reservation":
        return name.partition("-")[2]
    return name if kind in ("order", "payment") else ""


def correlation_of(found: Found) -> str:
    """The request that began it; empty if nobody can read that."""
    try:
        return found.correlation
    except Undecodable:
        return ""


def _since(text: str) -> Keep:
    """Records at or after a moment; a time that is none counts as the broker's."""
    wanted = time_in(text)
    written = wanted.astimezone(UTC).isoformat()

    def check(found: Found) -> bool:
        if found.time.endswith("+00:00"):  # as all of ours are: such texts have the order of their times
            return found.time >= written
        try:
            return time_in(found.time) >= wanted
        except ValueError:
            return found.timestamp >= wanted.timestamp() * 1000

    return check


async def spans(log: Log, selection: Selection, only: Mapping[str, int] | None = None) -> dict[Place, Span]:
    """The places that hold what is wanted, as far as they reach now; `only` names a context's one partition.

    Raises:
        Unavailable: the log cannot be reached.
    """
    found = {}
    for context in selection.contexts:
        for partition in range(PARTITIONS):
            if only is not None and only.get(context, partition) != partition:
                continue
            if selection.positions and partition not in selection.positions:
                continue
            place = Place(events(context), partition)
            found[place] = await _span(log, place, selection)
    return found


async def _span(log: Log, place: Place, selection: Selection) -> Span:
    start, end = await log.bounds(place)
    if selection.since:
        start = await offset_at(log, place, selection.since)
    if selection.until:
        end = min(end, await offset_at(log, place, selection.until))
    if place.partition in selection.positions:
        first, last = selection.positions[place.partition]
        start, end = max(start, first), min(end, last + 1) if last >= 0 else end
    return Span(start, end)


async def orders_of(log: Log, customer: str) -> Ordered:
    """The orders that a customer has placed until now, and every correlation of theirs.

    Raises:
        Unavailable: the log cannot be reached.
    """
    orders: set[str] = set()
    correlations: set[str] = set()
    mark = customer.encode()
    for partition in range(PARTITIONS):
        place = Place(events("order"), partition)
        _, end = await log.bounds(place)
        async for found in effective(log, place, Fence(), end):
            for each in found:
                if mark in each.body and each.type in _PLACED and _customer(each) == customer:
                    orders.add(order_of(each.stream))
                if order_of(each.stream) in orders:
                    correlations.add(correlation_of(each))
    return Ordered(frozenset(orders), frozenset(correlations - {""}))


_PLACED = frozenset(tag for tag, cls in newest().items() if "customer_id" in cls.model_fields)


def _customer(found: Found) -> str | None:
    try:
        return getattr(event_codec.fresh(found.type, found.body), "customer_id", None)
    except Undecodable:
        return None
