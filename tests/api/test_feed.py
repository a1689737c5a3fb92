"""A listener keeps so much and no more, a feed goes back whenever in doubt, and an answer waits for slow readers."""

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from starlette.types import Message

from api.event_stream import EventStream
from api.feed import ROOM, Feed, Listener, in_time_order
from events.topics import PARTITIONS
from projections.following import HEADS
from projections.postgres import DatabaseUnavailable

pytestmark = pytest.mark.anyio

KEY = "order-1"


def row(position: int, partition: int = 0, seconds: int = 0) -> dict[str, Any]:
    at = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds or position)
    return {"partition": partition, "position": position, "stream": KEY, "customer_id": "c-1", "at": at}


class History:
    """A history that grows in its first partition, as far as a database shows it; it can be away."""

    def __init__(self, length: int = 0) -> None:
        self.length, self.away, self.asked = length, False, 0

    async def __call__(self, query: str, asked: Mapping[str, Any]) -> list[dict[str, Any]]:
        await asyncio.sleep(0)
        self.asked += 1
        if self.away:
            raise DatabaseUnavailable
        if query == HEADS:
            heads = [self.length] + [0] * (PARTITIONS - 1)
            return [{"partition": p, "next": head, "together": True} for p, head in enumerate(heads)]
        spans = zip(asked["partitions"], asked["froms"], asked["upto"], strict=True)
        return [row(position, p) for p, first, upto in spans for position in range(first, min(upto, self.length))]


async def heard(listener: Listener, count: int) -> list[int]:
    found: list[int] = []
    async with asyncio.timeout(5):
        while len(found) < count:
            found += [each["position"] for each in await listener.news(1)]
    return found


async def test_a_listener_hears_what_comes_after_it_even_over_an_outage() -> None:
    history = History(3)
    feed, listener = Feed(history, pause=0.001), Listener(KEY)
    await feed.join(listener)
    assert listener.since[0] == 3
    history.length = 5
    assert await heard(listener, 2) == [3, 4]
    history.away = True
    asked = history.asked
    while history.asked == asked:
        await asyncio.sleep(0)
    history.length, history.away = 6, False
    assert await heard(listener, 1) == [5]
    await feed.close()
    assert listener.ended


async def test_who_joins_after_a_database_has_lost_its_last_moments_misses_nothing() -> None:
    history = History(10)
    feed, early, late = Feed(history, pause=0.001), Listener(KEY), Listener(KEY)
    await feed.join(early)
    history.length = 7
    await feed.join(late)
    assert late.since[0] == 7
    history.length = 12
    assert await heard(late, 5) == [7, 8, 9, 10, 11]
    await feed.close()


async def test_nobody_is_asked_for_nobody() -> None:
    history = History()
    feed, listener = Feed(history, pause=0), Listener(KEY)
    await feed.join(listener)
    feed.leave(listener)
    await asyncio.sleep(0.01)
    asked = history.asked
    await asyncio.sleep(0.01)
    assert history.asked == asked


async def test_one_that_falls_too_far_behind_is_let_go_and_keeps_nothing() -> None:
    listener = Listener(KEY)
    for position in range(ROOM):
        listener.hear(row(position))
    assert not listener.ended
    listener.hear(row(ROOM))
    assert listener.ended
    assert await listener.news(1) == []


async def test_a_reader_that_stands_still_is_waited_for_and_then_let_go() -> None:
    listener, sent, reads = Listener(KEY), [], asyncio.Event()
    left: list[str] = []

    async def blocks() -> AsyncGenerator[bytes]:
        while not listener.ended:
            yield b"".join(b"%d " % each["position"] for each in await listener.news(1))

    async def send(message: Message) -> None:
        sent.append(message)
        if message.get("body"):
            await reads.wait()

    async def receive() -> Message:
        await asyncio.Event().wait()
        raise AssertionError

    held = ExitStack()
    held.callback(left.append, "seat")
    answering = asyncio.create_task(EventStream(blocks(), listener, held)({"type": "http"}, receive, send))
    listener.hear(row(0))
    while len(sent) < 2:
        await asyncio.sleep(0)
    for position in range(1, ROOM * 10):
        listener.hear(row(position))
    assert listener.ended
    reads.set()
    await answering
    assert [message.get("body", b"") for message in sent] == [b"", b"0 ", b""]
    assert left == ["seat"]


def test_what_happened_on_several_partitions_is_told_in_time_and_each_in_its_own_order() -> None:
    rows = [row(0, 0, 5), row(1, 0, 3), row(2, 0, 9), row(0, 1, 1), row(1, 1, 6)]
    told = [(each["partition"], each["position"]) for each in in_time_order(rows)]
    assert told == [(1, 0), (0, 0), (0, 1), (1, 1), (0, 2)]
