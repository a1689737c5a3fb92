"""Moments finds where in a partition a time lies, by the times that the events themselves carry."""

from datetime import UTC, datetime, timedelta

from events.log import Log, Place, Record


def time_in(text: str) -> datetime:
    """A time as people and events write it: ISO 8601; UTC where it names no zone.

    Raises:
        ValueError: it is no time.
    """
    at = datetime.fromisoformat(text)
    return at if at.tzinfo else at.replace(tzinfo=UTC)


async def offset_after(log: Log, place: Place, moment: datetime) -> int:
    """The offset behind all that had happened at a time, what happened just then included.

    Raises:
        Unavailable: the log cannot be reached.
    """
    return await offset_at(log, place, (moment + timedelta(microseconds=1)).isoformat())


async def offset_at(log: Log, place: Place, moment: str) -> int:
    """The offset of the first record at or after a time (ISO 8601; UTC where it names no zone), or the end.

    A partition has one owner at a time, whose clock orders its events; records without a time go with those before.

    Raises:
        ValueError: it is no time.
        Unavailable: the log cannot be reached.
    """
    wanted = time_in(moment)
    low, high = await log.bounds(place)
    if low == high:
        return low
    reader = await log.reader({place: low})
    try:
        while low < high:
            middle = (low + high) // 2
            reader.seek(place, middle)
            found = (await reader.batch(50)).get(place, [])
            timed = next(((r.offset, at) for r in found if (at := _time(r)) is not None), None)
            if timed is None or timed[0] >= high or timed[1] >= wanted:
                high = middle
            else:
                low = timed[0] + 1
        return low
    finally:
        await reader.close()


def _time(record: Record) -> datetime | None:
    """When it happened; None for claims, and for what is no message."""
    try:
        return time_in(record.headers["ce_time"].decode())
    except (KeyError, ValueError):
        return None
