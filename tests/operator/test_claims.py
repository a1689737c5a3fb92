"""The claim in force is found again, however far back it lies and whatever strangers wrote since."""

import pytest

from events.claims import claim_of
from events.fence import CLAIM, Fence
from events.log import Draft, Place
from events.memory import MemoryLog

pytestmark = pytest.mark.anyio
PLACE = Place("order.events", 0)


def claim(epoch: int, writer: str) -> Draft:
    return Draft("", b"{}", [("ce_type", CLAIM.encode()), ("epoch", b"%d" % epoch), ("writer", writer.encode())])


def events(writer: str, count: int) -> list[Draft]:
    return [Draft("", b"{}", [("writer", writer.encode())])] * count


async def found(*drafts: Draft, writer: str, epoch: int) -> int | None:
    log = MemoryLog()
    for begin in range(0, len(drafts), 500):
        await log.append(PLACE, drafts[begin : begin + 500])
    record = await claim_of(log, PLACE, Fence(len(drafts), epoch, writer), 0, len(drafts))
    return record.offset if record else None


@pytest.mark.parametrize("before", [0, 1, 499, 3000])
@pytest.mark.parametrize("after", [0, 1, 700, 5000])
async def test_a_claim_is_found(before: int, after: int) -> None:
    drafts = [claim(1, "a"), *events("a", before), claim(2, "b"), *events("b", after)]
    assert await found(*drafts, writer="b", epoch=2) == before + 1


async def test_a_late_writers_records_do_not_hide_it() -> None:
    mixed = [*events("b", 30), *events("a", 10)] * 50
    assert await found(claim(1, "a"), *events("a", 900), claim(2, "b"), *mixed, writer="b", epoch=2) == 901


async def test_a_partition_that_nobody_has_claimed_has_none() -> None:
    assert await found(writer="", epoch=0) is None
