"""Bugs in what is kept beside the log: views, checkpoints, snapshots, the reactors' positions."""

from collections.abc import Iterable, Sequence
from typing import Any

from msgspec.structs import replace

from projections.postgres import Connection
from projections.recorded import Step
from projections.snapshots import ResumePoint, Snapshots
from projections.store import Store
from tests.faults.bugs.put import Put
from workers import reactor
from workers.reactor import Reactor


def checkpoint_apart(put: Put) -> None:
    """A checkpoint is committed before the views that belong to it, in a transaction of its own.

    Breaks views.*: a batch is missing for ever. Seen when the projector dies in between (failpoint view.committing), or
    Postgres does.
    """
    move = Store._move

    async def apart(self: Store, connection: Connection, steps: Sequence[Step]) -> Any:
        async with self._database.transaction() as another:
            return await move(self, another, steps)

    put(Store, "_move", apart)


def view_skips_at_border(put: Put) -> None:
    """The last event of a batch is left out of the views, unless it comes alone.

    Breaks views.*. Seen as soon as two events come together.
    """
    apply = Store.apply

    async def careless(self: Store, steps: Sequence[Step]) -> None:
        await apply(self, [replace(step, batch=[*step.batch][:-1] or step.batch) for step in steps])

    put(Store, "apply", careless)


def snapshot_ahead(put: Put) -> None:
    """A resume point is committed before the aggregates that belong to it, in a transaction of its own.

    Breaks views.snapshots, liveness.settled and log.versions_gapless: a new owner takes old states for new ones. Seen
    when a writer dies in between (failpoint snapshot.committing), or Postgres does.
    """
    move = Snapshots._move

    async def apart(
        self: Snapshots, connection: Connection, partition: int, before: ResumePoint | None, after: ResumePoint
    ) -> bool:
        async with self._database.transaction() as another:
            return await move(self, another, partition, before, after)

    put(Snapshots, "_move", apart)


def reaction_acked_early(put: Put) -> None:
    """A reactor notes its position before it has brought anybody the commands that follow (rule 5).

    Breaks log.reactions_once and liveness.settled. Seen when it is killed in between (failpoint reaction.sent).
    """
    bring = Reactor._bring

    async def hasty(self: Reactor, asked: Iterable[Any], inbox: Any) -> Any:
        if asked := list(asked):
            noted = {place: reactor._position(fence) for place, fence in self.fences.items()}
            await self._log.commit(self._group, noted)
        return await bring(self, asked, inbox)

    put(Reactor, "_bring", hasty)


BUGS = (checkpoint_apart, view_skips_at_border, snapshot_ahead, reaction_acked_early)
