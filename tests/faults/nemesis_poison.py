"""Poison is records that make no sense, written past everybody: among commands they are parked, once, and among events
they do not count. Not among them: claims that take effect, and events that carry the owner's own epoch and writer. The
protocol honors those by its rules: whoever can forge them owns the log (docs/fenced-log.md, what it does not protect).
"""

import asyncio
import time
from random import Random
from typing import Any

from events.log import Place
from events.topics import OF_CONTEXTS, PARTITIONS
from tests.attacks.records import Poison, poison
from tests.attacks.writing import write
from tests.faults.nemesis import Site
from tests.faults.plan import Step

BATCH = 500
"""Records of a flood that are written at a time."""

ONCE: dict[str, Any] = {"enable.idempotence": True, "log_level": 0}
"""How the producer is to write: a record twice would be one that nobody has noted."""


async def drops(site: Site, step: Step) -> None:
    """A few records of poison, on any topics, spread over some seconds."""
    at, rng, count = time.time(), Random(step.detail["seed"]), step.detail["records"]
    for _ in range(count):
        await _write(site, _drawn(rng, 1))
        await asyncio.sleep(step.seconds / count)
    site.note(step, at, time.time())


async def flood(site: Site, step: Step) -> None:
    """Very many records of poison, as fast as they can be written."""
    at, rng, left = time.time(), Random(step.detail["seed"]), step.detail["records"]
    while left:
        await _write(site, _drawn(rng, count := min(BATCH, left)))
        left -= count
    site.note(step, at, time.time())
    await site.back(step, "worker", time.time())


def _drawn(rng: Random, count: int) -> list[tuple[Place, Poison]]:
    places = [Place(rng.choice(OF_CONTEXTS).name, rng.randrange(PARTITIONS)) for _ in range(count)]
    return [(place, poison(rng, place.topic)) for place in places]


async def _write(site: Site, records: list[tuple[Place, Poison]]) -> None:
    """Write, and note where each lies; the broker may be away for a while."""
    for place, offset, record in await asyncio.to_thread(write, site.world.address.kafka, records, **ONCE):
        where = {"topic": place.topic, "partition": place.partition, "offset": offset}
        site.poison.write({**where, "what": record.what, "parked": record.parked, "at": time.time()})
