"""Entries are gateways before the same contexts: one has them in its process, one asks each of them over HTTP."""

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from typing import Any
from uuid import uuid4

import httpx2
import uvicorn
from starlette.types import ASGIApp

from api.app import create_app
from api.front import Front
from api.keys import Keyring
from api.tokens import Role, Tokens
from events.memory import MemoryLog
from schemas.settings import CONTEXTS, Settings
from tests.api.world import HOME, WAIT, World, databases_of, order, settings

PLENTY = dict.fromkeys(("rate_user", "rate_staff", "rate_anonymous", "rate_login"), 1_000_000)
TOKENS = Tokens(Keyring(HOME / "keys"))


class Person:
    """Somebody with roles, or nobody, at a gateway."""

    def __init__(self, client: httpx2.AsyncClient, *roles: Role) -> None:
        self.client, self.id = client, str(uuid4())
        self.headers = {"Authorization": f"Bearer {TOKENS.issue(self.id, roles)}"} if roles else {}

    async def ask(self, method: str, url: str, **given: Any) -> httpx2.Response:
        headers = {**self.headers, **given.pop("headers", {})}
        return await self.client.request(method, url, headers=headers, **given)

    async def get(self, url: str, **parameters: Any) -> httpx2.Response:
        return await self.ask("GET", url, params=parameters or None)

    async def post(self, url: str, body: Any = None, **headers: str) -> httpx2.Response:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return await self.ask("POST", url, json={} if body is None else body, headers={**WAIT, **named})

    async def placed(self, sku: str) -> dict[str, Any]:
        """An order of their own."""
        answer = await self.post("/api/orders", order(sku, customer_id=self.id))
        assert answer.status_code == 201, answer.text
        row: dict[str, Any] = answer.json()
        return row


class _Served(uvicorn.Server):
    """A server that leaves signals to the tests."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        if isinstance(self.config.app, Front):
            self.config.app.end_streams()
        await super().shutdown(sockets)


@asynccontextmanager
async def serving(app: ASGIApp, port: int = 0) -> AsyncIterator[str]:
    """The app's URL, with this port or any."""
    # The protocol is named, for asyncio sends small packets at once only where it is.
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP) as listening:
        listening.bind(("127.0.0.1", port))
        config = uvicorn.Config(app, log_level="error", ws="none", lifespan="on", timeout_graceful_shutdown=1)
        server = _Served(config)
        running = asyncio.create_task(server.serve(sockets=[listening]))
        try:
            while not server.started:
                assert not running.done()
                await asyncio.sleep(0.005)
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            server.should_exit = True
            await running


def closed(**changes: Any) -> Settings:
    """Settings of a gateway that lets nobody past it."""
    return settings(inside="closed", **{**PLENTY, **changes})


@asynccontextmanager
async def client_of(front: Front, peer: str = "192.0.2.1") -> AsyncIterator[httpx2.AsyncClient]:
    """A client of a gateway, from this address."""
    transport = httpx2.ASGITransport(front, client=(peer, 1234))
    async with (
        front.inner.router.lifespan_context(front.inner),
        httpx2.AsyncClient(transport=transport, base_url="http://shop") as client,
    ):
        yield client


@asynccontextmanager
async def in_process(postgres: str, world: World) -> AsyncIterator[httpx2.AsyncClient]:
    """The gateway with all contexts in its process."""
    async with client_of(Front(closed(), world.log, databases_of(postgres, CONTEXTS))) as client:
        yield client


@asynccontextmanager
async def by_url(postgres: str, world: World) -> AsyncIterator[httpx2.AsyncClient]:
    """The gateway alone, every context behind a URL of its own; each verifies tokens for itself."""
    async with AsyncExitStack() as stack:
        yield await stack.enter_async_context(client_of(await _apart(stack, postgres, world)))


async def _apart(stack: AsyncExitStack, postgres: str, world: World, **changes: Any) -> Front:
    house = settings(contexts="user", inside="tokens")
    keys = await stack.enter_async_context(serving(create_app(house, world.log, databases_of(postgres, ("user",)))))
    ways = ""
    for context in ("order", "product", "payment", "user", "notification"):
        own = settings(contexts=context, inside="tokens", ways=ways.split(",")[0], keys_url=keys, **changes)
        app = create_app(own, world.log, databases_of(postgres, (context,)))
        url = await stack.enter_async_context(serving(app))
        ways = f"{ways},{context}={url}".strip(",")
    return Front(closed(contexts="", ways=ways), MemoryLog(), {})


@asynccontextmanager
async def on_a_port(way: str, postgres: str, world: World, **changes: Any) -> AsyncIterator[str]:
    """The URL of a gateway, either way; what streams needs a real connection."""
    async with AsyncExitStack() as stack:
        if way == "in process":
            front = Front(closed(**changes), world.log, databases_of(postgres, CONTEXTS))
        else:
            front = await _apart(stack, postgres, world, **changes)
        yield await stack.enter_async_context(serving(front))


ENTRIES = {"in process": in_process, "by url": by_url}
