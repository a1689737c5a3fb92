"""What happens to orders is heard as it happens, each event once and in order, wherever a stream is cut."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import timedelta
from random import Random
from typing import Any, NamedTuple
from uuid import uuid4

import httpx2
import psycopg
import pytest

from api import bookmarks, event_stream, live
from api.tokens import Role
from projections.postgres import Database
from projections.registry import install
from schemas.client import Client, Happening
from tests.api.entries import ENTRIES, TOKENS, Person, on_a_port
from tests.api.world import World, order

pytestmark = [pytest.mark.anyio, pytest.mark.infra]


class Event(NamedTuple):
    """One event, as it was on the wire."""

    id: str
    type: str
    data: str


@pytest.fixture(scope="module", params=list(ENTRIES))
async def shop(request: pytest.FixtureRequest, postgres: str, world: World) -> AsyncIterator[str]:
    """The URL of a gateway, on both ways to the contexts of the world; one user may follow three streams."""
    async with on_a_port(request.param, postgres, world, streams_user=3) as url:
        yield url


@asynccontextmanager
async def customer(shop: str) -> AsyncIterator[Person]:
    async with httpx2.AsyncClient(base_url=shop, timeout=20) as client:
        yield Person(client, "customer")


@asynccontextmanager
async def following(person: Person, url: str, after: str = "") -> AsyncIterator[AsyncIterator[Event]]:
    """The events of one connection."""
    headers = {**person.headers, **({"Last-Event-ID": after} if after else {})}
    async with person.client.stream("GET", url, headers=headers) as answer:
        assert answer.status_code == 200, (await answer.aread()).decode()
        assert answer.headers["content-type"].startswith("text/event-stream")
        yield events(answer)


async def events(answer: httpx2.Response) -> AsyncIterator[Event]:
    fields: dict[str, str] = {}
    async for line in answer.aiter_lines():
        if not line and "event" in fields:
            yield Event(fields["id"], fields["event"], fields["data"])
        fields = {**fields, **dict([line.split(": ", 1)])} if ": " in line else {}


async def now(person: Person, url: str, after: str = "") -> list[Event]:
    """What there is to hear at once."""
    async with following(person, f"{url}?timeout=0", after) as stream:
        return [event async for event in stream]


async def recorded(world: World, order_id: str) -> list[dict[str, Any]]:
    """What the history says of an order."""
    rows: list[dict[str, Any]] = (await world.client.get(f"/orders/{order_id}/history")).json()["items"]
    return rows


async def confirmed(world: World, order_id: str) -> None:
    await world.until(f"/orders/{order_id}", ready_to_ship=True)


async def test_an_order_is_followed_from_its_placing_to_its_delivery(shop: str, world: World) -> None:
    async with customer(shop) as ada, Client(shop, ada.headers["Authorization"][7:]) as client:
        order_id = (await ada.placed(await world.listed()))["order_id"]
        heard: list[Happening] = []

        async def follow() -> None:
            heard.extend([happening async for happening in client.follow_order(order_id)])

        listening = asyncio.create_task(follow())
        await confirmed(world, order_id)
        await world.post(f"/orders/{order_id}/ship", {"tracking": "1Z"})
        await world.post(f"/orders/{order_id}/deliver")
        async with asyncio.timeout(10):
            await listening
    assert [happening.data for happening in heard] == await recorded(world, order_id)
    assert [h.type for h in heard[:1] + heard[-2:]] == ["order.placed.v1", "order.shipped.v1", "order.delivered.v1"]
    assert {happening.data["type"] for happening in heard} == {happening.type for happening in heard}
    assert "payment_token" not in heard[0].data["data"]


async def test_wherever_it_is_cut_the_rest_comes_once(shop: str, world: World) -> None:
    async with customer(shop) as ada:
        order_id = (await ada.placed(await world.listed()))["order_id"]
        await confirmed(world, order_id)
        await world.post(f"/orders/{order_id}/cancel")
        url = f"/api/orders/{order_id}/live"
        everything = await now(ada, url)
        assert [event.type for event in everything][-2:] == ["order.cancelled.v1", "end"]
        for number, event in enumerate(everything[:-1]):
            assert await now(ada, url, event.id) == everything[number + 1 :]
        for headers, query in (({"Last-Event-ID": everything[-1].id}, ""), ({}, f"?last_event_id={everything[-1].id}")):
            over = await ada.ask("GET", url + query, headers=headers)
            assert (over.status_code, over.content) == (204, b"")


async def test_who_reconnects_at_random_hears_200_orders_once_and_each_in_order(shop: str, world: World) -> None:
    sku = await world.listed(stock=1000)
    async with customer(shop) as ada:
        told, chance, done = defaultdict[str, list[str]](list), Random(7), asyncio.Event()
        joined = await joining(ada)
        listening = asyncio.create_task(wandering(ada, joined, told, chance, done))

        async def buy() -> str:
            await asyncio.sleep(chance.random() * 2)
            answer = await world.client.post("/orders", json=order(sku, customer_id=ada.id))
            return str(answer.json()["resource"].rpartition("/")[2])

        ids = await asyncio.gather(*(buy() for _ in range(200)))
        for order_id in ids:
            await confirmed(world, order_id)
        done.set()
        async with asyncio.timeout(20):
            await listening
    assert {name: told[name] for name in ids} == {
        name: [row["id"] for row in await recorded(world, name)] for name in ids
    }
    assert told.keys() == set(ids)


async def joining(person: Person) -> str:
    """The id that a customer's stream begins with."""
    url = f"/api/customers/{person.id}/live?timeout=0"
    async with person.client.stream("GET", url, headers=person.headers) as answer:
        return next(line[4:] for line in (await answer.aread()).decode().splitlines() if line.startswith("id: "))


