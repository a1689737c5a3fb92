"""Bugs in the protocol and beside the log: before each is put in, the application is right; after, it is wrong."""

import asyncio
from collections.abc import Sequence
from typing import cast

import pytest

from aggregates.reservation import decider as reservations
from api.lanes import Lane
from events.errors import Fenced, Unavailable
from events.fence import Fence
from events.fenced import claim
from events.log import Draft, Place, Record
from events.memory import MemoryLog
from projections.order import ORDERS
from projections.postgres import Database
from projections.reading import decoded
from projections.recorded import Step
from projections.snapshots import ResumePoint, Snapshots
from projections.store import Store
from tests.aggregates.desk import Desk, incoming
from tests.builders import order, product
from tests.builders.values import HOLD
from tests.contracts.test_fenced import commit, effective, own
from tests.faults.bugs import BUGS, install
from tests.faults.bugs.conftest import Break
from tests.faults.bugs.paper import Paper
from tests.faults.bugs.table import TABLE
from tests.faults.checker.promises import PROMISES
from tests.first_versions import tables
from tests.workers.test_reactor import record
from workers import product as reactions
from workers import writer
from workers.inbox import Inbox
from workers.reacting import asked_by
from workers.reactor import Reactor

pytestmark = pytest.mark.anyio

PLACE = Place("order.events", 0)


class Refusing(MemoryLog):
    """A log that writes nothing."""

    def __init__(self, fault: Exception) -> None:
        super().__init__()
        self._fault = fault

    async def append(self, place: Place, drafts: Sequence[Draft]) -> int:
        raise self._fault


def test_every_bug_is_in_the_table_with_promises_that_there_are() -> None:
    assert set(TABLE) == set(BUGS)
    assert len(BUGS) >= 14
    for name, row in TABLE.items():
        assert "Breaks " in str(BUGS[name].__doc__), name
        assert all(any(promise.startswith(start) for promise in PROMISES) for start in row.promises), name


def test_there_is_no_other_bug() -> None:
    with pytest.raises(ValueError, match="no bug 'typo', but dedupe-off, "):
        install("typo")


def test_dedupe_off(put_in: Break) -> None:
    assert len(Desk().stage(incoming(order.place()), incoming(order.place()))) == 1
    put_in("dedupe-off")
    assert len(Desk().stage(incoming(order.place()), incoming(order.place()))) == 2


async def test_offset_comparison_off(put_in: Break) -> None:
    log = MemoryLog()
    (stale, _), (_, _) = await own(log, PLACE), await own(log, PLACE)
    with pytest.raises(Fenced):
        await stale.append(commit(stale, "late"))
    put_in("offset-comparison-off")
    await stale.append(commit(stale, "later"))
    stale.log = Refusing(Fenced("nobody knows"))
    await stale.append(commit(stale, "lost"))
    assert (await effective(log, PLACE))[0] == []


async def test_claims_ignored(put_in: Break) -> None:
    log = MemoryLog()
    stale, _ = await own(log, PLACE)
    owner, _ = await own(log, PLACE)
    with pytest.raises(Fenced):
        await stale.append(commit(stale, "late"))
    assert (await effective(log, PLACE))[0] == []
    put_in("claims-ignored")
    assert (await effective(log, PLACE))[0] == ["late"]
    again = await claim(log, PLACE, Fence(), lambda _: None)
    assert again.epoch == owner.epoch + 1


async def test_epoch_not_raised(put_in: Break) -> None:
    log = MemoryLog()
    first = await vars(writer)["claim"](log, PLACE, Fence(), lambda _: None)
    await first.append(commit(first, "right"))
    put_in("epoch-not-raised")
    second = await vars(writer)["claim"](log, PLACE, Fence(), lambda _: None)
    await second.append(commit(second, "wrong"))
    assert (await effective(log, PLACE))[0] == ["right"]


async def test_commit_before_write(put_in: Break) -> None:
    owner, _ = await own(MemoryLog(), PLACE)
    owner.log = Refusing(Unavailable("nothing was written"))
    with pytest.raises(Unavailable):
        await owner.append(commit(owner, "a"))
    put_in("commit-before-write")
    assert await owner.append(commit(owner, "a")) == 1
    assert owner.fence.next == 2
    await asyncio.sleep(0)


def test_version_repeated(put_in: Break) -> None:
    def versions() -> list[int]:
        desk = Desk(reservations(HOLD))
        desk.stage(incoming(product.list_product(stock=5)))
        return [envelope.version for envelope, _ in desk.recorded]

    assert versions() == [1, 2]
    put_in("version-repeated")
    assert versions() == [1, 1]


def step(*offsets: int) -> Step:
    """A batch of orders that were placed."""
    placed = record(order.placed())
    batch = [decoded(Record(offset, *placed[1:])) for offset in offsets]
    return Step(0, Fence(offsets[0]), Fence(offsets[-1] + 1), batch)


def _views(paper: Paper) -> Store:
    views = Store(cast("Database", paper), "order", [ORDERS])
    views._tables = tables("order", [ORDERS])
    return views


async def test_checkpoint_apart(put_in: Break) -> None:
    paper = Paper()
    await _views(paper).apply([step(1, 2)])
    assert paper.committed == [{"checkpoints", "orders_v1", "history_v1"}]
    put_in("checkpoint-apart")
    await _views(paper).apply([step(1, 2)])
    assert paper.committed[1:] == [{"checkpoints"}, {"orders_v1", "history_v1"}]


async def test_view_skips_at_border(put_in: Break, monkeypatch: pytest.MonkeyPatch) -> None:
    applied: list[list[int]] = []

    async def apply(_: Store, steps: Sequence[Step]) -> None:
        applied.extend([item.record.offset for item in step.batch] for step in steps)

    monkeypatch.setattr(Store, "apply", apply)
    views = _views(Paper())
    await views.apply([step(1, 2), step(3)])
    put_in("view-skips-at-border")
    await views.apply([step(1, 2), step(3)])
    assert applied == [[1, 2], [3], [1], [3]]


async def test_snapshot_ahead(put_in: Break) -> None:
    paper, point = Paper(), ResumePoint(1, 1, "w", b"{}")
    await Snapshots(cast("Database", paper)).flush(0, point, point, {"order-a": (b"{}", False)})
    assert paper.committed == [{"resume_points", "snapshots"}]
    put_in("snapshot-ahead")
    await Snapshots(cast("Database", paper)).flush(0, point, point, {"order-a": (b"{}", False)})
    assert paper.committed[1:] == [{"resume_points"}, {"resume_points", "snapshots"}]


async def test_reaction_acked_early(put_in: Break) -> None:
    log, table = MemoryLog(), reactions.REACTIONS[0]
    reactor = Reactor(log, "product", reactions.REACTIONS)
    reactor.fences = {PLACE: Fence(42, 1, "w")}
    closed = Inbox("product", range(4))
    closed.close()

    async def bring() -> None:
        with pytest.raises(Fenced):
            await reactor._bring(asked_by("product", PLACE, record(order.placed()), table), closed)

    await bring()
    assert log.positions["product.reactions"] == {}
    put_in("reaction-acked-early")
    await bring()
    assert log.positions["product.reactions"][PLACE].offset == 42


async def test_api_answers_early(put_in: Break) -> None:
    lane = Lane(Refusing(Unavailable("nothing was written")), PLACE)
    with pytest.raises(Unavailable):
        await lane.append(Draft("order-a", b"{}", []))
    put_in("api-answers-early")
    assert await lane.append(Draft("order-a", b"{}", [])) == 0
    await asyncio.sleep(0.01)
