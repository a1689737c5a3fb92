"""The log's contract, kept in memory and on Kafka alike: append, follow, seek, bounds, positions, truncation."""

import asyncio

import pytest

from events.errors import LogError, TooLarge, Truncated
from events.log import Draft, Place, Position, scan
from events.topics import MAX_BATCH_BYTES
from tests.contracts.ground import Ground, committed, drafts, fresh, read, values

pytestmark = pytest.mark.anyio


async def test_an_append_brings_the_offset_of_its_first_record(ground: Ground) -> None:
    place = await ground.place()
    assert await ground.log.append(place, drafts("a", "b")) == 0
    assert await ground.log.append(place, drafts("c")) == 2
    assert await ground.other.append(place, drafts("d", "e")) == 3


async def test_records_come_back_as_they_were_written(ground: Ground) -> None:
    place = await ground.place()
    draft = Draft(
        "order-ä", b'{"x":"\xc3\xa4"}', [("ce_type", b"order.placed.v1"), ("empty", b""), ("raw", b"\xff\x00")]
    )
    await ground.log.append(place, [draft])
    [record] = await read(await ground.reader({place: 0}), place, 1)
    assert (record.offset, record.key.decode(), record.value) == (0, draft.key, draft.value)
    assert record.headers == dict(draft.headers)
    assert record.timestamp > 1_700_000_000_000


async def test_the_records_of_one_append_stand_together_whoever_else_appends(ground: Ground) -> None:
    place = await ground.place()
    commits = [[f"{writer}.{n}.{i}" for i in range(5)] for writer in "xy" for n in range(10)]
    logs = {"x": ground.log, "y": ground.other}
    bases = await asyncio.gather(*(logs[commit[0][0]].append(place, drafts(*commit)) for commit in commits))
    written = values(await read(await ground.reader({place: 0}), place, 100))
    for base, commit in zip(bases, commits, strict=True):
        assert written[base : base + 5] == commit


