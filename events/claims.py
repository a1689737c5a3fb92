"""Claims are found again in a partition by looking here and there, for a reader must not read a history to see who."""

from events.fence import CLAIM, Fence
from events.log import Log, Place, Reader, Record, scan

NEAR = 500
"""Records that are rather read than halved."""
LOOK = 50
"""Records that are looked at in one place: more strangers' than that in a row, and the claim is not found."""


async def claim_of(log: Log, place: Place, fence: Fence, first: int, end: int) -> Record | None:
    """The claim of the writer in force, whose records begin with it; None if it cannot be found.

    Raises:
        Unavailable: the log cannot be reached.
    """
    if not fence.writer or first >= end:
        return None
    start, stop = await _narrowed(log, place, fence.writer.encode(), first, end)
    async for records in scan(log, place, start, stop):
        for record in records:
            if record.headers.get("ce_type") == CLAIM.encode() and _of(record, fence.writer.encode()):
                return record
    return None


async def _narrowed(log: Log, place: Place, writer: bytes, first: int, end: int) -> tuple[int, int]:
    """Where the writer's first record must lie."""
    if end - first <= NEAR:
        return first, end
    reader = await log.reader({place: first})
    try:
        while end - first > NEAR:
            middle = (first + end) // 2
            at = await _first_of(reader, place, middle, writer)
            if at is None:
                first = middle
            elif at + 1 < end:
                end = at + 1
            else:
                break  # what lies between is no record: a stranger's transaction
        return first, end
    finally:
        await reader.close()


async def _first_of(reader: Reader, place: Place, offset: int, writer: bytes) -> int | None:
    """The first record of the writer among those that lie there."""
    reader.seek(place, offset)
    found = await reader.batch(LOOK, timeout=1.0)
    return next((record.offset for record in found.get(place, ()) if _of(record, writer)), None)


def _of(record: Record, writer: bytes) -> bool:
    return record.headers.get("writer") == writer
