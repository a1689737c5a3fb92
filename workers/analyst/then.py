"""Then is a moment as the command line takes it: a time for all partitions, or a position for each."""

from collections.abc import Mapping
from datetime import UTC, datetime

from events.log import Log, Place
from events.moments import offset_after, time_in
from events.topics import PARTITIONS, events
from workers.operator.proofs import spoken, understood
from workers.operator.terms import Exit, Refused


def time_of(said: str, option: str = "--as-of") -> datetime:
    """A time that has come.

    Raises:
        Refused: it is none, or lies ahead.
    """
    try:
        at = time_in(said)
    except ValueError:
        raise Refused(f"{option} {said!r} is no time such as 2026-11-28T10:00:00Z", Exit.UNKNOWN) from None
    if at > (now := datetime.now(UTC)):
        raise Refused(f"{option} {said!r} has yet to come; it is {now:%Y-%m-%dT%H:%M:%SZ}", Exit.UNKNOWN)
    return at


async def heads(log: Log, context: str) -> dict[int, int]:
    """Where each partition of a context's history ends."""
    return {p: (await log.bounds(Place(events(context), p)))[1] for p in range(PARTITIONS)}


async def ends_at(log: Log, context: str, at: datetime) -> dict[int, int]:
    """The offset behind all that had happened in each partition at a time, what happened just then included."""
    return {p: await offset_after(log, Place(events(context), p), at) for p in range(PARTITIONS)}


def ends_said(said: str, there: Mapping[int, int]) -> dict[int, int]:
    """The next offset of each partition, as words of the command line have it.

    Raises:
        Refused: that is not what the words are, or they are beyond what there is.
    """
    try:
        return understood(said, there)
    except ValueError:
        raise Refused(f"--positions {said!r} are no positions such as {spoken(there)}", Exit.UNKNOWN) from None
