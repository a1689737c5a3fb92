"""Outages of the real servers: 503 within two seconds, and recovery without a restart."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from uuid import uuid4

import httpx2
import pytest

from api.app import create_app
from events.kafka import create_topics
from events.topics import TOPICS
from projections.postgres import Database
from projections.registry import install
from schemas.settings import Settings
from tests.api.alone import alive, alone
from tests.api.world import World, client_of
from workers.local import Servers

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    """Servers of our own, for nobody else should be cut off."""
    with Servers.start(tmp_path_factory.mktemp("outage"), print) as running:
        yield running


@pytest.fixture
def lonely() -> Iterator[str]:
    """The URL of `python -m api`, with no server behind it."""
    with alone(inside="open") as url:
        yield url


async def test_with_no_server_at_all_it_lives_and_says_503_in_time(lonely: str) -> None:
    async with httpx2.AsyncClient(base_url=lonely, timeout=5) as client:
        assert (await alive(client)).json()["status"] == "ok"
        asking = [
            client.get("/orders"),
            client.get(f"/orders/{uuid4()}"),
            client.get("/summary"),
            client.get("/ready"),
            client.get(f"/commands/{uuid4()}"),
            client.post(f"/orders/{uuid4()}/cancel"),
        ]
        began = time.monotonic()
        for answer in await asyncio.gather(*asking):
            assert answer.status_code == 503, answer.text
            assert answer.headers["retry-after"] == "1"
        assert time.monotonic() - began < 2


async def test_a_read_model_that_is_away_is_a_503_in_time(door: World) -> None:
    began = time.monotonic()
    answer = await door.client.get("/products")
    assert (answer.status_code, answer.json()["code"]) == (503, "ReadModelUnavailable")
    assert time.monotonic() - began < 2


@pytest.fixture
async def client(servers: Servers) -> AsyncIterator[httpx2.AsyncClient]:
    """A client of the API on both real servers; nobody works behind it."""
    await create_topics(servers.kafka.url, TOPICS)
    settings = Settings(kafka=servers.kafka.url, postgres=servers.postgres.url, contexts="order,product", inside="open")
    databases = {context: Database(settings.postgres, f"apioutage_{context}") for context in settings.chosen()}
    for context, database in databases.items():
        await install(database, context)
    async with client_of(create_app(settings, databases=databases)) as client:
        await until(client, "GET", "/ready", 200)
        yield client


async def until(client: httpx2.AsyncClient, method: str, url: str, status: int) -> httpx2.Response:
    """The answer, once it has this status; every other one was in time too."""
    deadline = time.monotonic() + 30
    while True:
        began = time.monotonic()
        answer = await client.request(method, url)
        assert time.monotonic() - began < 2.5, answer.text
        if answer.status_code == status:
            return answer
        assert answer.status_code in (202, 200, 503), answer.text
        assert time.monotonic() < deadline, answer.text
        await asyncio.sleep(0.1)


@pytest.mark.infra
async def test_when_kafka_goes_and_comes_back_so_do_commands(client: httpx2.AsyncClient, servers: Servers) -> None:
    url = f"/orders/{uuid4()}/cancel"
    await until(client, "POST", url, 202)
    await asyncio.to_thread(servers.kill, "kafka")
    try:
        answer = await until(client, "POST", url, 503)
        assert answer.headers["retry-after"] == "1"
        assert (await until(client, "GET", "/ready", 503)).json()["reasons"] == ["log: no answer"]
        assert (await client.get("/orders")).status_code == 200
    finally:
        await asyncio.to_thread(servers.restart, "kafka")
    await until(client, "POST", url, 202)
    await until(client, "GET", "/ready", 200)


@pytest.mark.infra
async def test_when_postgres_goes_and_comes_back_so_do_answers(client: httpx2.AsyncClient, servers: Servers) -> None:
    await asyncio.to_thread(servers.kill, "postgres")
    try:
        answer = await until(client, "GET", "/orders", 503)
        assert answer.headers["retry-after"] == "1"
        assert "order: the database gives no answer" in (await until(client, "GET", "/ready", 503)).json()["reasons"]
        assert (await client.post(f"/orders/{uuid4()}/cancel")).status_code == 202
    finally:
        await asyncio.to_thread(servers.restart, "postgres")
    await until(client, "GET", "/orders", 200)
    await until(client, "GET", "/ready", 200)