async def test_what_is_too_large_is_refused_and_nothing_is_written(ground: Ground) -> None:
    place = await ground.place()
    half = Draft("key", b"x" * (MAX_BATCH_BYTES // 2), [])
    with pytest.raises(TooLarge):
        await ground.log.append(place, [*drafts("small"), half, half])
    assert await ground.log.bounds(place) == (0, 0)
    assert await ground.log.append(place, drafts("next")) == 0


@pytest.mark.parametrize("size", [MAX_BATCH_BYTES + 1, 2 * MAX_BATCH_BYTES])
async def test_a_single_record_that_is_too_large_is_refused_too(ground: Ground, size: int) -> None:
    place = await ground.place()
    with pytest.raises(TooLarge):
        await ground.log.append(place, [Draft("key", b"x" * size, [])])
    assert await ground.log.append(place, drafts("next")) == 0


async def test_a_batch_of_nearly_the_largest_size_is_taken(ground: Ground) -> None:
    place = await ground.place()
    tenth = Draft("key", b"x" * (MAX_BATCH_BYTES // 10 - 803), [])
    assert await ground.log.append(place, [tenth] * 10) == 0
    assert await ground.log.bounds(place) == (0, 10)


async def test_bounds_are_the_first_offset_and_the_next(ground: Ground) -> None:
    place = await ground.place()
    assert await ground.log.bounds(place) == (0, 0)
    await ground.log.append(place, drafts("a", "b", "c"))
    assert await ground.other.bounds(place) == (0, 3)
    await ground.truncate(place, 2)
    assert await ground.log.bounds(place) == (2, 3)


async def test_a_reader_follows_from_its_position_and_sees_what_comes_later(ground: Ground) -> None:
    place = await ground.place()
    await ground.log.append(place, drafts("a", "b"))
    reader = await ground.reader({place: 1})
    assert values(await read(reader, place, 1)) == ["b"]
    await ground.other.append(place, drafts("c"))
    [record] = await read(reader, place, 1)
    assert (record.offset, record.value) == (2, b"c")


async def test_a_reader_wakes_up_as_soon_as_something_is_there(ground: Ground) -> None:
    place = await ground.place()
    reader = await ground.reader({place: 0})
    waiting = asyncio.create_task(read(reader, place, 1))
    await ground.log.append(place, drafts("a"))
    assert values(await waiting) == ["a"]


async def test_a_reader_brings_nothing_when_there_is_nothing(ground: Ground) -> None:
    place = await ground.place()
    reader = await ground.reader({place: 0})
    assert await reader.batch(timeout=0.05) == {}


async def test_readers_do_not_move_each_other(ground: Ground) -> None:
    place = await ground.place()
    await ground.log.append(place, drafts("a", "b"))
    one, other = await ground.reader({place: 0}), await ground.reader({place: 0})
    assert values(await read(one, place, 2)) == values(await read(other, place, 2)) == ["a", "b"]


async def test_a_reader_of_several_places_keeps_the_order_of_each(ground: Ground) -> None:
    first, second = await ground.place(), await ground.place()
    await ground.log.append(first, drafts("a", "b"))
    await ground.log.append(second, drafts("x", "y"))
    reader = await ground.reader({first: 0, second: 1})
    found: dict[Place, list[str]] = {first: [], second: []}
    while sum(map(len, found.values())) < 3:
        for place, records in (await reader.batch()).items():
            found[place] += values(records)
    assert found == {first: ["a", "b"], second: ["y"]}


async def test_a_batch_brings_no_more_records_than_asked_for_and_loses_none(ground: Ground) -> None:
    place = await ground.place()
    await ground.log.append(place, drafts(*"abcdefg"))
    reader = await ground.reader({place: 0})
    found: list[str] = []
    while len(found) < 7:
        records = (await reader.batch(max_records=3)).get(place, [])
        assert len(records) <= 3
        found += values(records)
    assert found == list("abcdefg")


async def test_a_reader_reads_on_from_where_it_is_told(ground: Ground) -> None:
    place = await ground.place()
    await ground.log.append(place, drafts("a", "b", "c"))
    reader = await ground.reader({place: 0})
    await read(reader, place, 3)
    reader.seek(place, 1)
    assert values(await read(reader, place, 2)) == ["b", "c"]


async def test_a_scan_ends_where_it_is_told(ground: Ground) -> None:
    place = await ground.place()
    await ground.log.append(place, drafts("a", "b", "c", "d"))
    found = [value async for records in scan(ground.log, place, 1, 3) for value in values(records)]
    assert found == ["b", "c"]
    assert [records async for records in scan(ground.log, place, 3, 3)] == []


async def test_a_position_before_the_logs_start_is_refused(ground: Ground) -> None:
    place = await ground.place()
    await ground.log.append(place, drafts("a", "b", "c"))
    await ground.truncate(place, 2)
    with pytest.raises(Truncated):
        await ground.reader({place: 1})
    assert values(await read(await ground.reader({place: 2}), place, 1)) == ["c"]


async def test_a_reader_that_is_overtaken_by_the_logs_start_does_not_jump(ground: Ground) -> None:
    place = await ground.place()
    await ground.log.append(place, drafts("a", "b", "c"))
    reader = await ground.reader({place: 0})
    await read(reader, place, 3)
    await ground.truncate(place, 2)
    reader.seek(place, 0)
    with pytest.raises(Truncated):
        await read(reader, place, 1)


async def test_a_position_after_the_logs_end_is_refused(ground: Ground) -> None:
    place = await ground.place()
    await ground.log.append(place, drafts("a"))
    with pytest.raises(LogError):
        await read(await ground.reader({place: 5}), place, 1)


async def test_a_group_keeps_its_positions_with_a_note(ground: Ground) -> None:
    place, group = await ground.place(), fresh()
    assert await committed(ground.log, group) == {}
    await ground.log.commit(group, {place: Position(7, "3 writer-x")})
    assert await committed(ground.other, group) == {place: Position(7, "3 writer-x")}


async def test_a_later_commit_replaces_only_the_places_it_names(ground: Ground) -> None:
    first, second, group = await ground.place(), await ground.place(), fresh()
    await ground.log.commit(group, {first: Position(1, "a"), second: Position(2, "b")})
    await ground.log.commit(group, {second: Position(3, "")})
    assert await committed(ground.log, group) == {first: Position(1, "a"), second: Position(3, "")}
    assert await committed(ground.log, fresh()) == {}


async def test_whoever_succeeds_another_in_a_group_commits_too(ground: Ground) -> None:
    place, group = await ground.place(), fresh()
    await ground.log.commit(group, {place: Position(1, "a")})
    await ground.other.commit(group, {place: Position(2, "b")})
    await ground.log.commit(group, {place: Position(3, "c")})
    assert await committed(ground.other, group) == {place: Position(3, "c")}