async def wandering(
    person: Person, after: str, told: dict[str, list[str]], chance: Random, done: asyncio.Event
) -> None:
    """Follow all of one's orders, and leave after some events, or some time, again and again."""
    url = f"/api/customers/{person.id}/live"
    while True:
        last, enough = done.is_set(), chance.randint(0, 60)
        try:
            async with (
                asyncio.timeout(None if last else chance.random() / 2),
                following(person, f"{url}?timeout={0 if last else 5}", after) as stream,
            ):
                async for event in stream:
                    row = httpx2.Response(200, content=event.data).json()
                    told[row["data"]["order_id"]].append(row["id"])
                    after = event.id
                    enough -= 1
                    if not (enough or last):
                        break
        except TimeoutError:
            continue
        except AssertionError as busy:  # the server has yet to notice who has left
            if "TooManyStreams" not in str(busy):
                raise
            await asyncio.sleep(0.1)
            continue
        if last:
            return


async def test_a_restart_of_the_api_loses_nothing(postgres: str, world: World) -> None:
    async with on_a_port("in process", postgres, world) as url, customer(url) as ada:
        order_id = (await ada.placed(await world.listed()))["order_id"]
        async with following(ada, f"/api/orders/{order_id}/live") as stream:
            first = await anext(stream)
    await confirmed(world, order_id)
    async with on_a_port("in process", postgres, world) as url, httpx2.AsyncClient(base_url=url) as client:
        again = Person(client)
        again.headers = ada.headers
        rest = await now(again, f"/api/orders/{order_id}/live", first.id)
    assert [first.type, *(event.type for event in rest)] == [row["type"] for row in await recorded(world, order_id)]


async def test_what_begins_after_the_end_is_followed_too(shop: str, world: World) -> None:
    async with customer(shop) as ada:
        placed = await ada.placed(await world.listed())
        order_id, (line,) = placed["order_id"], placed["lines"]
        url = f"/api/orders/{order_id}/live"
        await confirmed(world, order_id)
        await world.post(f"/orders/{order_id}/ship", {"tracking": "1Z"})
        await world.post(f"/orders/{order_id}/deliver")
        end = (await now(ada, url))[-1]
        assert end.type == "end"
        items = [{"sku": line["sku"], "quantity": 1}]
        returned = await ada.post(f"/api/orders/{order_id}/returns", {"items": items, "reason": "too green"})
        (return_id,) = (each["return_id"] for each in returned.json()["returns"])
        async with following(ada, url, end.id) as stream:
            assert (await anext(stream)).type == "order.return_requested.v1"
            inspected = [{**items[0], "verdict": "restock"}]
            received = await world.post(f"/orders/{order_id}/returns/{return_id}/receive", {"items": inspected})
            assert received.status_code == 200, received.text
            assert [event.type async for event in stream] == ["order.return_received.v1", "end"]


