"""Whoever follows orders notices nothing of read models that are rebuilt and switched meanwhile."""

import asyncio
from contextlib import aclosing
from uuid import uuid4

import pytest

from api import bookmarks
from api.front import Front
from projections.journals import journals
from projections.order import ORDERS
from projections.postgres import Database
from projections.view import Model
from schemas.client import Client
from schemas.settings import CONTEXTS
from tests.api.entries import TOKENS, closed, serving
from tests.api.world import World
from tests.rebuild.workshop import Workshop, until
from workers.rebuild import Pace, Rebuild, begun, building, nothing, switch

pytestmark = [pytest.mark.infra, pytest.mark.anyio]

HISTORY = next(journal for journal in journals("order") if journal.name == "history")
BY_CUSTOMER = """
SELECT h.id FROM history AS h JOIN orders AS o ON h.stream = 'order-' || o.order_id
WHERE o.customer_id = %(customer_id)s AND h.version > 0
"""


async def rebuilt(shop: Workshop, model: Model) -> None:
    """A new version is live, and the former one is gone."""
    versions = shop.versions()
    async with building(versions, model):
        version, _ = await begun(versions, model, again=False)
        rebuild = Rebuild(shop.log, versions, version, Pace(None), nothing)
        await rebuild.open()
        await rebuild.fill()
    former = await switch(rebuild, versions)
    assert former is not None
    await versions.drop(former)


async def test_nothing_is_lost_or_comes_twice_over_a_rebuild(shop: Workshop, world: World, postgres: str) -> None:
    customer_id, sku = str(uuid4()), await world.listed(stock=100)
    databases = {context: Database(postgres, f"rebuild_{context}") for context in CONTEXTS}
    start = bookmarks.write(f"customer-{customer_id}", 0, 0, 0, 0)
    steady: list[str] = []
    restless: list[str] = []

    async def stay() -> None:
        async for happening in client.follow_customer(customer_id, start):
            steady.append(happening.data["id"])  # noqa: PERF401  it is looked at meanwhile

    async def come_and_go() -> None:
        after = start
        while True:
            async with aclosing(client.follow_customer(customer_id, after)) as stream:
                happening = await anext(stream)
                restless.append(happening.data["id"])
                after = happening.id

    async def sold(count: int) -> None:
        placed = await asyncio.gather(*(world.placed(sku, customer_id=customer_id) for _ in range(count)))
        await asyncio.gather(*(world.until(f"/orders/{row['order_id']}", ready_to_ship=True) for row in placed))

    async def written() -> list[str]:
        return [row["id"] for row in await shop.database.fetch(BY_CUSTOMER, {"customer_id": customer_id})]

    async def all_heard() -> bool:
        return min(len(steady), len(restless)) >= len(await written())

    token = TOKENS.issue(customer_id)
    async with (
        serving(Front(closed(), world.log, databases)) as url,
        Client(url, token) as client,
        asyncio.TaskGroup() as group,
    ):
        following = [group.create_task(stay()), group.create_task(come_and_go())]
        await sold(3)
        for model in (HISTORY, ORDERS):
            selling = group.create_task(sold(5))
            await rebuilt(shop, model)
            await selling
        await sold(3)
        await until(all_heard)
        for task in following:
            task.cancel()
    there = await written()
    assert len(there) > 16 * 3
    assert sorted(steady) == sorted(restless) == sorted(there)
