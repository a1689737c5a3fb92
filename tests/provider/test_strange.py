"""A provider that answers with something else: nothing is believed, followed or kept."""

import asyncio
from collections.abc import AsyncIterator
from uuid import uuid4

import pytest

from workers.caller import LARGEST
from workers.provider import ProviderMisused, ProviderUnavailable
from workers.provider_http import HttpProvider

pytestmark = pytest.mark.anyio

JSON = "Content-Type: application/json\r\n"


class Strange:
    """A server that gives one answer to all, and counts who asked for what."""

    def __init__(self) -> None:
        self.status, self.headers, self.body = "200 OK", JSON, b""
        self.asked: list[str] = []

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        self.asked.append(head.split()[1])
        said = f"HTTP/1.1 {self.status}\r\n{self.headers}Content-Length: {len(self.body)}\r\nConnection: close\r\n\r\n"
        try:
            writer.write(said.encode() + self.body)
            await writer.drain()
        except ConnectionError:
            pass  # the caller has had enough
        finally:
            writer.close()


@pytest.fixture
async def strange() -> AsyncIterator[tuple[Strange, HttpProvider]]:
    server = Strange()
    listening = await asyncio.start_server(server.answer, "127.0.0.1", 0)
    port = listening.sockets[0].getsockname()[1]
    provider = HttpProvider(f"http://127.0.0.1:{port}", timeout_seconds=2, attempts=2, backoff_seconds=0.001)
    yield server, provider
    await provider.aclose()
    listening.close()
    await listening.wait_closed()


@pytest.mark.parametrize(
    ("status", "headers", "body", "why"),
    [
        pytest.param("200 OK", "Content-Type: text/html\r\n", b"<html>Maintenance</html>", "unreadable", id="HTML"),
        pytest.param("200 OK", JSON, b"[]", "unreadable", id="a list"),
        pytest.param("200 OK", JSON, b"{}", "without an id", id="nothing said"),
        pytest.param("200 OK", JSON, b'{"id": 7}', "without an id", id="an id that is none"),
        pytest.param("200 OK", JSON, b'{"id": "' + b"x" * 10_000_000 + b'"}', f"{LARGEST} bytes", id="10 MB"),
        pytest.param("302 Found", "Location: /elsewhere\r\n", b"", "unreadable", id="a redirect"),
    ],
)
async def test_what_is_no_answer_is_asked_for_again_and_then_left_for_later(
    strange: tuple[Strange, HttpProvider], status: str, headers: str, body: bytes, why: str
) -> None:
    server, provider = strange
    server.status, server.headers, server.body = status, headers, body
    payment = str(uuid4())
    with pytest.raises(ProviderUnavailable, match=why):
        await provider.authorize(f"a-{payment}", payment, 1000, "EUR", "tok")
    assert server.asked == ["/v1/authorizations"] * 2


@pytest.mark.parametrize(
    ("said", "why"),
    [('1, "currency": "EUR"', "amount 1, not 1000"), ('1000, "currency": "USD"', "currency 'USD', not 'EUR'")],
)
async def test_an_answer_about_other_money_is_not_believed(
    strange: tuple[Strange, HttpProvider], said: str, why: str
) -> None:
    server, provider = strange
    server.body = f'{{"id": "auth_1", "amount": {said}}}'.encode()
    payment = str(uuid4())
    with pytest.raises(ProviderMisused, match=why):
        await provider.authorize(f"a-{payment}", payment, 1000, "EUR", "tok")