async def test_what_staff_note_for_each_other_is_heard_by_staff_alone(shop: str, world: World) -> None:
    async with customer(shop) as ada:
        order_id = (await ada.placed(await world.listed()))["order_id"]
        await confirmed(world, order_id)
        for audience in ("staff", "everyone"):
            await world.post(f"/orders/{order_id}/notes", {"text": f"for {audience}", "audience": audience})
        for url in (f"/api/orders/{order_id}/live", f"/api/customers/{ada.id}/live"):
            for who, notes in ((ada, ["everyone"]), (Person(ada.client, "staff"), ["staff", "everyone"])):
                after = bookmarks.write(f"customer-{ada.id}", 0, 0, 0, 0) if "customers" in url else ""
                heard = [event.data for event in await now(who, url, after) if event.type == "order.noted.v1"]
                assert [next(name for name in ("staff", "everyone") if f"for {name}" in it) for it in heard] == notes


FOREIGN: tuple[tuple[Role | None, int], ...] = (("customer", 404), ("staff", 200), ("analyst", 403), (None, 401))


async def test_nobody_follows_what_is_anothers(shop: str, world: World) -> None:
    async with customer(shop) as ada:
        order_id = (await ada.placed(await world.listed()))["order_id"]
        for url in (f"/api/orders/{order_id}/live", f"/api/customers/{ada.id}/live"):
            asked = f"{url}?timeout=0"
            for role, status in FOREIGN:
                who = Person(ada.client, role) if role else Person(ada.client)
                assert (await who.get(asked)).status_code == status, role
            assert (await ada.get(asked)).status_code == 200


async def test_an_id_that_a_stream_has_not_given_is_refused(shop: str, world: World) -> None:
    async with customer(shop) as ada:
        sku = await world.listed()
        mine, other = [(await ada.placed(sku))["order_id"] for _ in range(2)]
        url, customers = f"/api/orders/{mine}/live", f"/api/customers/{ada.id}/live"
        good = (await now(ada, url))[0].id
        foreign = (await now(ada, f"/api/orders/{other}/live"))[0].id
        negative = bookmarks.write(f"order-{mine}", -1, 0)
        for bad in ("x", "7", good[:-2], good + "AA", good.swapcase(), foreign, negative, "é", "x" * 300):
            for asked in (url, customers):
                headers = {"Last-Event-ID": bad.encode()}
                answer = await ada.client.get(asked, headers={**ada.headers, **headers})  # type: ignore[arg-type]
                assert (answer.status_code, answer.json()["code"]) == (422, "Invalid"), bad
                assert [each["field"] for each in answer.json()["errors"]] == ["Last-Event-ID"]
        assert (await ada.get(customers, last_event_id=good)).status_code == 422
        assert (await ada.get(url, timeout=-1)).status_code == 422


async def test_a_user_has_so_many_streams_and_one_that_was_left_is_free(shop: str) -> None:
    async with customer(shop) as ada:
        url = f"/api/customers/{ada.id}/live"
        async with following(ada, url), following(ada, url):
            async with following(ada, url):
                refused = await ada.get(url)
                assert (refused.status_code, refused.json()["code"]) == (429, "TooManyStreams")
                assert refused.headers["retry-after"] == "10"
                assert (await customer_of_the_same(ada).get(f"{url}?timeout=0")).status_code == 404
            deadline = time.monotonic() + 5
            while (await ada.get(f"{url}?timeout=0")).status_code == 429:
                assert time.monotonic() < deadline, "a stream that was left still counts"
                await asyncio.sleep(0.01)


def customer_of_the_same(person: Person) -> Person:
    return Person(person.client, "customer")


