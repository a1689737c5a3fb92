"""Merged is the history of several places as one, in the order of time, with bounded memory."""

import heapq
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import aclosing
from datetime import UTC, datetime

from events.columns import LATEST
from events.fence import Fence
from events.log import Log, Place
from events.moments import time_in
from events.selection import Keep, Ordered, Selection, Span, keeper
from events.sweep import Found, effective

Told = Callable[[Place, int], None]
"""Hears up to which offset a place has been read."""


async def merged(
    log: Log,
    selection: Selection,
    there: Mapping[Place, Span],
    ordered: Ordered | None = None,
    tell: Told | None = None,
) -> AsyncIterator[tuple[Place, Found]]:
    """What is wanted of all places, by time; of each place in its own order, whatever its clocks say.

    Raises:
        Truncated, Unavailable: as events.sweep.effective.
    """
    sources = [_one(log, selection, place, span, ordered, tell) for place, span in there.items()]
    heap: list[tuple[datetime, Place, int, Found, AsyncIterator[tuple[datetime, Place, Found]]]] = []
    try:
        for source in sources:
            await _push(heap, source)
        while heap:
            _, place, _, found, source = heap[0]
            yield place, found
            heapq.heappop(heap)
            await _push(heap, source)
    finally:
        for source in sources:
            await source.aclose()  # type: ignore[attr-defined]


async def _push(
    heap: list[tuple[datetime, Place, int, Found, AsyncIterator[tuple[datetime, Place, Found]]]],
    source: AsyncIterator[tuple[datetime, Place, Found]],
) -> None:
    async for at, place, found in source:
        heapq.heappush(heap, (at, place, found.offset, found, source))
        return


async def _one(
    log: Log, selection: Selection, place: Place, span: Span, ordered: Ordered | None, tell: Told | None
) -> AsyncIterator[tuple[datetime, Place, Found]]:
    fence, latest = Fence(), datetime.min.replace(tzinfo=UTC)
    async with aclosing(wanted(log, place, fence, span, selection, keeper(selection, span.start, ordered))) as lists:  # type: ignore[type-var]
        async for found in lists:
            if tell:
                tell(place, fence.next)
            for each in found:
                latest = max(latest, time_of(each))
                yield latest, place, each
    if tell:
        tell(place, span.end)


async def wanted(
    log: Log, place: Place, fence: Fence, span: Span, selection: Selection, keep: Keep
) -> AsyncIterator[list[Found]]:
    """What a selection wants of a place, from the fence's position up to the span's end.

    Raises:
        Truncated, Unavailable: as events.sweep.effective.
    """
    context = place.topic.partition(".")[0]
    plain = selection.is_whole and not (selection.since or selection.until or span.start > fence.next)
    async for found in effective(log, place, fence, span.end, selection.tags(context)):
        yield found if plain else [each for each in found if keep(each)]


def time_of(found: Found) -> datetime:
    """When it happened; where nobody can read that, the broker's time."""
    try:
        return time_in(found.time)
    except ValueError:
        return datetime.fromtimestamp(min(max(found.timestamp, 0), LATEST) / 1000, UTC)
