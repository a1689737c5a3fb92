"""The whole system, started as a user starts it: real baskets to the cent, poison, outages, one process a context."""

import asyncio
import time
from datetime import date
from pathlib import Path
from typing import Any

import httpx2
import pytest

from events import topics
from events.kafka import KafkaLog
from events.log import Draft, Place
from schemas.order import PlaceOrder
from schemas.settings import CONTEXTS
from tests.baskets.oracle import expected
from tests.bench import workload
from tests.system.house import House, check, house, wait_until
from workers.baskets import Baskets, Window
from workers.steps import Moments

pytestmark = [pytest.mark.infra, pytest.mark.anyio]


async def listed(here: House, products: list[Any]) -> None:
    await here.shop.offer(products, lambda _: None)
    await Moments().until_listed(here.shop, len(products), 90)


async def test_a_window_of_baskets_is_in_the_read_model_as_sql_counts_it_to_the_cent(tmp_path: Path) -> None:
    baskets, window = Baskets.from_wheel(), Window.of(date(2017, 10, 10), orders=120)
    loaded, told = baskets.load(window), expected(baskets.folder, window)
    async with house(tmp_path) as here:
        await listed(here, loaded.products)
        await Moments().place(here.shop, loaded.orders, 40, lambda *_: None)
        assert await here.settled(120)

        rows = (await here.shop.get("/summary"))["orders"]

        assert [row["status"] for row in rows] == ["confirmed"]
        assert (rows[0]["orders"], rows[0]["lines"], rows[0]["total"]) == (told.orders, told.lines, told.cents)
        await check(here)


async def test_poison_is_parked_with_its_place_and_reason_and_the_streams_go_on(tmp_path: Path) -> None:
    async with house(tmp_path) as here:
        await listed(here, list(workload.products()))
        log = KafkaLog(here.run.address.kafka)
        for context in CONTEXTS:
            for topic in (topics.commands(context), topics.events(context)):
                for partition in range(topics.PARTITIONS):
                    await log.append(Place(topic, partition), [Draft("?", b"\xff\x00 no message", [("ce_id", b"1")])])
        await log.close()
        [(order, _)] = workload.orders(1, "after the poison")

        await here.shop.place(order)

        async def all_parked() -> bool:
            return len((await here.shop.get("/dead-letters", limit=200))["items"]) >= 40

        await wait_until(all_parked, 30, "every poisoned record is a dead letter")
        assert await here.settled()
        assert (await here.shop.get(f"/orders/{order.order_id}"))["status"] == "confirmed"
        letters = (await here.shop.get("/dead-letters", limit=200))["items"]
        assert {(row["topic"], row["partition"]) for row in letters} == {
            (topic, partition)
            for context in CONTEXTS
            for topic in (topics.commands(context), topics.events(context))
            for partition in range(topics.PARTITIONS)
        }
        assert all("missing" in row["reason"] for row in letters)


@pytest.mark.long
@pytest.mark.parametrize("server", ["kafka", "postgres"])
async def test_a_server_that_goes_away_and_comes_back_costs_nothing_but_time(tmp_path: Path, server: str) -> None:
    async with house(tmp_path) as here:
        await listed(here, list(workload.products()))
        before, during, after = ([order for order, _ in workload.orders(20, f"{server} {when}")] for when in range(3))
        for order in before:
            await here.shop.place(order)

        here.run.servers.kill(server)
        placed_anyway = not all(await asyncio.gather(*(_refused(here, order) for order in during)))
        here.run.servers.restart(server)
        await here.shop.until_ready(60)

        for order in [*during, *after]:  # what was refused is sent again under the same key, as its answer said
            await here.shop.place(order)
        assert await here.settled(90)
        await check(here)
        orders = [row["order_id"] async for row in here.shop.pages("/orders")]
        assert sorted(orders) == sorted(order.order_id for order in [*before, *during, *after])
        assert server == "postgres" or not placed_anyway


async def _refused(here: House, order: PlaceOrder) -> bool:
    """Whether the API refuses for now: with a 503 that says when to come again, within 2 s or so."""
    began = time.monotonic()
    async with httpx2.AsyncClient(base_url=here.shop.url, timeout=10) as client:
        headers = {"Idempotency-Key": order.order_id, "Content-Type": "application/json"}
        answer = await client.post("/orders", content=order.model_dump_json(), headers=headers)
    assert time.monotonic() - began < 3
    if answer.status_code == 503:
        assert int(answer.headers["Retry-After"]) >= 1
        assert answer.headers["Content-Type"] == "application/problem+json"
        return True
    assert answer.status_code == 202
    return False


async def test_every_context_can_be_a_process_of_its_own(tmp_path: Path) -> None:
    alone = tuple((context,) for context in CONTEXTS)
    async with house(tmp_path, workers=alone) as here:
        await listed(here, list(workload.products()))
        orders = list(workload.orders(40, "split"))
        await asyncio.gather(*(here.shop.place(order) for order, _ in orders))

        assert await here.settled(90)

        ends = {"confirmed": "order.confirmed.v1", "rejected": "order.rejected.v1"}
        await check(here, {order.stream: ends[end] for order, end in orders})
