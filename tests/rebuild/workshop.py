"""Workshop is where versions of the orders' read model are built while the shop goes on."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

from msgspec.structs import replace

from events.log import Log
from events.order import OrderEvent
from projections.journals import journals
from projections.order import ORDERS, OrderView, project
from projections.postgres import Database
from projections.revenue import REVENUE
from projections.spending import SPENDING
from projections.versions import Version, Versions
from projections.view import Projection
from tests.api.world import World, order
from workers.proof import Proof, prove
from workers.rebuild import Pace, Rebuild, begun, building, nothing, switch

Change = Callable[[OrderView | None, OrderEvent, datetime], OrderView | None]


def changed(change: Change, version: int = ORDERS.version, **more: Any) -> Projection:
    """The orders' read model with other code."""
    return replace(ORDERS, project=change, version=version, **more)


def forgetful(view: OrderView | None, event: OrderEvent, at: datetime) -> OrderView | None:
    """A bug: whoever cancels is not heard."""
    return view if event.tag == "order.cancelled.v1" else project(view, event, at)


class Raises:
    """A bug that raises, at one order's event; mended by setting `order_id` to something else."""

    def __init__(self, order_id: str, tag: str = "order.confirmed.v1") -> None:
        self.order_id, self.tag = order_id, tag

    def __call__(self, view: OrderView | None, event: OrderEvent, at: datetime) -> OrderView | None:
        if event.order_id == self.order_id and event.tag == self.tag:
            raise ZeroDivisionError("a bug")
        return project(view, event, at)


class Workshop:
    """The running shop, and the versions of its orders' read model."""

    def __init__(self, world: World, database: Database) -> None:
        self.world, self.database = world, database

    @property
    def log(self) -> Log:
        return self.world.log

    def versions(self, *models: Projection) -> Versions:
        """Versions as code with these read models of orders sees them."""
        return Versions(self.database, [*(models or (ORDERS,)), SPENDING, REVENUE, *journals("order")])

    async def filled(self, model: Projection = ORDERS, *known: Projection, rate: float | None = None) -> Rebuild:
        """A new version, or an unfinished one, close to the live checkpoint."""
        versions = self.versions(model, *known)
        async with building(versions, model):
            version, _ = await begun(versions, model, again=False)
            rebuild = Rebuild(self.log, versions, version, Pace(rate), nothing)
            await rebuild.open()
            await rebuild.fill()
        return rebuild

    async def proved(self, rebuild: Rebuild, model: Projection = ORDERS, *known: Projection) -> Proof:
        """What speaks for it."""
        return await prove(self.log, rebuild, self.versions(model, *known))

    async def switched(self, rebuild: Rebuild, model: Projection = ORDERS, *known: Projection) -> Version | None:
        """Readers see it now; the one before is given back."""
        return await switch(rebuild, self.versions(model, *known))

    async def live(self) -> Version:
        """What readers see."""
        return next(v for v in await self.versions().all() if v.name == "orders" and v.live)

    async def row(self, order_id: str, table: str = "orders") -> dict[str, Any]:
        """An order as readers see it, or as a table has it."""
        rows = await self.database.fetch(f"SELECT * FROM {table} WHERE order_id = %(id)s", {"id": order_id})
        return rows[0] if rows else {}

    async def sold(self, count: int, cancelled: int = 0) -> list[str]:
        """Orders that have gone through the saga; the last of them cancelled."""
        sku = await self.world.listed(stock=10_000)
        placed = await asyncio.gather(*(self.world.placed(sku) for _ in range(count)))
        ids = [row["order_id"] for row in placed]
        await asyncio.gather(*(self.world.settled(order_id) for order_id in ids))
        for order_id in ids[count - cancelled :]:
            await self.world.post(f"/orders/{order_id}/cancel")
        await self.quiet()
        return ids

    async def sold_unseen(self) -> list[str]:
        """An order that has gone through the saga, while its read model may stand still."""
        sku = await self.world.listed(stock=10)
        answer = await self.world.client.post("/orders", json=order(sku))
        order_id: str = answer.json()["resource"].rpartition("/")[2]
        await until(lambda: self._paid(order_id))
        return [order_id]

    async def _paid(self, order_id: str) -> bool:
        return bool((await self.world.client.get(f"/payments/{order_id}")).json().get("captured"))

    async def quiet(self) -> None:
        """Wait until every view of the orders is up to date."""
        await until(self._nothing_behind)

    async def _nothing_behind(self) -> bool:
        items = (await self.world.client.get("/projections")).json()["items"]
        return not any(item["behind"] for item in items if item["context"] == "order" and item["live"])


@asynccontextmanager
async def workshop(world: World, postgres: str) -> AsyncIterator[Workshop]:
    """The workshop; afterwards the first version is live again, and the others are gone."""
    database = Database(postgres, "rebuild_order", size=12)
    await database.open()
    shop = Workshop(world, database)
    try:
        yield shop
        live = await shop.live()
        if not (live.joined and live.code == ORDERS.version):
            await shop.switched(await shop.filled(), ORDERS)
        for version in await shop.versions().all():
            if version.name == "orders" and not version.live:
                await shop.versions().drop(version)
    finally:
        await database.close()


async def until(true: Callable[[], Any], seconds: float = 10.0) -> None:
    """Wait for a fact, with a deadline."""
    deadline = time.monotonic() + seconds
    while not await true():
        assert time.monotonic() < deadline, "it did not come true in time"
        await asyncio.sleep(0.02)
