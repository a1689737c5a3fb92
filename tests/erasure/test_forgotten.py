"""Who is erased is found nowhere: not in a record, a table, a snapshot, a dead letter, an export, a log file.

Two people do the same, through two doors: Ada through one that seals, Eve through one that does not. What is searched
for Ada finds all of Eve. Mails that were sent are sent; the mailbox is not searched.
"""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from rich.console import Console

from events import topics
from events.envelope import CLIENT, Envelope
from events.kafka import KafkaLog
from events.log import Draft, Place, Record, scan
from projections.postgres import Database
from projections.registry import CHECKPOINTS, PROJECTIONS, install, models
from projections.store import Store
from schemas.client import Client
from schemas.client.calls import OrderLine
from schemas.settings import CONTEXTS
from tests.api.world import fresh
from tests.erasure.told import (
    Told,
    found_in,
    in_export,
    in_files,
    in_tables,
    in_topics,
    told,
    without,
    words_in,
)
from tests.system.house import shop_of, wait_until
from workers.analyst.export import export
from workers.analyst.folder import Asked
from workers.baskets import YEAR
from workers.local.home import Home
from workers.mailbox import list_mail
from workers.projector import Projector
from workers.run import Plan, Run
from workers.shop import Shop
from workers.together import end

pytestmark = [pytest.mark.infra, pytest.mark.anyio]

PASSWORD = "correct horse"
WORKERS = (("user", "product", "payment"), ("notification", "order"))
"""Who sends mails has to ask for keys over HTTP."""
MAILS = {"welcome", "verify_email", "order_confirmed", "order_shipped", "order_delivered", "order_return_requested",
         "order_return_received", "payment_refunded", "order_line_cancelled", "order_cancelled"}  # fmt: skip
EVERYTHING = set(Told._fields)
OWN = ("email", "shipping_address", "notes", "staff_notes", "returns", "tracking", "shipments", "reason")
"""What a person tells in an order."""


class Twice(Run):
    """Everything, with a second API that does not seal."""

    def env_of(self, name: str) -> dict[str, str]:
        """As Run.env_of."""
        if name != "api-unsealed":
            return super().env_of(name)
        port = Home(self.plan.home).port(name)
        return {**super().env_of(name), "ORDERLOG_SEAL": "false", "ORDERLOG_API_PORT": str(port)}


@asynccontextmanager
async def doors(home: Path) -> AsyncIterator[tuple[Run, Shop, Shop]]:
    """The run, the door that seals, and the one that does not."""
    with Twice(Plan(home, YEAR, workers=WORKERS), Console(quiet=True)) as run:
        run.spawn("api-unsealed", "api")
        sealing = shop_of(run)
        open_door = shop_of(run, f"http://127.0.0.1:{Home(home).recall('ports')['api-unsealed']}")
        try:
            for shop in (sealing, open_door):
                await shop.until_ready(90)
            yield run, sealing, open_door
        finally:
            await sealing.close()
            await open_door.close()


async def lived(shop: Shop, said: Told, sku: str) -> tuple[str, str]:
    """Somebody registers, tells of themselves, orders, has it sent elsewhere, and sends it back; their and its id.

    Another order is called off, first a part of it.
    """
    await shop.register({"email": said.email, "name": said.name, "password": PASSWORD}, wait=10)
    place: Any = said.place(said.street)
    async with Client(shop.url) as customer:
        await customer.log_in(said.email, PASSWORD)
        user_id = (await customer.me())["user_id"]
        await customer.change_profile({"name": said.second_name, "phone": said.phone}, wait=10)
        await customer.add_address({"label": said.label, "address": place}, wait=10)
    order_id, lines = str(uuid4()), [OrderLine(sku=sku, quantity=2, unit_price=450)]
    asked: Any = {"customer_id": user_id, "email": said.email, "shipping_address": place, "lines": lines}
    first: Any = {"order_id": order_id, **asked}
    await shop.place_order(first, wait=20)
    new_place: Any = said.place(said.new_street)
    await shop.change_address(order_id, {"shipping_address": new_place}, wait=20)
    await shop.add_note(order_id, {"text": said.note, "audience": "everyone"}, wait=20)

    async def ready() -> bool:
        return bool((await shop.get_order(order_id))["ready_to_ship"])

    await wait_until(ready, 20, "the order can be shipped")
    await shop.ship_order(order_id, {"tracking": said.tracking}, wait=20)
    await shop.deliver_order(order_id, wait=20)
    items: Any = [{"sku": sku, "quantity": 1}]
    row: Any = await shop.request_return(order_id, {"items": items, "reason": said.reason}, wait=20)
    back: Any = {"items": [{**items[0], "verdict": "restock"}], "note": said.comment}
    await shop.receive_return(order_id, row["returns"][0]["return_id"], back, wait=20)
    await shop.refund_payment(order_id, {"amount": 50, "reason": said.goodwill}, wait=20)
    second: Any = await shop.place_order(asked, wait=20)
    off = second["order_id"]
    await shop.cancel_line(off, sku, {"quantity": 1, "reason": said.too_many}, wait=20)
    await shop.cancel_order(off, {"reason": said.changed_mind}, wait=20)
    return user_id, order_id


