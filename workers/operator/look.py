"""Look is what can be seen of every partition in one moment: who owns it, where it ends, how far its view has come."""

import asyncio
import time
from collections.abc import Sequence
from typing import Any

from msgspec import Struct

from events.cluster import Member
from events.fence import Fence
from events.fenced import catch_up
from events.log import Log, Place
from events.topics import PARTITIONS, commands, events
from projections.postgres import Database, DatabaseUnavailable
from projections.registry import CHECKPOINTS
from workers.operator.ground import Ground

TAIL = 20_000
"""Records after a checkpoint that are read to learn who owns the partition now."""


class Seen(Struct, frozen=True):
    """A partition of a context's events; without a checkpoint, its view has not begun or gives no answer."""

    first: int
    head: int
    view: Fence | None
    owner: Member | None

    @property
    def lag(self) -> int:
        """Records that the view is behind; the two were not read in the same moment."""
        return max(0, self.head - (self.view.next if self.view else 0))


class Look(Struct, frozen=True):
    """All partitions of some contexts at a time (monotonic seconds), and the contexts whose database is silent."""

    at: float
    places: dict[Place, Seen]
    silent: dict[str, str]


async def look(ground: Ground, contexts: Sequence[str]) -> Look:
    """Look at everything once.

    Raises:
        Unavailable: Kafka gives no answer.
    """
    places = [Place(events(context), p) for context in contexts for p in range(PARTITIONS)]
    await ground.log.bounds(places[0])  # connects; the others share the connection
    members = await ground.cluster.members([f"{context}.writers" for context in contexts])
    owners = {place: member for member in members for place in member.places}
    answers = await asyncio.gather(*(_views(ground.databases[context]) for context in contexts))
    bounds = await asyncio.gather(*map(ground.log.bounds, places))
    views = dict(zip(contexts, answers, strict=True))
    seen = {}
    for place, (first, head) in zip(places, bounds, strict=True):
        context = context_of(place)
        found = views[context]
        view = found.get(place.partition) if isinstance(found, dict) else None
        seen[place] = Seen(first, head, view, owners.get(Place(commands(context), place.partition)))
    return Look(time.monotonic(), seen, {name: found for name, found in views.items() if isinstance(found, str)})


async def _views(database: Database) -> dict[int, Fence] | str:
    """Every partition's checkpoint, or why the database gives no answer."""
    try:
        rows: list[dict[str, Any]] = await database.fetch(CHECKPOINTS)
    except DatabaseUnavailable as fault:
        return str(fault)
    return {row["partition"]: Fence(row["next"], row["epoch"], row["writer"], row["ignored"]) for row in rows}


async def in_force(log: Log, place: Place, seen: Seen) -> Fence:
    """The claim in force at the head: the view's, read on from there if that is not far."""
    view = seen.view or Fence(seen.first)
    fence = Fence(view.next, view.epoch, view.writer, view.ignored)
    if fence.next >= seen.first and seen.head - fence.next <= TAIL:
        await catch_up(log, place, fence, seen.head, lambda record: None)
    return fence


def context_of(place: Place) -> str:
    """The context that a topic is of."""
    return place.topic.partition(".")[0]
