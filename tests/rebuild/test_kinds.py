"""Every kind of read model says the same however it came about: kept live, rebuilt, or read again from the start."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from msgspec.structs import replace

from projections.postgres import Database, Lacking
from projections.product import PRODUCTS
from projections.registry import models
from projections.revenue import REVENUE
from projections.search import SEARCH
from projections.spending import SPENDING
from projections.versions import DDL, Version, Versions
from projections.view import Model
from tests.api.world import World, order
from tests.rebuild.workshop import Workshop, until
from workers.proof import Proof, prove
from workers.rebuild import Pace, Rebuild, begun, nothing, switch

pytestmark = [pytest.mark.infra, pytest.mark.anyio]

KINDS = [model for context in ("order", "product", "payment", "notification") for model in models(context)]
QUIET = ["order.dead_letters", "product.dead_letters", "payment.outcomes", "payment.dead_letters",
         "notification.contacts", "notification.outcomes", "notification.dead_letters"]  # fmt: skip
"""In which there is nothing on a good day."""
NAMES = [f"{model.context}.{model.name}" for model in KINDS]


@pytest.fixture
async def databases(world: World, postgres: str) -> AsyncIterator[dict[str, Database]]:
    """Databases with connections enough for a rebuild."""
    found = {context: Database(postgres, database.context, size=12) for context, database in world.databases.items()}
    for database in found.values():
        await database.open()
    yield found
    for database in found.values():
        await database.close()


async def busy_day(world: World, shop: Workshop) -> list[str]:
    """Orders of two products and three customers that were cancelled, rejected, shipped and delivered; who are they."""
    plenty, scarce = await world.listed(stock=1000, name="green tea"), await world.listed(stock=0)
    customers = [f"c-{world.commands()}-{number}" for number in range(3)]
    lines = [
        {"sku": plenty, "quantity": 2, "unit_price": 333},
        {"sku": await world.listed(stock=1000), "quantity": 1, "unit_price": 1},
        {"sku": plenty, "quantity": 1, "unit_price": 250},
    ]
    placed = [await world.placed(plenty, customer_id=customers[n % 3], lines=lines) for n in range(12)]
    rejected = await world.placed(scarce, customer_id=customers[0])
    ids = [row["order_id"] for row in placed]
    await asyncio.gather(*(world.settled(order_id) for order_id in (*ids, rejected["order_id"])))
    for order_id in ids[:4]:
        await world.until(f"/orders/{order_id}", ready_to_ship=True)
        await world.post(f"/orders/{order_id}/ship", {"tracking": "T"})
    await world.post(f"/orders/{ids[0]}/deliver")
    for order_id in ids[9:]:
        await world.post(f"/orders/{order_id}/cancel")
    await world.post(f"/products/{plenty}/describe", {"name": "Black tea", "department": "drinks"})
    await shop.quiet()
    await until(lambda: nothing_behind(world))
    return customers


async def nothing_behind(world: World) -> bool:
    items = (await world.client.get("/projections")).json()["items"]
    return not any(item["behind"] for item in items if item["live"])


async def rebuilt(world: World, database: Database, model: Model) -> tuple[Rebuild, Versions]:
    versions = Versions(database, models(model.context))
    version, _ = await begun(versions, model, again=True)
    rebuild = Rebuild(world.log, versions, version, Pace(None), nothing)
    await rebuild.open()
    await rebuild.fill()
    return rebuild, versions


async def verified(world: World, database: Database, model: Model) -> Proof:
    """What a comparison with the log finds; as `orders projections verify` does it."""
    rebuild, versions = await rebuilt(world, database, model)
    proof = await prove(world.log, rebuild, versions)
    await versions.drop(rebuild.version)
    return proof


async def totals(databases: dict[str, Database]) -> list[dict[str, Any]]:
    found = []
    for model in KINDS:
        if model.totals:
            names = ", ".join((*model.totals.keys, *(f"sum({name}) AS {name}" for name in model.totals.sums)))
            keys = ", ".join(model.totals.keys)
            some = " OR ".join(f"sum({name}) <> 0" for name in model.totals.sums)
            found += await databases[model.context].fetch(
                f"SELECT {names} FROM {model.name}_totals GROUP BY {keys} HAVING {some} ORDER BY {keys}"
            )
    return found


async def test_every_kind_is_the_same_kept_rebuilt_and_read_again_from_the_start(
    world: World, shop: Workshop, databases: dict[str, Database]
) -> None:
    await busy_day(world, shop)
    proofs = {
        name: await verified(world, databases[kind.context], kind) for name, kind in zip(NAMES, KINDS, strict=True)
    }
    assert [name for name, proof in proofs.items() if not proof.same] == []
    assert [name for name, proof in proofs.items() if not proof.new_rows] == QUIET

    before = await totals(databases)
    assert before
    for database in databases.values():
        async with database.transaction() as connection:
            await connection.execute("DELETE FROM checkpoints")
    await until(lambda: nothing_behind(world))
    assert await totals(databases) == before
    again = {
        name: await verified(world, databases[kind.context], kind) for name, kind in zip(NAMES, KINDS, strict=True)
    }
    assert {name: proof.live_digest for name, proof in again.items()} == {
        name: proof.live_digest for name, proof in proofs.items()
    }
    assert [name for name, proof in again.items() if not proof.same] == []


async def test_sums_are_those_of_the_orders_to_the_cent(
    world: World, shop: Workshop, databases: dict[str, Database]
) -> None:
    customers = await busy_day(world, shop)
    count = "confirmed_at IS NOT NULL AND status <> 'cancelled'"
    [owed] = await databases["order"].fetch(
        f"SELECT sum(total) AS total, (SELECT count(*) FROM orders WHERE {count}) AS orders FROM orders WHERE {count}"
    )
    for by in ("day", "department", "day,department"):
        items = (await world.client.get("/revenue", params={"by": by})).json()["items"]
        assert sum(row["revenue"] for row in items) == owed["total"]
        assert {"currency", "quantity", "revenue", *by.split(",")} == items[0].keys()
    departments = {row["department"] for row in items}
    assert {"", "drinks"} <= departments

    top = (await world.client.get("/spending", params={"limit": "200"})).json()["items"]
    assert sum(row["spent"] for row in top) == owed["total"]
    assert sum(row["orders"] for row in top) == owed["orders"]
    assert [row["spent"] for row in top] == sorted((row["spent"] for row in top), reverse=True)
    for customer in customers:
        [row] = (await world.client.get(f"/customers/{customer}/spending")).json()["items"]
        assert row == {"customer_id": customer, "currency": "EUR", "orders": 3, "spent": 3 * 917}


async def test_totals_that_somebody_has_changed_are_found_and_mended_by_a_rebuild(
    world: World, shop: Workshop, databases: dict[str, Database]
) -> None:
    await busy_day(world, shop)
    live = await live_of(databases["order"], SPENDING)
    async with databases["order"].transaction() as connection:
        await connection.execute(f"UPDATE {live.table}_totals SET spent = spent + 1")
    rebuild, versions = await rebuilt(world, databases["order"], SPENDING)
    proof = await prove(world.log, rebuild, versions)
    assert (proof.sound, proof.same, proof.live_sums > 0, proof.sums) == (True, False, True, 0)
    await switch(rebuild, versions)
    await versions.drop(live)
    assert (await verified(world, databases["order"], SPENDING)).same


async def test_totals_go_with_the_version_that_has_them(
    world: World, shop: Workshop, databases: dict[str, Database]
) -> None:
    await busy_day(world, shop)
    bare = replace(REVENUE, version=REVENUE.version + 1, totals=None)
    versions = Versions(databases["order"], [*models("order"), bare])
    former = await live_of(databases["order"], REVENUE)
    version, _ = await begun(versions, bare, again=True)
    rebuild = Rebuild(world.log, versions, version, Pace(None), nothing)
    await rebuild.open()
    await rebuild.fill()
    await switch(rebuild, versions)
    assert not await databases["order"].fetch("SELECT FROM pg_views WHERE viewname = 'revenue_totals'")

    back = Rebuild(world.log, versions, former, Pace(None), nothing)
    await back.open()
    await switch(back, versions)
    await versions.drop(version)
    assert (await verified(world, databases["order"], REVENUE)).same


async def test_sums_may_grow_beyond_what_a_row_can_hold(databases: dict[str, Database], world: World) -> None:
    database = databases["order"]
    versions = Versions(database, [replace(SPENDING, name="riches")])
    async with versions.making() as connection:
        made = await versions.make(connection, replace(SPENDING, name="riches"))
        for number in range(3):
            await connection.execute(
                f"INSERT INTO {made.table} VALUES (%s, 'c', 'EUR', %s, true, 1, 0, 0)", [str(number), 9 * 10**18]
            )
    [row] = await database.fetch(f"SELECT spent FROM {made.table}_totals")
    assert row["spent"] == 27 * 10**18
    await versions.drop(made)


async def test_a_server_that_lacks_an_extension_has_the_other_read_models(
    postgres: str, caplog: pytest.LogCaptureFixture
) -> None:
    database = Database(postgres, "rebuild_lacking")
    await database.create(DDL)
    lacking = replace(SEARCH, extensions=("no_such_extension",))
    versions = Versions(database, [PRODUCTS, lacking])
    await versions.install()
    assert [version.name for version in await versions.all()] == ["products"]
    assert "there is no read model search for now: this Postgres has no extension no_such_extension" in caplog.text
    assert "install its contrib package" in caplog.text
    with pytest.raises(Lacking):
        async with versions.making() as connection:
            await versions.make(connection, lacking)
    await database.close()


async def live_of(database: Database, model: Model) -> Version:
    return next(v for v in await Versions(database, [model]).all() if v.name == model.name and v.live)


async def test_an_order_holds_stock_until_it_is_shipped_or_called_off(world: World) -> None:
    sku = await world.listed(stock=10)
    url = f"/products/{sku}/stock"
    held, gone = [(await world.placed(sku, lines=order(sku, sku)["lines"]))["order_id"] for _ in range(2)]
    await world.settled(held)
    await world.settled(gone)
    await world.until(f"/orders/{held}", ready_to_ship=True)
    await world.until(url, on_hand=10, held=4, available=6, holding=2)
    await world.post(f"/orders/{gone}/cancel")
    stock = await world.until(url, on_hand=10, held=2, available=8, holding=1)
    mine = {"order_id": held, "quantity": 2, "status": "committed", "expires_at": None}
    assert stock["reservations"] == [mine]
    await world.post(f"/orders/{held}/ship", {})
    assert (await world.until(url, on_hand=8, held=0, holding=0))["reservations"] == []
