"""One record that no context should stumble over for good: written to a shop that has run before, and orders go on."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from random import Random
from typing import Any
from uuid import uuid4

import pytest
from psycopg import sql

from events.envelope import LONGEST
from events.fence import CLAIM
from events.log import Draft, Place
from events.memory import MemoryLog, MemoryReader
from events.topics import PARTITIONS
from projections.postgres import Database
from projections.registry import models
from schemas.notification import RequestNotification
from schemas.parking import ParkRecord
from schemas.payment import CapturePayment, RequestPayment
from schemas.settings import CONTEXTS
from tests.scenarios import house as houses
from tests.scenarios.house import House
from tests.scenarios.shop import client_draft, order, place_of, sku_on
from workers import agents

pytestmark = pytest.mark.anyio

Written = tuple[Place, Draft]
A = "0a000000-0000-4000-8000-00000000000a"
PARKED: dict[str, Any] = {"topic": "x", "partition": 0, "offset": 0, "reason": "", "key": "", "value": ""}


def with_header(draft: Draft, name: str, value: bytes) -> Draft:
    return draft._replace(headers=[*((n, v) for n, v in draft.headers if n != name), (name, value)])


def as_long_as_can_be(draft: Draft) -> Draft:
    """Headers that can just be read: what follows from them has more."""
    spent = sum(len(value) for name, value in draft.headers if name != "correlation")
    return with_header(draft, "correlation", b"c" * (LONGEST - spent))


def on(topic: str, draft: Draft) -> Written:
    return Place(topic, 0), draft


def command(topic: str, asked: Any) -> Written:
    return on(topic, client_draft(asked, str(uuid4())))


def claim(epoch: int, writer: str) -> Draft:
    headers = [("ce_type", CLAIM.encode()), ("epoch", b"%d" % epoch), ("writer", writer.encode())]
    return Draft("claim", b"{}", headers)


KEPT = ("checkpoints", "snapshots", "resume_points", "statistics")


def noise(length: int) -> str:
    return Random(4).randbytes(length // 2).hex()


HARMLESS: dict[str, Callable[[], Written]] = {
    "nothing": lambda: on("order.commands", Draft("?", b"", [])),
}
"""Taken as it should be: parked, rejected or ignored."""
STUMBLING: dict[str, Callable[[], Written]] = {
    "a command with the longest headers": lambda: on(
        "order.commands", as_long_as_can_be(client_draft(order(("tea", 1)), str(uuid4())))
    ),
    "no command, with the longest headers": lambda: on(
        "order.commands", as_long_as_can_be(client_draft(order(("tea", 1)), str(uuid4())))._replace(value=b"{")
    ),
    "another context's command": lambda: command("order.commands", CapturePayment(order_id=A)),
    "parking about nobody's stream": lambda: command("order.commands", ParkRecord(about="weather-x", **PARKED)),
    "parking at an offset that no log has": lambda: command(
        "order.commands", ParkRecord.model_construct(about="order-unknown", **{**PARKED, "offset": 2**63})
    ),
    "parking in a partition that no topic has": lambda: command(
        "order.commands", ParkRecord.model_construct(about="order-unknown", **{**PARKED, "partition": 2**31})
    ),
    "a payment of more than there is": lambda: command(
        "payment.commands",
        RequestPayment.model_construct(order_id=A, amount=10**30, currency="EUR", token="tok_visa", email="a@b.c"),
    ),
    "a message about too much": lambda: command(
        "notification.commands",
        RequestNotification.model_construct(
            notification_id=A, about=noise(20_000), recipient="a@b.c", template="welcome", params={"name": "a"}
        ),
    ),
    "no command, in a reaction's name": lambda: on(
        "order.commands",
        with_header(client_draft(order(("tea", 1)), str(uuid4())), "origin", b"product.events/0/999999999/0")._replace(
            value=b"{"
        ),
    ),
    "a claim of an epoch that no database holds": lambda: on("order.events", claim(2**63, "mallory")),
}
"""Each of these has once stopped a context for good, or crashed it whenever it started."""


@pytest.fixture
async def shop(databases: Mapping[str, Database], monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[House]:
    """A shop on a log in memory, and databases that are empty."""
    monkeypatch.setattr(houses, "PATIENCE_SECONDS", 4.0)
    await emptied(databases)
    house = House(MemoryLog(), databases)
    await house.open()
    yield house
    await house.close()


async def test_records_that_are_hard_to_take_hold_up_nobody(shop: House) -> None:
    await written_and_sold_on(shop, [made() for made in HARMLESS.values()])


@pytest.mark.parametrize("made", STUMBLING.values(), ids=STUMBLING)
async def test_a_record_that_held_up_somebody_for_good_does_so_no_more(
    shop: House, made: Callable[[], Written]
) -> None:
    await written_and_sold_on(shop, [made()])


async def test_a_command_on_the_wrong_partition_is_parked(shop: House) -> None:
    """As any producer writes it that finds partitions in its own way; obeyed, there are two orders of one name."""
    bought = order((sku_on(0), 1))
    place = place_of(bought)
    wrong = Place(place.topic, (place.partition + 1) % PARTITIONS)
    heard = Place("order.events", wrong.partition)
    before = shop.chronicle.fences[heard].next
    offset = await shop.log.append(wrong, [client_draft(bought, str(uuid4()))])
    await shop.until(lambda: shop.chronicle.fences[heard].next > before, "an outcome")
    assert [(event.topic, event.partition, event.offset) for event in shop.chronicle.parked] == [(*wrong, offset)]


class CountingLog(MemoryLog):
    """A log that counts how often somebody begins to read it."""

    begun = 0

    async def reader(self, positions: Mapping[Place, int]) -> MemoryReader:
        """As Log.reader."""
        self.begun += 1
        return await super().reader(positions)


async def test_epochs_of_nobody_do_not_make_an_agent_read_the_log_again_and_again() -> None:
    log, place = CountingLog(), Place("order.events", 0)
    for epoch in range(1, 200):
        await log.append(place, [Draft("x", b"{}", [("epoch", b"%d" % epoch), ("writer", b"mallory")])])
    judge = agents.Effective(log, {})
    for record in log.records[place][10:]:
        assert not await judge.counts(place, record)
    assert log.begun == 1


async def emptied(databases: Mapping[str, Database]) -> None:
    """Nothing is in them any more."""
    for name, database in databases.items():
        async with database.transaction() as connection:
            for table in (*KEPT, *(f"{model.name}_v1" for model in models(name))):
                await connection.execute(sql.SQL("TRUNCATE {}").format(sql.Identifier(table)))


async def written_and_sold_on(shop: House, records: Sequence[Written]) -> None:
    """Write the records; orders before, after, and after another restart are all confirmed."""
    apple = sku_on(0)
    await shop.stocked({apple: 100})
    await bought_at(shop, apple)
    await asyncio.sleep(0.2)  # a flush
    await shop.restart(*CONTEXTS)

    for place, draft in records:
        await shop.log.append(place, [draft])
    await bought_at(shop, apple)
    await shop.restart(*CONTEXTS)
    await bought_at(shop, apple)
    await all_shown(shop)


async def bought_at(shop: House, sku: str) -> None:
    """Orders on every partition are confirmed."""
    wanted = {place_of(each := order((sku, 1))): each for _ in range(40)}
    for each in wanted.values():
        await shop.send(each)
    await shop.settle()
    assert {shop.status(each.order_id) for each in wanted.values()} == {"confirmed"}


async def all_shown(shop: House) -> None:
    """The read models have come as far as the log."""
    for name in CONTEXTS:
        await shop._projected(name)
