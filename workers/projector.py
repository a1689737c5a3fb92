"""Projector follows its own context's log into the read models: a batch, then views and checkpoint in one commit."""

import asyncio
import logging
from collections.abc import Mapping, Sequence

from msgspec.structs import replace

from events import topics
from events.errors import LogError, Truncated
from events.fence import Fence
from events.log import Log, Place, Record
from projections.postgres import DatabaseUnavailable
from projections.reading import judged
from projections.recorded import Step
from projections.store import Moved, Store
from workers import traced

logger = logging.getLogger(__name__)

BATCH = 2000


class Projector:
    """The read models of one context; `stopped` says why it cannot go on, if so."""

    def __init__(self, log: Log, context: str, store: Store, pace_seconds: float) -> None:
        self._log, self._context, self._store, self._pace = log, context, store, pace_seconds
        self.stopped = ""

    async def run(self, partitions: frozenset[int]) -> None:
        """Keep these partitions' views up to date until cancelled."""
        while True:
            try:
                await self._follow(partitions)
            except Truncated as gap:
                # Rows from before the gap cannot be brought up to date from what is left: a person must decide.
                self.stopped = f"history is missing: {gap}"
                logger.critical("%s read models refuse to go on: %s", self._context, gap)
                await asyncio.sleep(5)
            except Moved:
                logger.info("%s read models look again which they are, and where they stand", self._context)
                await asyncio.sleep(0.02)
            except (LogError, DatabaseUnavailable) as fault:
                logger.warning("%s read models begin again: %r", self._context, fault)
                await asyncio.sleep(0.5)

    async def _follow(self, partitions: frozenset[int]) -> None:
        if not partitions:
            await asyncio.Event().wait()
        loop = asyncio.get_running_loop()
        fences = await self._store.checkpoints(partitions)
        topic = topics.events(self._context)
        reader = await self._log.reader({Place(topic, p): fence.next for p, fence in fences.items()})
        self.stopped = ""
        try:
            while True:
                began = loop.time()
                if found := await reader.batch(BATCH):
                    await self._apply(fences, found)
                else:
                    await self._store.check(fences)
                # A commit costs the same for one event as for many: let a few come together.
                await asyncio.sleep(began + self._pace - loop.time())
        finally:
            await reader.close()

    async def _apply(self, fences: Mapping[int, Fence], found: Mapping[Place, Sequence[Record]]) -> None:
        steps = []
        for place, records in found.items():
            fence = fences[place.partition]
            before = replace(fence)
            batch = [item for record in records if (item := judged(fence, record))]
            steps.append(Step(place.partition, before, replace(fence), batch))
        with traced.view(self._context, topics.events(self._context), steps):
            await self._store.apply(steps)