async def poisoned(kafka: str, order_id: str) -> None:
    """The command that changed an order's address comes again, for another order, from one who forgets the city."""
    log, name = KafkaLog(kafka), str(uuid4())
    try:
        [sent] = [r async for r in _commands(log) if r.headers["ce_type"] == b"order.change_address"
                  and r.key == f"order-{order_id}".encode()]  # fmt: skip
        body = json.loads(sent.value)
        body["order_id"], body["shipping_address"] = name, without(body["shipping_address"], "city")
        envelope = Envelope(name, "order.change_address", "till", "2026-11-28T12:00:00+00:00", f"order-{name}", name,
                            name, CLIENT)  # fmt: skip
        place = Place(topics.commands("order"), topics.partition_of(f"order-{name}"))
        await log.append(place, [Draft(f"order-{name}", json.dumps(body).encode(), envelope.headers())])
    finally:
        await log.close()


async def _commands(log: KafkaLog) -> AsyncIterator[Record]:
    for partition in range(topics.PARTITIONS):
        place = Place(topics.commands("order"), partition)
        first, last = await log.bounds(place)
        async for records in scan(log, place, first, last):
            for record in records:
                yield record


@asynccontextmanager
async def rebuilt(run: Run) -> AsyncIterator[dict[str, Database]]:
    """Every read model of every context, made anew from the log in databases of its own."""
    log, databases = KafkaLog(run.address.kafka), dict(fresh(run.address.postgres, "again"))
    everything = frozenset(range(topics.PARTITIONS))
    tasks = []
    try:
        for context, database in databases.items():
            await install(database, context)
            store = Store(database, context, PROJECTIONS[context])
            tasks.append(asyncio.create_task(Projector(log, context, store, 0.0).run(everything)))
        for context, database in databases.items():
            heads = [(await log.bounds(Place(topics.events(context), p)))[1] for p in sorted(everything)]

            async def caught_up(database: Database = database, heads: list[int] = heads) -> bool:
                rows = await database.fetch(CHECKPOINTS)
                return len(rows) == len(heads) and all(
                    row["next"] >= head for row, head in zip(rows, heads, strict=True)
                )

            await wait_until(caught_up, 30, f"{context} is rebuilt")
        yield databases
    finally:
        await end(tasks)
        for database in databases.values():
            await database.close()
        await log.close()


