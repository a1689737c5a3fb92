"""A link passes everything on as it came, and goes wrong in exactly the way it is told to."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import pytest

from tests.faults.proxy import FAIR, Link, Weather
from workers.local.home import PORTS, is_free

pytestmark = pytest.mark.anyio

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


def free_port() -> int:
    return next(port for port in PORTS if is_free(port))


@asynccontextmanager
async def echo() -> AsyncIterator[tuple[Link, list[bytes]]]:
    """A link before a server that sends back every line; with the lines that have come to the server."""
    heard: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while line := await reader.readline():
            heard.append(line)
            writer.write(line)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    link = Link("test", free_port(), "127.0.0.1", server.sockets[0].getsockname()[1])
    await link.start()
    try:
        yield link, heard
    finally:
        link.close()
        server.close()
        await asyncio.sleep(0.05)


@asynccontextmanager
async def client(link: Link) -> AsyncIterator[Streams]:
    reader, writer = await asyncio.open_connection("127.0.0.1", link.port)
    try:
        yield reader, writer
    finally:
        writer.transport.abort()
        await asyncio.sleep(0)


async def ask(streams: Streams, line: bytes, seconds: float = 2.0) -> bytes:
    reader, writer = streams
    writer.write(line)
    return await asyncio.wait_for(reader.readline(), seconds)


async def test_in_fair_weather_ten_megabytes_come_back_as_they_were() -> None:
    async with echo() as (link, _), client(link) as (reader, writer):
        lines = [b"%d " % number * 2000 + b"\n" for number in range(1000)]

        async def write() -> None:
            for line in lines:
                writer.write(line)
                await writer.drain()

        writing = asyncio.create_task(write())
        found = [await reader.readline() for _ in lines]
        await writing

        assert found == lines


async def test_delayed_bytes_come_late_and_in_order() -> None:
    async with echo() as (link, _), client(link) as streams:
        link.set(Weather(delay=0.1, jitter=0.05))
        began = time.monotonic()
        for number in range(20):
            streams[1].write(b"%d\n" % number)
        found = [await streams[0].readline() for _ in range(20)]

        assert found == [b"%d\n" % number for number in range(20)]
        assert time.monotonic() - began >= 0.1


async def test_a_slow_link_takes_as_long_as_its_rate_says() -> None:
    async with echo() as (link, _), client(link) as streams:
        link.set(Weather(rate=100_000))
        began = time.monotonic()
        for _ in range(4):
            await ask(streams, b"x" * 4999 + b"\n")

        assert time.monotonic() - began >= 0.14  # three pauses of 50 ms: the first bytes need not wait


async def test_a_silent_link_passes_nothing_and_later_all_of_it() -> None:
    async with echo() as (link, heard), client(link) as streams:
        link.set(Weather("silent"))
        with pytest.raises(asyncio.TimeoutError):
            await ask(streams, b"hello\n", 0.2)
        assert not heard

        link.set(FAIR)

        assert await asyncio.wait_for(streams[0].readline(), 2) == b"hello\n"


async def test_a_lost_answer_is_a_request_that_was_heard_and_a_connection_that_is_gone() -> None:
    async with echo() as (link, heard), client(link) as streams:
        link.set(Weather("lose-answer"))
        try:
            answer = await ask(streams, b"hello\n")
        except ConnectionError:
            answer = b""

        assert (answer, heard, link.lost) == (b"", [b"hello\n"], 1)
        async with client(link) as again:
            assert await ask(again, b"hello again\n") == b"hello again\n"


async def test_a_link_that_refuses_resets_old_and_new_connections() -> None:
    async with echo() as (link, heard), client(link) as old:
        await ask(old, b"one\n")
        link.set(Weather("refuse"))
        async with client(link) as new:
            for streams in (old, new):
                with suppress(ConnectionError):
                    assert await ask(streams, b"two\n") == b""
        assert heard == [b"one\n"]

        link.set(FAIR)

        async with client(link) as third:
            assert await ask(third, b"three\n") == b"three\n"


async def test_what_is_behind_the_link_may_be_away() -> None:
    link = Link("nowhere", free_port(), "127.0.0.1", 1)
    await link.start()
    try:
        async with client(link) as streams:
            with suppress(ConnectionError):
                assert await ask(streams, b"hello\n") == b""
    finally:
        link.close()
        await asyncio.sleep(0.05)
