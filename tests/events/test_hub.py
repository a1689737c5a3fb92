"""Readers of a hub share a consumer, and what befalls one of them must not stop the others."""

import asyncio
from collections.abc import Mapping

import pytest

from events.errors import Unavailable
from events.hub import Hub, Member
from events.log import Draft, Place, Record
from events.memory import MemoryLog, MemoryReader

pytestmark = pytest.mark.anyio

HERE, THERE = Place("order.events", 0), Place("order.events", 1)


class Slow(MemoryLog):
    """A log whose readers take their time to close, as a consumer does whose broker does not answer."""

    def __init__(self) -> None:
        super().__init__()
        self.closing, self.may_close = asyncio.Event(), asyncio.Event()

    async def reader(self, positions: Mapping[Place, int]) -> MemoryReader:
        reader = await super().reader(positions)
        close = reader.close

        async def slowly() -> None:
            self.closing.set()
            await self.may_close.wait()
            await close()

        reader.close = slowly  # type: ignore[method-assign]
        return reader


class Broken(MemoryLog):
    """A log whose readers fail in a way that nobody expects."""

    broken = False

    async def reader(self, positions: Mapping[Place, int]) -> MemoryReader:
        reader = await super().reader(positions)
        batch = reader.batch

        async def read(most: int = 500, timeout: float = 1.0) -> dict[Place, list[Record]]:
            if self.broken:
                raise RuntimeError("the handler is closed")
            return await batch(most, timeout)

        reader.batch = read  # type: ignore[method-assign, assignment]
        return reader


async def followed(hub: Hub, place: Place) -> Member:
    """A reader that has caught up, and is handed what comes."""
    reader = await hub.reader({place: 0})
    await reader.batch(timeout=0.01)
    return reader


async def next_of(reader: Member) -> list[Record]:
    """What a reader gets within a few seconds."""
    async with asyncio.timeout(5):
        while not (found := await reader.batch(timeout=0.1)):
            pass
    return next(iter(found.values()))


async def test_a_reader_that_is_cancelled_as_it_leaves_stops_nobody_else() -> None:
    log = Slow()
    hub = Hub(log)
    leaving, staying = await followed(hub, HERE), await followed(hub, THERE)
    log.closing.clear()

    going = asyncio.create_task(leaving.close())
    await log.closing.wait()
    going.cancel()
    await asyncio.gather(going, return_exceptions=True)
    await log.append(THERE, [Draft("k", b"v", [])])

    assert [record.value for record in await next_of(staying)] == [b"v"]
    log.may_close.set()


async def test_a_fault_that_nobody_expects_is_told_to_all_who_follow(caplog: pytest.LogCaptureFixture) -> None:
    log = Broken()
    reader = await followed(Hub(log), HERE)

    log.broken = True

    with pytest.raises(Unavailable, match="the handler is closed"):
        await next_of(reader)
    assert "the feed of order.events ends" in caplog.text
