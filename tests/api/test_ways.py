"""A context that gives no answer is a 503 in time; it is asked again only where that does no harm, and not for ever."""

import asyncio
import socket
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx2
import pytest
from starlette.types import Receive, Scope, Send

from api import ways
from api.everywhere import Everywhere
from api.front import Front
from api.ways import Apart
from events.circuit import Circuit, NoAnswer, Open
from events.memory import MemoryLog
from tests.api.entries import Person, client_of, closed, serving
from tests.api.world import order

pytestmark = pytest.mark.anyio


class Context:
    """What runs apart: it answers as it is told, and counts how often it was asked."""

    def __init__(self, *statuses: int) -> None:
        self.statuses = list(statuses)
        self.asked: list[tuple[str, str]] = []
        self.headers: dict[str, str] = {}
        self.silent = asyncio.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await _live(receive, send)
            return
        self.asked.append((scope["method"], scope["path"]))
        self.headers = {name.decode(): value.decode("latin-1") for name, value in scope["headers"]}
        status = self.statuses.pop(0) if self.statuses else 200
        if status == 0:
            await self.silent.wait()
        headers = [(b"content-type", b"application/json"), (b"server", b"inside"), (b"x-powered-by", b"snakes")]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": b'{"items":[],"next":null}'})


async def _live(receive: Receive, send: Send) -> None:
    for what in ("startup", "shutdown"):
        await receive()
        await send({"type": f"lifespan.{what}.complete"})


@asynccontextmanager
async def before(context: Context, **changes: Any) -> AsyncIterator[httpx2.AsyncClient]:
    """A gateway before this order context."""
    async with (
        serving(context) as url,
        client_of(Front(closed(contexts="", ways=f"order={url}", **changes), MemoryLog(), {})) as client,
    ):
        yield client
        context.silent.set()


async def test_a_context_that_is_away_is_a_503_in_time_and_the_others_go_on() -> None:
    with socket.create_server(("127.0.0.1", 0)) as closing:
        nowhere = f"http://127.0.0.1:{closing.getsockname()[1]}"
    async with serving(Context()) as url:
        settings = closed(contexts="", ways=f"order={nowhere},payment={url}")
        async with client_of(Front(settings, MemoryLog(), {})) as client:
            staff, began = Person(client, "staff"), time.monotonic()
            answer = await staff.get("/api/orders")
            assert (answer.status_code, answer.json()["code"]) == (503, "ContextUnavailable")
            assert answer.json()["context"] == "order"
            assert answer.headers["retry-after"] == "1"
            assert time.monotonic() - began < 2
            assert (await staff.get("/api/payments")).status_code == 200
            assert (await staff.get("/api/notifications")).json()["code"] == "NotServedHere"


@pytest.mark.parametrize(("headers", "times"), [({}, 1), ({"Idempotency-Key": "mine"}, 3)])
async def test_a_command_is_sent_again_only_under_a_key(headers: dict[str, str], times: int) -> None:
    context = Context(502, 504)
    async with before(context) as client:
        answer = await Person(client, "staff").ask("POST", "/api/orders", json=order("tea"), headers=headers)
    assert context.asked == [("POST", "/orders")] * times
    assert answer.status_code == (200 if times == 3 else 503)


async def test_a_question_is_asked_again_and_then_answered() -> None:
    context = Context(502, 504)
    async with before(context) as client:
        assert (await Person(client, "staff").get("/api/orders")).status_code == 200
    assert len(context.asked) == 3


async def test_a_context_that_says_503_is_believed() -> None:
    context = Context(503)
    async with before(context) as client:
        assert (await Person(client, "staff").get("/api/orders")).status_code == 503
    assert len(context.asked) == 1


async def test_a_context_that_is_silent_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ways, "PATIENCE", 0.05)
    context = Context(0, 0, 0)
    async with before(context) as client:
        assert (await Person(client, "staff").get("/api/orders")).json()["code"] == "ContextUnavailable"
        assert len(context.asked) == 3
        waiting = asyncio.create_task(Person(client, "staff").get("/api/orders", wait_for="settled", timeout=5))
        context.statuses = [0]
        while len(context.asked) < 4:
            await asyncio.sleep(0.01)
        context.silent.set()
        assert (await waiting).status_code == 200


async def test_after_five_without_an_answer_it_is_asked_no_more() -> None:
    context = Context(*[502] * 5)
    async with before(context) as client:
        staff = Person(client, "staff")
        for _ in range(2):
            assert (await staff.get("/api/orders")).status_code == 503
        assert len(context.asked) == 5
        answer = await staff.get("/api/orders")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    assert len(context.asked) == 5


