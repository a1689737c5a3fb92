"""Clients that are slow to say what they want, or say too much: they are let go, and nobody else notices."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from functools import partial
from typing import Any

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from api.heads import Heads

pytestmark = pytest.mark.anyio

SECONDS = 0.4
WHOLE = b"GET /slow HTTP/1.1\r\nHost: a\r\n\r\n"
HALF = b"GET / HTTP/1.1\r\nHost: a\r\nX-Slow: "

Talk = tuple[asyncio.StreamReader, asyncio.StreamWriter]
Connect = Callable[[], Awaitable[Talk]]


async def slow(request: Request) -> PlainTextResponse:
    await asyncio.sleep(2 * SECONDS)
    return PlainTextResponse("done")


@pytest.fixture
async def connect() -> AsyncIterator[Connect]:
    """Opens connections to a server that waits for a head as long as the tests can."""
    protocol: Any = partial(Heads, seconds=SECONDS)
    app = Starlette(routes=[Route("/slow", slow)])
    server = uvicorn.Server(uvicorn.Config(app, port=0, http=protocol, log_level="error", lifespan="off"))
    serving = asyncio.create_task(server._serve())
    while not server.started:
        await asyncio.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    writers: list[asyncio.StreamWriter] = []

    async def connected() -> Talk:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writers.append(writer)
        return reader, writer

    yield connected
    for writer in writers:
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()
    server.should_exit = True
    await serving


async def test_a_head_that_drips_is_answered_and_ended(connect: Connect) -> None:
    reader, writer = await connect()

    async def drip() -> None:
        writer.write(HALF)
        while not reader.at_eof():
            writer.write(b"x")
            await asyncio.sleep(SECONDS / 8)

    dripping = asyncio.create_task(drip())
    said = await asyncio.wait_for(reader.read(), 10 * SECONDS)
    dripping.cancel()

    assert said.startswith(b"HTTP/1.1 408 Request Timeout\r\n")
    assert b"application/problem+json" in said
    assert b'"code":"RequestTimeout"' in said


async def test_who_says_nothing_is_let_go_without_a_word(connect: Connect) -> None:
    reader, _ = await connect()
    assert await asyncio.wait_for(reader.read(), 10 * SECONDS) == b""


async def test_a_later_head_on_the_same_connection_has_the_same_time(connect: Connect) -> None:
    reader, writer = await connect()
    writer.write(WHOLE)
    assert (await reader.readuntil(b"done")).startswith(b"HTTP/1.1 200")
    await asyncio.sleep(2 * SECONDS)  # between requests nobody is in a hurry
    writer.write(WHOLE)
    assert (await reader.readuntil(b"done")).startswith(b"HTTP/1.1 200")
    writer.write(HALF)
    assert (await asyncio.wait_for(reader.read(), 10 * SECONDS)).startswith(b"HTTP/1.1 408")


async def test_half_a_head_does_not_cut_what_is_being_answered(connect: Connect) -> None:
    reader, writer = await connect()
    writer.write(WHOLE + HALF)
    said = await asyncio.wait_for(reader.read(), 20 * SECONDS)
    assert said.startswith(b"HTTP/1.1 200")
    assert said.endswith(b"done")


MANY = b"".join(b"X-%d: y\r\n" % n for n in range(10_000))


@pytest.mark.parametrize(
    "head",
    [
        pytest.param(b"GET / HTTP/1.1\r\n" + MANY[:2000] + b"\r\n", id="many headers"),
        pytest.param(b"GET / HTTP/1.1\r\n" + MANY + b"\r\n", id="very many headers"),
        pytest.param(HALF + b"x" * 100_000, id="a long value without an end"),
        pytest.param(b"GET /" + b"x" * 100_000, id="a long path without an end"),
    ],
)
async def test_a_head_that_is_too_large_is_refused(connect: Connect, head: bytes) -> None:
    reader, writer = await connect()
    writer.write(head)
    said = await asyncio.wait_for(reader.read(), 10 * SECONDS)
    assert said.startswith(b"HTTP/1.1 431 Request Header Fields Too Large\r\n")
    assert said.count(b"HTTP/1.1") == 1
    assert b'"code":"HeadTooLarge"' in said


async def test_what_is_no_http_is_answered_by_a_problem(connect: Connect) -> None:
    reader, writer = await connect()
    writer.write(b"HELO mail\r\n\r\n")
    said = await asyncio.wait_for(reader.read(), 10 * SECONDS)
    assert said.startswith(b"HTTP/1.1 400 Bad Request\r\n")
    assert b'"code":"BadRequest"' in said


async def test_a_large_body_behind_a_small_head_is_no_large_head(connect: Connect) -> None:
    reader, writer = await connect()
    writer.write(b"POST /slow HTTP/1.1\r\nHost: a\r\nContent-Length: 500000\r\n\r\n" + bytes(500_000))
    assert (await reader.readuntil(b"Method Not Allowed")).startswith(b"HTTP/1.1 405")
