"""Then is a moment as the command line takes it: a time for all partitions, or a position for each."""

from collections.abc import Mapping
from datetime import UTC, datetime

from events.log import Log, Place
from events.moments import offset_after, time_in
from events.topics import PARTITIONS, events
from workers.operator.proofs import spoken
from workers.operator.terms import Exit, Refused, unknown


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
    """The next offset of each partition, from words such as 0:120,1:98; a partition that is not named is left out.

    Raises:
        Refused: that is not what the words are, or they are beyond what there is.
    """
    try:
        pairs = [(int(p), int(at)) for p, _, at in (one.partition(":") for one in said.split(","))]
    except ValueError:
        raise Refused(f"--positions {said!r} are no positions such as {spoken(dict(there))}", Exit.UNKNOWN) from None
    wanted = dict(pairs)
    if len(wanted) != len(pairs):
        raise Refused(f"--positions {said!r} names a partition twice", Exit.UNKNOWN)
    if strange := wanted.keys() - there.keys():
        raise unknown("partition", str(min(strange)), [str(p) for p in there])
    beyond = [f"{p}:{at}" for p, at in wanted.items() if not 0 <= at <= there[p]]
    if beyond:
        raise Refused(f"position {beyond[0]} is beyond what there is: {spoken(dict(there))}", Exit.UNKNOWN)
    return {p: wanted.get(p, 0) for p in there}