@pytest.mark.parametrize(
    "value", [b"Bearer ", b"\x01", b"a\x00b", b"a\r\nX-Roles: operator", b"caf\xe9", b" \t", b"x" * 60_000]
)
async def test_a_request_that_cannot_be_passed_on_does_not_count_against_the_context(value: bytes) -> None:
    context = Context()
    async with before(context) as client:
        for _ in range(6):
            answer = await client.get("/api/orders", headers=[(b"X-Note", value)])
            assert answer.status_code in (200, 400, 431), answer.text
            assert "x-roles" not in context.headers
        assert (await client.get("/api/orders")).status_code == 200


def test_one_probe_at_a_time_finds_out_whether_it_answers_again() -> None:
    now = 0.0
    circuit = Circuit("order", threshold=2, seconds=5, clock=lambda: now)
    for _ in range(2):
        with pytest.raises(NoAnswer), circuit.attempt():
            raise NoAnswer
    with pytest.raises(Open), circuit.attempt():
        pass
    now = 5.0
    with circuit.attempt(), pytest.raises(Open), circuit.attempt():
        pass
    with circuit.attempt(), circuit.attempt():
        pass


async def test_a_context_is_told_who_asks_by_the_token_alone() -> None:
    context = Context()
    async with before(context) as client:
        staff = Person(client, "staff")
        spoofed = {"X-User-Id": "root", "X-Roles": "operator", "X-Forwarded-User": "root", "Cookie": "a=b"}
        answer = await staff.ask("GET", "/api/orders", headers={**spoofed, "X-Request-Id": "mine", "TE": "trailers"})
    assert context.headers["authorization"] == staff.headers["Authorization"]
    assert context.headers["x-request-id"] == "mine"
    assert not {name.lower() for name in (*spoofed, "TE")} & context.headers.keys()
    assert not {"server", "x-powered-by"} & answer.headers.keys()


class Streaming:
    """A context that streams: one event, and then it waits for its client to leave, or is cut."""

    def __init__(self) -> None:
        self.left, self.cut = asyncio.Event(), asyncio.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await _live(receive, send)
            return
        headers = [(b"content-type", b"text/event-stream")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"id: 1\n\n", "more_body": True})
        tasks = [asyncio.create_task(self._leave(receive)), asyncio.create_task(self.cut.wait())]
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in tasks:
            task.cancel()
        await send({"type": "http.response.body", "body": b"id: 2", "more_body": False})

    async def _leave(self, receive: Receive) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        self.left.set()


@asynccontextmanager
async def streaming(context: Streaming) -> AsyncIterator[tuple[Front, AsyncIterator[bytes], httpx2.Response]]:
    """A stream of the context through a gateway, on real connections all the way."""
    async with (
        serving(context) as behind,
        httpx2.AsyncClient(timeout=5) as client,
    ):
        front = Front(closed(contexts="", ways=f"order={behind}"), MemoryLog(), {})
        async with serving(front) as url, client.stream("GET", f"{url}/api/customers/c-1/live") as answer:
            yield front, answer.aiter_raw(), answer


async def test_a_stream_is_passed_on_as_it_comes_and_left_when_its_client_leaves() -> None:
    context = Streaming()
    async with streaming(context) as (_, parts, answer):
        assert await anext(parts) == b"id: 1\n\n"
        assert not context.left.is_set()
        await answer.aclose()
        async with asyncio.timeout(5):
            await context.left.wait()


async def test_a_stream_ends_when_its_context_or_its_gateway_does() -> None:
    context = Streaming()
    async with streaming(context) as (_, parts, _answer):
        assert await anext(parts) == b"id: 1\n\n"
        context.cut.set()
        assert [part async for part in parts] == [b"id: 2"]
    context = Streaming()
    async with streaming(context) as (front, parts, _answer):
        assert await anext(parts) == b"id: 1\n\n"
        front.end_streams()
        assert [part async for part in parts] == []


async def test_what_one_of_all_does_not_answer_nobody_answers() -> None:
    async with serving(Context()) as url:
        apps = [Apart("order", url), Apart("payment", "http://127.0.0.1:1")]
        transport = httpx2.ASGITransport(_named(Everywhere(apps)))
        async with httpx2.AsyncClient(transport=transport, base_url="http://shop") as client:
            assert (await client.get("/summary")).json()["code"] == "ContextUnavailable"
        for app in apps:
            await app.close()


def _named(app: Any) -> Any:
    async def named(scope: Scope, receive: Receive, send: Send) -> None:
        await app({**scope, "request_id": "mine"}, receive, send)

    return named
