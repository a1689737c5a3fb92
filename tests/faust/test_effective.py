"""Which records count, wherever a stream resumes, and what a window keeps: without Faust, on the log in memory."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any

import pytest

from events.fence import Fence
from events.fenced import Owner, claim
from events.log import Draft, Place, Record, scan
from events.memory import MemoryLog, MemoryReader
from tests.faust.world import NOON, placed, recorded
from workers.agents import MARKED, RETAINED, Claims, Effective, Parked, Stalled, Statistics, Watchdog
from workers.statistics import Row

pytestmark = pytest.mark.anyio

PLACE = Place("order.events", 0)


@pytest.fixture
async def log() -> MemoryLog:
    """Offsets: 0 first claim, 1 its event, 2 second claim, 3 a stale event of the first, 4 the second's event."""
    log = MemoryLog()
    first = await owner(log)
    await first.append([recorded(placed(), first)])
    second = await owner(log)
    stale, body = recorded(placed(), first)
    await log.append(PLACE, [Draft(stale.subject, body, stale.headers())])
    second.fence.next += 1
    await second.append([recorded(placed(), second)])
    return log


async def owner(log: MemoryLog) -> Owner:
    return await claim(log, PLACE, Fence(), lambda _: None)


async def records(log: MemoryLog) -> list[Record]:
    return [record async for batch in scan(log, PLACE, 0, 5) for record in batch]


async def counted(log: MemoryLog, claims: Claims, offsets: range) -> list[int]:
    effective = Effective(log, claims)
    return [r.offset for r in (await records(log))[offsets.start :] if await effective.counts(PLACE, r)]


async def test_only_events_of_the_claim_in_force_count(log: MemoryLog) -> None:
    assert await counted(log, {}, range(5)) == [1, 4]


async def test_records_from_before_the_last_known_claim_count_as_they_did(log: MemoryLog) -> None:
    claims: Claims = {}
    await counted(log, claims, range(5))

    assert await counted(log, claims, range(1, 5)) == [1, 4]


@pytest.mark.parametrize("start", [1, 2, 3, 4])
async def test_claims_that_were_lost_are_read_again_from_the_log(log: MemoryLog, start: int) -> None:
    assert await counted(log, {}, range(start, 5)) == [offset for offset in (1, 4) if offset >= start]


async def test_a_claim_of_which_the_table_does_not_know_is_noticed(log: MemoryLog) -> None:
    claims: Claims = {}
    first, event, *_ = await records(log)
    effective = Effective(log, claims)
    assert [await effective.counts(PLACE, first), await effective.counts(PLACE, event)] == [False, True]

    assert await counted(log, claims, range(4, 5)) == [4]


async def test_a_stale_event_does_not_count_where_the_table_is_older_than_the_place_to_resume(log: MemoryLog) -> None:
    """Found by seed 5066: the old claim and the old event fit together, and both are out of date."""
    claims: Claims = {}
    first, event, *_ = await records(log)
    effective = Effective(log, claims)
    assert [await effective.counts(PLACE, first), await effective.counts(PLACE, event)] == [False, True]

    assert await counted(log, claims, range(3, 5)) == [4]


async def test_who_resumes_reads_again_from_the_last_mark_and_not_from_the_beginning(
    log: MemoryLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    claims: Claims = {}
    writer = await owner(log)
    for _ in range(20):
        await writer.append([recorded(placed(), writer) for _ in range(MARKED // 10)])
    effective = Effective(log, claims)
    for record in log.records[PLACE][: MARKED + 100]:
        await effective.counts(PLACE, record)
    begun: list[int] = []
    reader = log.reader

    async def noting(positions: Mapping[Place, int]) -> MemoryReader:
        begun.append(positions[PLACE])
        return await reader(positions)

    monkeypatch.setattr(log, "reader", noting)
    assert await Effective(log, claims).counts(PLACE, log.records[PLACE][-1])
    assert begun[0] > MARKED


async def test_claims_after_a_place_to_resume_that_is_before_all_that_is_remembered_are_found(log: MemoryLog) -> None:
    claims: Claims = {}
    await counted(log, claims, range(5))
    claims["order.events/0"] = claims["order.events/0"][-1:]

    third = await owner(log)
    await third.append([recorded(placed(), third)])
    effective = Effective(log, claims)
    assert [r.offset for r in log.records[PLACE][1:] if await effective.counts(PLACE, r)] == [1, 4, 6]


async def test_an_owner_counts_though_a_higher_epoch_of_nobody_came_before_its_claim(log: MemoryLog) -> None:
    await log.append(PLACE, [Draft("x", b"{}", [("epoch", b"9"), ("writer", b"mallory")])])
    third = await owner(log)
    await third.append([recorded(placed(), third)])
    effective = Effective(log, {})

    assert [r.offset for r in log.records[PLACE][2:] if await effective.counts(PLACE, r)] == [4, 7]


async def test_a_claim_that_was_made_while_the_place_was_elsewhere_is_noticed(log: MemoryLog) -> None:
    claims: Claims = {}
    effective = Effective(log, claims)
    for record in (await records(log))[3:]:
        await effective.counts(PLACE, record)
    third = await owner(log)
    await third.append([recorded(placed(), third)])

    effective.resume()

    assert await effective.counts(PLACE, log.records[PLACE][-1])


def test_a_place_that_stands_still_while_its_head_moves_is_noticed_in_time() -> None:
    dog = Watchdog(10.0)
    dog.look({PLACE: (5, 5)}, 0.0)
    dog.look({PLACE: (5, 9)}, 100.0)
    dog.look({PLACE: (6, 9)}, 109.0)
    dog.look({PLACE: (6, 12)}, 118.0)
    with pytest.raises(Stalled, match="stands at 6, the head is 12"):
        dog.look({PLACE: (6, 12)}, 119.0)


class Minutes:
    """The tables of an agent, in memory."""

    def __init__(self) -> None:
        self.claims: Claims = {}
        self.windows = self
        self.kept: dict[tuple[str, float], dict[str, Any]] = {}

    def put(self, source: str, start: float, window: dict[str, Any]) -> None:
        self.kept[source, start] = window

    def drop(self, source: str, start: float) -> None:
        self.kept.pop((source, start), None)

    def items(self) -> Iterator[tuple[str, float, dict[str, Any]]]:
        return iter([(source, start, window) for (source, start), window in self.kept.items()])


async def test_a_window_closes_an_hour_later_and_does_not_begin_anew() -> None:
    log, minutes = MemoryLog(), Minutes()

    async def flush(_: Sequence[Row]) -> None:
        """Nothing is flushed here."""

    async def park(parked: Parked) -> None:
        raise AssertionError(parked)

    agent = Statistics(log, flush, park)
    agent.open(minutes)
    writer = await owner(log)
    times = [NOON, NOON + timedelta(minutes=RETAINED + 1), NOON]
    await writer.append([recorded(placed(), writer, at) for at in times])
    async for batch in scan(log, PLACE, 0, 4):
        for record in batch:
            assert await agent.settle(PLACE, record, lambda: True)
            await agent.flush()

    (window,) = minutes.items()
    assert window[1] == times[1].timestamp()
