"""A customer whom the API asks to come again does so, under the same key."""

import asyncio

import pytest

from workers.shop import Shop

pytestmark = pytest.mark.anyio

AWAY = b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 0\r\nContent-Length: 2\r\n\r\n{}"
WELL = b"HTTP/1.1 202 Accepted\r\nContent-Length: 2\r\n\r\n{}"


async def test_what_the_api_cannot_take_now_is_sent_again_under_its_key() -> None:
    answers, keys = [AWAY, AWAY, WELL], list[bytes]()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for answer in answers:
            head = await reader.readuntil(b"\r\n\r\n")
            keys.append(next(line for line in head.splitlines() if line.lower().startswith(b"idempotency-key")))
            await reader.readexactly(2)
            writer.write(answer)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    shop = Shop(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}")
    try:
        await shop.cancel_order("1")
    finally:
        await shop.close()
        server.close()

    assert len(keys) == 3
    assert len(set(keys)) == 1
