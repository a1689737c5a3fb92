"""What the simulation has found, each in the smallest world that shows it."""

import asyncio
import gc
from collections.abc import Sequence
from copy import copy
from typing import Any
from uuid import UUID

from msgspec.structs import replace

from aggregates.order import DECIDER, Status
from aggregates.repository import Entity
from events import topics
from events.errors import LogError
from events.fence import Fence
from events.fenced import claim
from events.hub import Hub
from events.log import Draft, Place
from events.memory import MemoryLog
from projections.registry import PROJECTIONS
from projections.store import Store
from tests.aggregates.desk import incoming
from tests.builders import order
from tests.first_versions import FirstVersions
from tests.simulation import loop
from tests.simulation.broker import Broker, Client
from tests.simulation.chance import Chance
from tests.simulation.tables import Line, MemoryDatabase, MemorySnapshots, Tables
from workers.effects import Effects
from workers.hotset import HotSet
from workers.projector import Projector
from workers.writer import Tenure, Writer


class Here:
    """A process that nothing befalls."""

    name, cut = "here", False

    async def awake(self) -> None:
        """It is."""


def calm() -> Chance:
    chance = Chance(0)
    chance.calm = True
    return chance


def test_what_does_not_fit_into_memory_stays_there_while_the_database_has_never_answered() -> None:
    tables = Tables("order")
    hot = HotSet(DECIDER, 0, MemorySnapshots(Line(tables, Here(), calm())), limit=2)
    found: list[Any] = []

    async def main() -> None:
        tables.up = False
        placed = Entity(replace(DECIDER.initial["order"], status=Status.PLACED), 1)
        hot.repository.advance({f"order-{n}": placed for n in range(3)}, [])
        await hot.flush(Fence(3, 1, "w"))
        await hot.prefetch({"order-new"})
        found.append(hot.repository.get("order-new"))

    loop.run(main())

    assert found == [Entity(DECIDER.initial["order"])]


def test_a_snapshot_that_is_deleted_alone_is_not_taken_for_an_aggregate_that_never_was() -> None:
    tables = Tables("order")
    placed = Entity(replace(DECIDER.initial["order"], status=Status.PLACED), 1)
    found: list[Any] = []

    async def main() -> None:
        snapshots = MemorySnapshots(Line(tables, Here(), calm()))
        before, after = (HotSet(DECIDER, 0, snapshots) for _ in range(2))
        before.repository.advance({"order-1": placed, "order-2": placed}, [])
        await before.flush(Fence(2, 1, "w"))
        await after.restore()
        tables.delete_snapshots(["order-1"])
        try:
            await after.prefetch({"order-1"})
            found.append(after.repository.get("order-1"))
        except LogError:
            found.append(placed)  # it begins again, from the log

    loop.run(main())

    assert found == [placed]


def test_a_read_model_that_lost_its_last_commits_gets_them_back_though_nothing_new_happens() -> None:
    tables, broker, place = Tables("order"), Broker(calm()), Place(topics.events("order"), 0)

    async def main() -> None:
        log = Client(broker, Here(), calm())
        store = _store(MemoryDatabase(Line(tables, Here(), calm()), "order", PROJECTIONS["order"]))
        projector = asyncio.create_task(Projector(log, "order", store, 0.04).run(frozenset({0})))
        await claim(log, place, Fence(), lambda record: None)
        await asyncio.sleep(5)
        before = copy(tables)
        await log.append(place, [Draft("a stranger", b"", [])])
        await asyncio.sleep(5)
        tables.back_to(before)
        await asyncio.sleep(60)
        projector.cancel()

    loop.run(main())

    assert tables.checkpoints[0]["next"] == len(broker.log.records[place])


def test_a_projector_whose_checkpoint_is_deleted_as_it_begins_follows_its_partition_all_the_same() -> None:
    tables = Tables("order")

    class Deleting(MemoryDatabase):
        async def fetch(self, query: str, parameters: Any = None) -> list[dict[str, Any]]:
            tables.checkpoints.clear()
            return await super().fetch(query, parameters)

    store = _store(Deleting(Line(tables, Here(), calm()), "order", PROJECTIONS["order"]))
    found: list[dict[int, Fence]] = []

    async def main() -> None:
        found.append(await store.checkpoints([0]))

    loop.run(main())

    assert found == [{0: Fence()}]


def test_a_reader_goes_on_when_another_leaves_whose_place_this_process_has_just_written_to() -> None:
    one, other = Place(topics.events("order"), 0), Place(topics.events("order"), 1)
    found: list[Any] = []

    async def main() -> None:
        log = MemoryLog()
        hub = Hub(log)
        leaving, staying = await hub.reader({one: 0}), await hub.reader({other: 0})
        for reader in (leaving, staying):
            await reader.batch(timeout=0.1)
        await hub.append(one, [Draft("a", b"", [])])
        await leaving.close()
        await log.append(other, [Draft("b", b"", [])])
        for _ in range(5):
            found.extend(await staying.batch())

    loop.run(main())
    gc.collect()  # a task's last words, here and not while pytest writes its report

    assert found == [other]


def test_a_flush_between_two_batches_of_a_commit_puts_nothing_out_of_memory_that_the_second_one_needs() -> None:
    tables = Tables("order")
    hot = HotSet(DECIDER, 0, MemorySnapshots(Line(tables, Here(), calm())), limit=1)

    class Flushing(MemoryLog):
        async def append(self, place: Place, drafts: Sequence[Draft]) -> int:
            base = await super().append(place, drafts)
            await hot.flush(Fence(base, 1, "w"))
            return base

    asked = [incoming(order.place(order_id=str(UUID(int=n))), offset=n) for n in range(600)]
    repeat = replace(asked[0], offset=len(asked))

    async def main() -> None:
        log = Flushing()
        owner = await claim(log, Place(topics.events("order"), 0), Fence(), hot.fold)
        writer, tenure = Writer(log, DECIDER, {}, lambda _: hot), Tenure(0, owner, hot)
        effects = Effects(DECIDER, {}, lambda *_: asyncio.sleep(0))
        await writer._commit(tenure, asked[:5], effects)
        await writer._commit(tenure, [*asked[5:], repeat], effects)

    loop.run(main())

    assert hot.repository.handled.position == len(asked)


def _store(database: MemoryDatabase) -> Store:
    return Store(database, "order", PROJECTIONS["order"], FirstVersions("order", PROJECTIONS["order"]))
