"""The fenced log's contract: one owner a partition, the others find out, and every reader agrees on what counts."""

import asyncio
from collections.abc import Sequence

import pytest
from msgspec.structs import replace

from events.envelope import Envelope
from events.errors import Fenced, TooLarge
from events.fence import Fence
from events.fenced import Owner, catch_up, claim
from events.log import Draft, Log, Place, Record
from events.topics import MAX_BATCH_BYTES
from tests.contracts.ground import Ground

pytestmark = pytest.mark.anyio


def commit(owner: Owner, *bodies: str) -> list[tuple[Envelope, bytes]]:
    """What an owner writes: events that carry its epoch and its name."""
    return [
        (
            Envelope(body, "told.v1", "order", "", "order-a", "c", "c", "client", "", 1, owner.epoch, owner.writer),
            body.encode(),
        )
        for body in bodies
    ]


async def own(log: Log, place: Place) -> tuple[Owner, list[str]]:
    """Claim a place from its start; the list grows by what counted."""
    seen: list[str] = []
    owner = await claim(log, place, Fence(), lambda record: seen.append(record.value.decode()))
    return owner, seen


async def effective(log: Log, place: Place, fence: Fence | None = None) -> tuple[list[str], Fence]:
    """What a reader counts, from a checkpoint on."""
    fence, seen = fence or Fence(), list[Record]()
    _, end = await log.bounds(place)
    await catch_up(log, place, fence, end, seen.append)
    return [record.value.decode() for record in seen], fence


async def test_an_owner_appends_and_readers_count_what_it_wrote(ground: Ground) -> None:
    place = await ground.place()
    owner, _ = await own(ground.log, place)
    assert await owner.append(commit(owner, "a", "b")) == 1
    assert await owner.append(commit(owner, "c")) == 3
    assert (await effective(ground.other, place))[0] == ["a", "b", "c"]


async def test_a_new_owner_knows_all_that_counted_and_has_a_higher_epoch(ground: Ground) -> None:
    place = await ground.place()
    first, _ = await own(ground.log, place)
    await first.append(commit(first, "a", "b"))
    second, seen = await own(ground.other, place)
    assert seen == ["a", "b"]
    assert (first.epoch, second.epoch) == (1, 2)
    assert first.writer != second.writer


async def test_of_two_owners_the_first_is_fenced_and_what_it_appends_late_does_not_count(ground: Ground) -> None:
    place = await ground.place()
    stale, _ = await own(ground.log, place)
    await stale.append(commit(stale, "a"))
    owner, _ = await own(ground.other, place)
    with pytest.raises(Fenced):
        await stale.append(commit(stale, "late"))
    counted, fence = await effective(ground.log, place)
    assert (counted, fence.ignored) == (["a"], 1)
    assert fence.writer == owner.writer


async def test_a_record_that_came_between_fences_even_the_true_owner_and_it_claims_again(ground: Ground) -> None:
    place = await ground.place()
    stale, _ = await own(ground.log, place)
    owner, _ = await own(ground.other, place)
    with pytest.raises(Fenced):
        await stale.append(commit(stale, "late"))
    with pytest.raises(Fenced):
        await owner.append(commit(owner, "in doubt"))
    again, seen = await own(ground.other, place)
    # Nobody else had claimed, so readers count it: the one who was told "in doubt" must read before it decides.
    assert seen == ["in doubt"]
    await again.append(commit(again, "next"))
    assert (await effective(ground.log, place))[0] == ["in doubt", "next"]


async def test_junk_between_two_appends_fences_the_owner_and_counts_for_nobody(ground: Ground) -> None:
    place = await ground.place()
    owner, _ = await own(ground.log, place)
    await ground.other.append(place, [Draft("junk", b"\xff", []), Draft("junk", b"", [("epoch", b"x")])])
    with pytest.raises(Fenced):
        await owner.append(commit(owner, "a"))
    counted, fence = await effective(ground.log, place)
    assert (counted, fence.ignored) == (["a"], 2)


async def test_of_many_who_claim_at_once_exactly_one_can_append(ground: Ground) -> None:
    place = await ground.place()
    claimed = await asyncio.gather(*(own(log, place) for log in (ground.log, ground.other) * 3))
    owners = sorted((owner for owner, _ in claimed), key=lambda owner: owner.epoch)
    assert len({owner.epoch for owner in owners}) == len({owner.writer for owner in owners}) == 6
    await owners[-1].append(commit(owners[-1], "mine"))
    for stale in owners[:-1]:
        with pytest.raises(Fenced):
            await stale.append(commit(stale, "not mine"))
    assert (await effective(ground.log, place))[0] == ["mine"]


async def test_a_claim_that_lost_against_one_of_the_same_epoch_tries_again(ground: Ground) -> None:
    place = await ground.place()
    rival = Rival(ground.log, place)
    owner, _ = await own(rival, place)
    assert owner.epoch == 2
    _, fence = await effective(ground.other, place)
    assert (fence.epoch, fence.writer) == (2, owner.writer)
    assert fence.ignored == 1


async def test_a_commit_that_is_too_large_leaves_the_owner_where_it_was(ground: Ground) -> None:
    place = await ground.place()
    owner, _ = await own(ground.log, place)
    with pytest.raises(TooLarge):
        await owner.append(commit(owner, *["x" * (MAX_BATCH_BYTES // 2)] * 3))
    assert await owner.append(commit(owner, "a")) == 1


async def test_reading_on_from_any_checkpoint_is_reading_it_all(ground: Ground) -> None:
    place = await ground.place()
    for name in ("x", "y", "z"):
        owner, _ = await own(ground.log, place)
        await owner.append(commit(owner, f"{name}1", f"{name}2"))
    whole, at_the_end = await effective(ground.log, place)
    for cut in range(at_the_end.next + 1):
        checkpoint = Fence()
        before: list[Record] = []
        await catch_up(ground.log, place, checkpoint, cut, before.append)
        rest, resumed = await effective(ground.log, place, replace(checkpoint))
        assert [record.value.decode() for record in before] + rest == whole
        assert resumed == at_the_end


async def test_a_claim_resumes_from_a_checkpoint_and_folds_only_what_came_after(ground: Ground) -> None:
    place = await ground.place()
    owner, _ = await own(ground.log, place)
    await owner.append(commit(owner, "a"))
    checkpoint = replace(owner.fence)
    await owner.append(commit(owner, "b"))
    seen: list[Record] = []
    resumed = await claim(ground.other, place, checkpoint, seen.append)
    assert [record.value for record in seen] == [b"b"]
    assert resumed.fence == (await effective(ground.log, place))[1]
    assert await resumed.append(commit(resumed, "c")) == 4


class Rival:
    """A log on which somebody else claims in the very moment of our first claim, with the same epoch."""

    def __init__(self, log: Log, place: Place) -> None:
        self._log, self._place, self._quick = log, place, True
        self.bounds, self.reader = log.bounds, log.reader
        self.committed, self.commit = log.committed, log.commit

    async def append(self, place: Place, drafts: Sequence[Draft]) -> int:
        if self._quick:
            self._quick = False
            headers = [(name, b"rival" if name == "writer" else value) for name, value in drafts[0].headers]
            await self._log.append(place, [drafts[0]._replace(headers=headers)])
        return await self._log.append(place, drafts)
