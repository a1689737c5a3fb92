"""Two thousand records of strangers on every topic: no worker is lost, each is set aside once, and orders go on."""

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import uuid4

import psycopg
import pytest

from events import topics
from events.envelope import Envelope
from events.errors import Undecodable
from events.fence import CLAIM, Fence, Verdict
from events.kafka import KafkaLog
from events.letter import LetterParked
from events.log import Place
from events.outcome import RecordParked
from events.registry import command_codec
from schemas.settings import CONTEXTS
from tests.attacks.records import Poison, poison
from tests.attacks.wire import order
from tests.attacks.writing import Written, write
from tests.system.house import House, shop_of, wait_until
from workers.run import Run

RECORDS = 2000
STREAMS = ("orderlog-streams",)
"""The groups of Faust's streams, which read events too."""

PLACES = [Place(topic.name, p) for topic in topics.OF_CONTEXTS for p in range(topic.partitions)]


@asynccontextmanager
async def opened(run: Run) -> AsyncIterator[House]:
    """The system, with its shop open for as long."""
    shop = shop_of(run)
    try:
        await shop.until_ready(60)
        yield House(run, shop)
    finally:
        await shop.close()


def drawn(seed: str, count: int, claims: bool = False) -> list[tuple[Place, Poison]]:
    """So many records, each with its place."""
    dice = random.Random(seed)
    return [(place, poison(dice, place.topic, claims)) for place in dice.choices(PLACES, k=count)]


def test_the_same_seed_gives_the_same_records() -> None:
    assert drawn("a", 500) == drawn("a", 500)
    assert drawn("a", 500) != drawn("b", 500)


def test_every_record_is_what_it_says() -> None:
    """Poison that somebody could read, or an event that counted, would prove nothing; by what our own readers say."""
    for place, record in drawn("what it says", 5000):
        named = {name: value or b"" for name, value in record.headers}
        if place.topic.endswith(".events"):
            assert Fence().judge(0, named) is Verdict.IGNORED, record
            assert record.parked == (named.get("ce_type") != CLAIM.encode() and not _readable(named)), record
        else:
            assert record.parked
            assert not _readable(named) or not _decodable(named["ce_type"].decode(), record.value or b""), record


def _readable(named: dict[str, bytes]) -> bool:
    try:
        Envelope.read(named)
    except Undecodable:
        return False
    return True


def _decodable(tag: str, body: bytes) -> bool:
    try:
        command_codec.decode(tag, body)
    except Undecodable:
        return False
    return True


@pytest.mark.infra
@pytest.mark.anyio
async def test_records_of_every_kind_stop_nobody_and_are_set_aside_once(run: Run) -> None:
    async with opened(run) as house:
        sku = await listed(house)
        await replaced(house)  # with snapshots behind it, a worker knows only a part of what there is
        worker, said = run.child("worker"), len(house.log_of("worker"))
        written = await asyncio.to_thread(write, run.address.kafka, drawn("20261123", RECORDS))

        await until_read(house, written)

        assert len(written) == RECORDS
        assert (worker.poll(), run.child("worker").pid) == (None, worker.pid)
        assert "; again in" not in house.log_of("worker")[said:], "a service crashed and was started again"
        await assert_set_aside(house, written)
        await assert_bought(house, sku)

        await replaced(house)  # what has been recorded about them can be read again
        await assert_bought(house, sku)


@pytest.mark.infra
@pytest.mark.anyio
async def test_claims_of_strangers_cost_a_claim_and_nothing_else(run: Run) -> None:
    async with opened(run) as house:
        sku = await listed(house)
        dice = random.Random("claims")
        places = [place for place in PLACES if place.topic.endswith(".events")]
        written: Written = []
        for _ in range(3):
            records = [(place, poison(dice, place.topic, claims=True)) for place in places * 5]
            written += await asyncio.to_thread(write, run.address.kafka, records)
            await assert_bought(house, sku)

        await until_read(house, written)

        assert any(record.what == "a claim" for _, _, record in written)
        assert run.child("worker").poll() is None
        await assert_set_aside(house, written)


async def listed(house: House) -> str:
    """A product on sale."""
    sku = f"sku-{uuid4().hex[:12]}"
    await house.shop.list_product({"sku": sku, "name": sku, "price": 250, "stock": 100}, wait=20)
    return sku


async def assert_bought(house: House, sku: str) -> None:
    """An order placed now is confirmed."""
    order_id = str(uuid4())
    wanted = order(order_id=order_id, lines=[{"sku": sku, "quantity": 1, "unit_price": 250}])
    await house.shop.place_order(wanted, key=order_id)  # type: ignore[arg-type]
    row = await house.shop.get(f"/orders/{order_id}", wait_for="settled", timeout=30)
    assert row["status"] == "confirmed", row


async def replaced(house: House) -> None:
    """Another worker process in the place of the one that runs."""
    await asyncio.sleep(2.5)  # a flush, so that there are snapshots
    await asyncio.to_thread(house.run.child("worker").stop)
    before = house.log_of("worker").count("is ours")
    house.run.spawn("worker", "workers", "worker")

    async def owns_all() -> bool:
        return house.log_of("worker").count("is ours") >= before + len(CONTEXTS) * topics.PARTITIONS

    await wait_until(owns_all, 40, "the new worker owns every partition")


async def until_read(house: House, written: Written) -> None:
    """Wait until everybody has read all there is: writers, projectors, and Faust's streams."""
    expected = {(*place, offset) for place, offset, record in written if record.parked}
    log = KafkaLog(house.run.address.kafka)

    async def all_read() -> bool:
        if not expected <= await dead_letters(house):
            return False
        checks = (await house.shop.get("/ready"))["checks"]
        ends = {place: (await log.bounds(place))[1] for place in PLACES}
        views = all(not any(checks[context]["lag"].values()) for context in CONTEXTS)
        streams = [await log.committed(group) for group in STREAMS]
        return views and all(kept.offset >= ends[at] for found in streams for at, kept in found.items() if at in ends)

    try:
        await wait_until(all_read, 60, "all records are read")
    finally:
        await log.close()


async def assert_set_aside(house: House, written: Written) -> None:
    """Each record that must be parked has been, once, where it must be; the others nowhere."""
    places = {(*place, offset): record for place, offset, record in written}
    parked: Counter[tuple[str, int, int]] = Counter()
    for context in CONTEXTS:
        for _, event in await house.events(context):
            if isinstance(event, RecordParked | LetterParked):
                parked[event.topic, event.partition, event.offset] += 1
    for place, record in places.items():
        assert parked[place] == (place[0].endswith(".commands")), (place, record)
    ours = {place for place, record in places.items() if record.parked}
    assert await dead_letters(house) & places.keys() == ours


async def dead_letters(house: House) -> set[tuple[str, int, int]]:
    """Where the records lie that have been set aside, as the context says whose topic it is."""
    found = [asyncio.to_thread(_dead_letters, house.run.address.postgres, context) for context in CONTEXTS]
    return {place for letters in await asyncio.gather(*found) for place in letters}


def _dead_letters(postgres: str, context: str) -> list[tuple[str, int, int]]:
    asked = "SELECT topic, of_partition, of_position FROM dead_letters WHERE topic LIKE %s"
    with psycopg.connect(postgres, dbname=f"orderlog_{context}") as connection:
        return connection.execute(asked, [f"{context}.%"]).fetchall()