async def test_a_person_is_forgotten_everywhere_and_orders_and_money_stay(tmp_path: Path) -> None:
    async with doors(tmp_path) as (run, shop, unsealed):
        kafka, sku = run.address.kafka, f"tea-{uuid4().hex[:8]}"
        await shop.list_product({"sku": sku, "name": "Tea", "price": 450, "stock": 9}, wait=20)
        ada, eve = told(), told()
        (ada_id, hers), (_, other) = await asyncio.gather(lived(shop, ada, sku), lived(unsealed, eve, sku))
        for order_id in (hers, other):
            await poisoned(kafka, order_id)
        live = {context: Database(run.address.postgres, context) for context in CONTEXTS}
        for database in live.values():
            await database.open()

        async def settled() -> bool:
            letters = (await shop.get("/dead-letters"))["items"]
            snapshots = await live["order"].fetch("SELECT count(*)::int AS n FROM snapshots")
            mails = await live["notification"].fetch("SELECT recipient, template, status FROM notifications")
            sent = {(row["recipient"], row["template"]) for row in mails if row["status"] == "delivered"}
            owed = [await shop.get(f"/payments/{order_id}") for order_id in (hers, other)]
            refunded = all(row["refunded"] == 500 for row in owed)
            told_all = {template for _, template in sent} >= MAILS and len(sent) >= 2 * len(MAILS)
            waiting = any(row["status"] == "requested" for row in mails)
            return len(letters) == 2 and snapshots[0]["n"] >= 4 and told_all and not waiting and refunded

        await wait_until(settled, 60, "all is settled, and snapshots are written")
        before = [await shop.get(url) for url in _telling(hers)]
        assert before[0]["email"] == (await unsealed.get(f"/orders/{hers}"))["email"] == ada.email
        assert {mail.recipient for mail in list_mail(tmp_path / "mailbox")} == {ada.email, eve.email}

        await shop.erase(ada_id)
        await wait_until(lambda: _is_gone(live["user"], ada_id), 20, "the key is destroyed")
        seen = await shop.get(f"/orders/{hers}")

        async def heard() -> bool:
            """The other process had the key in memory, and would go by it for half a minute."""
            return bool((await unsealed.get(f"/orders/{hers}"))["email"] == "erased")

        await wait_until(heard, 5, "the other process has dropped the key")

        async with rebuilt(run) as anew:
            folder = tmp_path / "export"
            log = KafkaLog(kafka)
            await export(log, folder, Asked("a log"))
            await log.close()
            everywhere = {
                "topics": await in_topics(kafka),
                "tables": await in_tables(live.values()),
                "tables made anew": await in_tables(anew.values()),
                "export": in_export(folder),
            }
            for model in models("order"):
                assert await _rows(anew["order"], model.name) == await _rows(live["order"], model.name)
        assert {where for where, texts in everywhere.items() if found_in(texts, ada)} == set()
        [row] = await live["user"].fetch("SHOW data_directory")
        files = in_files((tmp_path, Path(row["data_directory"])), tmp_path / "mailbox")
        of_ada, of_eve = await asyncio.to_thread(words_in, files, ada, eve)
        assert of_ada == {}

        # The same search, where nothing is sealed.
        assert {where: found_in(texts, eve) for where, texts in everywhere.items()} == dict.fromkeys(
            everywhere, EVERYTHING
        )
        assert of_eve.keys() == EVERYTHING
        snapshots = [row["said"] for row in await live["order"].fetch("SELECT t::text AS said FROM snapshots AS t")]
        letters = [row["said"] for row in await live["order"].fetch("SELECT t::text AS said FROM dead_letters AS t")]
        for texts in (snapshots, letters):
            assert {"name", "new_street"} <= found_in(texts, eve)
        assert any(f"sealed.v1.{ada_id}.email." in text for text in snapshots)
        assert (tmp_path / "logs" / "api.log").exists()

        # Orders and money are as they were.
        after = [await shop.get(url) for url in _telling(hers)]
        assert [without(row, *OWN) for row in after] == [without(row, *OWN) for row in before]
        assert (seen["email"], seen["shipping_address"]["street"]) == ("erased", "erased")
        for database in live.values():
            await database.close()


def _telling(order_id: str) -> tuple[str, ...]:
    """What is asked of an order and of the money."""
    return f"/orders/{order_id}", f"/payments/{order_id}", "/summary", "/revenue"


async def _is_gone(database: Database, user_id: str) -> bool:
    found = await database.fetch("SELECT key FROM person_keys WHERE person = %(id)s", {"id": user_id})
    return found == [{"key": None}]


async def _rows(database: Database, name: str) -> list[str]:
    return sorted(row["said"] for row in await database.fetch(f"SELECT t::text AS said FROM {name} AS t"))
