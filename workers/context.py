"""Context runs one bounded context: for the partitions that the group gives it, it decides, reacts and projects."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection, Coroutine, Mapping, Sequence

from msgspec import Struct

from aggregates.decider import Decider
from events.log import Log
from projections.snapshots import Snapshots
from projections.store import Store
from workers.effects import Effect
from workers.hotset import HotSet
from workers.pausing import Pauses
from workers.policy import Reaction
from workers.projector import Projector
from workers.reactor import Reactor
from workers.together import end
from workers.writer import Clock, Writer, now_utc

logger = logging.getLogger(__name__)

Assign = Callable[[frozenset[int]], Awaitable[None]]
Join = Callable[[Assign], Coroutine[None, None, None]]
"""Takes part in the group until cancelled, and passes on which partitions are ours."""


class Parts(Struct, frozen=True):
    """What a context is made of. Without `reactions`, somebody else listens for it.

    The paces are seconds between the starts of two commits of its writer, and of its read models: a commit costs the
    same for one as for many, so what is in no hurry lets some come together.
    """

    decider: Decider
    effects: Mapping[str, Effect]
    reactions: Sequence[Reaction]
    writer_pace: float = 0.0
    view_pace: float = 0.03


class Context:
    """One context's service; `name` tells it apart in the process."""

    def __init__(
        self,
        log: Log,
        parts: Parts,
        join: Join,
        store: Store | None,
        snapshots: Snapshots | None,
        flush_seconds: float = 2.0,
        clock: Clock = now_utc,
        pause: Collection[str] = (),
    ) -> None:
        self.name = parts.decider.context
        self._join = join
        self.writer = Writer(
            log,
            parts.decider,
            parts.effects,
            lambda partition: HotSet(parts.decider, partition, snapshots),
            flush_seconds,
            clock,
            parts.writer_pace,
            f"{self.name}.writer" in pause,
        )
        self.reactor = Reactor(
            log,
            self.name,
            parts.reactions,
            self.writer.inbox,
            lambda: self.writer.tenures,
            f"{self.name}.reactions" in pause,
        )
        self.projector = Projector(log, self.name, store, parts.view_pace) if store else None
        self._tasks: list[asyncio.Task[None]] = []

    @property
    def pauses(self) -> tuple[Pauses, ...]:
        """What stands still of writer and reactor."""
        return self.writer.pauses, self.reactor.pauses

    async def run(self) -> None:
        """Run until cancelled."""
        joined = asyncio.create_task(self._join(self._assigned))
        try:
            while True:
                done, _ = await asyncio.wait([joined, *self._tasks], timeout=0.5, return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    if not task.cancelled():
                        task.result()  # nothing here ends by itself: an error does
        finally:
            joined.cancel()
            await asyncio.gather(joined, return_exceptions=True)
            await self._assigned(frozenset())

    async def _assigned(self, partitions: frozenset[int]) -> None:
        """These partitions are ours now; what we did with others ends before this returns."""
        tasks, self._tasks = self._tasks, []
        await end(tasks)
        if partitions:
            logger.info("%s has partitions %s", self.name, sorted(partitions))
            runs = [self.writer.run(partitions), self.reactor.run(partitions)]
            if self.projector:
                runs.append(self.projector.run(partitions))
            self._tasks = [asyncio.create_task(run) for run in runs]
