"""World is the API with all contexts behind it: the real rules and read models, the log in memory."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import mkdtemp
from typing import Any
from uuid import uuid4

import httpx2
import psycopg
from fastapi import FastAPI
from psycopg import sql

from api.app import create_app
from events.memory import MemoryLog
from events.topics import PARTITIONS
from projections.person_keys import KeyTable, PersonKeys
from projections.postgres import Database
from projections.registry import PROJECTIONS, install
from projections.store import Store
from schemas.settings import CONTEXTS, Settings
from workers.channel import ByChannel
from workers.compose import parts_of, provider_of
from workers.contact_book import ContactBook
from workers.context import Assign, Context
from workers.mail import InProcessMailbox, Letter

HOME = Path(mkdtemp(prefix="orderlog-api-"))
NOWHERE = "postgresql://orderlog@127.0.0.1:1/postgres"
WAIT = {"Prefer": "wait=10"}


class World:
    """A client, and the log that its commands go to."""

    def __init__(
        self,
        app: FastAPI,
        client: httpx2.AsyncClient,
        log: MemoryLog,
        databases: Mapping[str, Database],
        mailbox: InProcessMailbox | None = None,
    ) -> None:
        self.app, self.client, self.log, self.databases = app, client, log, databases
        self.mailbox = mailbox or InProcessMailbox()

    def commands(self) -> int:
        """How many commands clients have sent."""
        return sum(
            record.headers.get("origin") == b"client"
            for place, records in self.log.records.items()
            if place.topic.endswith(".commands")
            for record in records
        )

    async def post(self, url: str, body: Any = None, **headers: str) -> httpx2.Response:
        """Send a command and wait for its outcome."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return await self.client.post(url, json=body or {}, headers={**WAIT, **named})

    async def listed(self, stock: int = 100, name: str = "green tea") -> str:
        """A product on sale."""
        sku = f"sku-{uuid4().hex[:12]}"
        listed = await self.post("/products", {"sku": sku, "name": name, "price": 250, "stock": stock})
        assert listed.status_code == 201, listed.text
        return sku

    async def placed(self, sku: str, **changes: Any) -> dict[str, Any]:
        """An order for one piece."""
        answer = await self.post("/orders", order(sku, **changes))
        assert answer.status_code == 201, answer.text
        row: dict[str, Any] = answer.json()
        return row

    async def settled(self, order_id: str) -> dict[str, Any]:
        """The order once it waits for nobody but people."""
        answer = await self.client.get(f"/orders/{order_id}", params={"wait_for": "settled", "timeout": "10"})
        row: dict[str, Any] = answer.json()
        return row

    async def until(self, url: str, **wanted: Any) -> dict[str, Any]:
        """The resource once it is as wanted."""
        deadline = time.monotonic() + 10
        while True:
            row: dict[str, Any] = (await self.client.get(url)).json()
            if wanted.items() <= row.items():
                return row
            assert time.monotonic() < deadline, row
            await asyncio.sleep(0.01)

    async def mail(self, recipient: str, subject: str) -> Letter:
        """The last mail to somebody with this subject, once there is one."""
        deadline = time.monotonic() + 10
        while True:
            letters = [
                it for it in self.mailbox.letters.values() if it.recipient == recipient and subject in it.subject
            ]
            if letters:
                return letters[-1]
            assert time.monotonic() < deadline, f"no mail {subject!r} to {recipient}"
            await asyncio.sleep(0.01)

    async def listing(self, url: str) -> list[dict[str, Any]]:
        """The list's items, once there are any."""
        deadline = time.monotonic() + 10
        while True:
            items: list[dict[str, Any]] = (await self.client.get(url)).json()["items"]
            if items:
                return items
            assert time.monotonic() < deadline, f"nothing in {url}"
            await asyncio.sleep(0.01)


def order(*skus: str, **changes: Any) -> dict[str, Any]:
    """What a customer sends."""
    return {
        "customer_id": "c-1",
        "email": "ada@example.org",
        "shipping_address": {
            "name": "Ada",
            "street": "Main Street 1",
            "city": "Turin",
            "postal_code": "10121",
            "country": "IT",
        },
        "lines": [{"sku": sku, "quantity": 1, "unit_price": 250} for sku in skus],
        **changes,
    }


def settings(**changes: Any) -> Settings:
    return Settings(
        **{
            "postgres": NOWHERE,
            "kafka": "127.0.0.1:1",
            "provider": "in-process",
            "smtp": "in-process",
            "home": HOME,
            "inside": "open",
            "login_unverified": True,
            "mail_report_secret": "a secret of the tests",
            **changes,
        }
    )


@asynccontextmanager
async def client_of(app: FastAPI) -> AsyncIterator[httpx2.AsyncClient]:
    """A client of a running app."""
    async with (
        app.router.lifespan_context(app),
        httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url="http://api") as client,
    ):
        yield client


@asynccontextmanager
async def door() -> AsyncIterator[World]:
    """The API with no server behind it at all, only a log in memory."""
    log = MemoryLog()
    app = create_app(settings(seal=False), log=log)
    async with client_of(app) as client:
        yield World(app, client, log, {})


def fresh(postgres: str, prefix: str = "apitest") -> Mapping[str, Database]:
    """Databases of these tests' own on the server, created anew."""
    names = {context: f"{prefix}_{context}" for context in CONTEXTS}
    with psycopg.connect(postgres, autocommit=True) as connection:
        for name in names.values():
            statement = sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(f"orderlog_{name}"))
            connection.execute(statement)
    return {context: Database(postgres, name) for context, name in names.items()}


@asynccontextmanager
async def world_on(postgres: str, prefix: str = "apitest", **changes: Any) -> AsyncIterator[World]:
    """The whole system in this process; the API's settings with changes."""
    log, databases = MemoryLog(), fresh(postgres, prefix)
    for context, database in databases.items():
        await database.open()
        await install(database, context)
    mailbox = InProcessMailbox()
    keys = PersonKeys(KeyTable(databases["user"]))
    book = ContactBook(databases["notification"], log)
    parts = parts_of(settings(), provider_of(settings()), ByChannel({"email": mailbox}), book, keys)
    stores = {context: Store(databases[context], context, PROJECTIONS[context]) for context in CONTEXTS}
    contexts = [Context(log, parts[context], _all_partitions, stores[context], None) for context in CONTEXTS]
    running = [asyncio.create_task(context.run()) for context in contexts]
    try:
        app = create_app(settings(**changes), log=log, databases=databases)
        async with client_of(app) as client:
            yield World(app, client, log, databases, mailbox)
            await _ended(running)
    finally:
        await _ended(running)


@asynccontextmanager
async def beside(postgres: str, log: MemoryLog, **changes: Any) -> AsyncIterator[World]:
    """Another process of the API on the world's databases, with settings of its own."""
    databases = databases_of(postgres, CONTEXTS)
    app = create_app(settings(**changes), log=log, databases=databases)
    async with client_of(app) as client:
        yield World(app, client, log, databases)


def databases_of(postgres: str, contexts: Iterable[str]) -> dict[str, Database]:
    """What the world's contexts write to, as another process connects to it."""
    return {context: Database(postgres, f"apitest_{context}") for context in contexts}


async def _ended(running: list[asyncio.Task[None]]) -> None:
    for task in running:
        task.cancel()
    await asyncio.gather(*running, return_exceptions=True)


async def _all_partitions(assign: Assign) -> None:
    await assign(frozenset(range(PARTITIONS)))
    await asyncio.Event().wait()