async def test_a_process_has_so_many_streams(postgres: str, world: World) -> None:
    async with on_a_port("in process", postgres, world, streams=1) as url, customer(url) as ada:
        bob = customer_of_the_same(ada)
        async with following(ada, f"/api/customers/{ada.id}/live"):
            refused = await bob.get(f"/api/customers/{bob.id}/live")
            assert (refused.status_code, refused.json()["code"]) == (503, "Busy")
            assert refused.headers["retry-after"] == "10"


async def test_a_stream_ends_with_its_token_and_says_meanwhile_that_it_is_there(
    shop: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "BEAT", 0.05)
    async with customer(shop) as ada:
        token = TOKENS.issue(ada.id, lifetime=timedelta(seconds=2))
        headers = {"Authorization": f"Bearer {token}"}
        url = f"/api/customers/{ada.id}/live"
        async with asyncio.timeout(4), ada.client.stream("GET", url, headers=headers) as answer:
            blocks = (await answer.aread()).split(b"\n\n")
        assert blocks[0].startswith(b"retry: ")
        assert set(blocks[1:]) == {event_stream.ALIVE.strip(), b""}
        assert len(blocks) > 10
        assert (await ada.client.get(url, headers=headers)).status_code == 401


async def test_while_the_database_is_away_a_stream_stays_and_goes_on(postgres: str, shop: str, world: World) -> None:
    async with customer(shop) as ada:
        order_id = (await ada.placed(await world.listed()))["order_id"]
        await confirmed(world, order_id)
        written = len(await recorded(world, order_id))
        async with following(ada, f"/api/orders/{order_id}/live") as stream:
            heard = [await anext(stream) for _ in range(written)]
            with psycopg.connect(postgres, autocommit=True) as connection:
                connection.execute("ALTER DATABASE orderlog_apitest_order ALLOW_CONNECTIONS false")
                try:
                    connection.execute(
                        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                        " WHERE datname = 'orderlog_apitest_order'"
                    )
                    away = await ada.get(f"/api/customers/{ada.id}/live")
                    assert (away.status_code, away.json()["code"]) == (503, "ReadModelUnavailable")
                    await world.client.post(f"/orders/{order_id}/cancel")
                finally:
                    connection.execute("ALTER DATABASE orderlog_apitest_order ALLOW_CONNECTIONS true")
            async with asyncio.timeout(20):
                heard += [event async for event in stream]
    assert [event.type for event in heard] == [*(row["type"] for row in await recorded(world, order_id)), "end"]


@pytest.fixture
def alone(postgres: str) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """`python -m api` for the order context, with a read model and no log, at a URL."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    said = {"KAFKA": "127.0.0.1:1", "POSTGRES": postgres, "API_PORT": str(port), "INSIDE": "open", "CONTEXTS": "order"}
    environment = {**os.environ, **{f"ORDERLOG_{name}": value for name, value in said.items()}}
    process = subprocess.Popen([sys.executable, "-m", "api"], env=environment, stderr=subprocess.PIPE)
    try:
        yield f"http://127.0.0.1:{port}", process
    finally:
        process.kill()
        process.communicate()


async def test_a_server_that_is_stopped_does_not_wait_for_streams(
    postgres: str, alone: tuple[str, subprocess.Popen[bytes]]
) -> None:
    url, process = alone
    database = Database(postgres, "order")
    await install(database, "order")
    await database.close()
    async with httpx2.AsyncClient(base_url=url, timeout=20) as client:
        await _up(client)
        async with following(Person(client), f"/customers/{uuid4()}/live") as stream:
            process.send_signal(signal.SIGTERM)
            began = time.monotonic()
            assert [event async for event in stream] == []
        _, errors = await asyncio.to_thread(process.communicate, timeout=10)
        assert time.monotonic() - began < 1.5
        assert errors == b""


async def _up(client: httpx2.AsyncClient) -> None:
    deadline = time.monotonic() + 20
    while True:
        try:
            if (await client.get("/health")).status_code == 200:
                return
        except httpx2.TransportError:
            assert time.monotonic() < deadline
        await asyncio.sleep(0.05)
