"""Freshness: who says how far they have seen the log is answered once the read models have come there."""

from collections.abc import Sequence

from starlette.requests import Request

from api.asking import wait_of
from api.positions import HEADER, Seen, read
from api.problems import Problem
from api.system import System, of
from events.log import Place
from events.topics import events

PATIENCE = 2.0
"""Seconds that a question waits for a read model if the client does not say (`Prefer: wait=N`)."""


async def read_your_writes(request: Request) -> None:
    """Wait until the read models have what the client has seen, before anything is answered or sent.

    Raises:
        Problem: 503, if that takes too long; it says how far behind they are.
    """
    if places := said_in(request):
        await reached(of(request), places, wait_of(request) or PATIENCE)


def said_in(request: Request) -> list[Seen]:
    """The places that a question is to have seen, by header and by parameter."""
    named = ",".join(request.headers.getlist(HEADER))
    return [*read(named, HEADER), *read(request.query_params.get("after", ""), "after")]


async def reached(system: System, places: Sequence[Seen], within: float) -> None:
    """As read_your_writes. What this process has no read model of, none of its answers depends on."""
    ours = [place for place in places if place.context in system.contexts]
    if ours and not await system.seen(ours, within):
        behind = [{"context": c, "partition": p, "records": n} for (c, p), n in (await _behind(system, ours)).items()]
        far = ", ".join(f"{each['records']} in {each['context']}/{each['partition']}" for each in behind)
        raise Problem("BehindPosition", f"Records that it has not taken in: {far}.", behind=behind)


async def _behind(system: System, places: Sequence[Seen]) -> dict[tuple[str, int], int]:
    """How many records of each partition are not in the read models: up to the place, or for a command, of all."""
    found: dict[tuple[str, int], int] = {}
    for place in places:
        at, end = await system.checkpoint(place.context, place.partition), place.offset + 1
        if place.command_id:
            _, end = await system.log.bounds(Place(events(place.context), place.partition))
        where = (place.context, place.partition)
        found[where] = max(found.get(where, 0), end - at, 0)
    return found
