"""Batches as other clients write them: compressed, in transactions, with names that are no text; readers go on."""

import asyncio
from collections.abc import AsyncIterator
from random import Random
from uuid import uuid4

import pytest
from confluent_kafka import Producer

from events.fence import Fence
from events.fenced import claim
from events.hub import Hub
from events.kafka import KafkaLog, create_topics
from events.log import Draft, Log, Place, Record, scan
from events.topics import Topic
from tests.attacks.records import poison
from tests.attacks.writing import Noise, any_names, write

pytestmark = [pytest.mark.infra, pytest.mark.anyio]

LAST = Draft("last", b"{}", [])


@pytest.fixture
async def log(kafka: str) -> AsyncIterator[KafkaLog]:
    log = KafkaLog(kafka)
    yield log
    await log.close()


@pytest.fixture
async def place(kafka: str) -> Place:
    """A partition of nobody's."""
    name = f"attack-{uuid4().hex}.events"
    await create_topics(kafka, [Topic(name, -1)])
    return Place(name, 0)


async def read_to_its_end(log: Log, place: Place) -> list[Record]:
    """All records of a place, in ten seconds."""
    async with asyncio.timeout(10):
        _, end = await log.bounds(place)
        return [record async for records in scan(log, place, 0, end, patience=3) for record in records]


@pytest.mark.parametrize("codec", ["none", "gzip", *(name for name in ("snappy", "lz4", "zstd"))])
async def test_a_compressed_batch_is_read(log: KafkaLog, kafka: str, place: Place, codec: str) -> None:
    dice = Random(codec)
    records = [(place, poison(dice, "order.events")) for _ in range(50)]
    written = await asyncio.to_thread(lambda: write(kafka, records, **{"compression.type": codec, "linger.ms": 200}))
    await log.append(place, [LAST])

    found = await read_to_its_end(log, place)

    assert [record.value for record in found] == [each.value or b"" for _, _, each in written] + [LAST.value]


@pytest.mark.parametrize("committed", [True, False])
async def test_who_claims_after_a_transaction_owns_the_partition(
    log: KafkaLog, kafka: str, place: Place, committed: bool
) -> None:
    await asyncio.to_thread(transaction, kafka, place, committed)

    async with asyncio.timeout(10):
        owner = await claim(log, place, Fence(), lambda record: None)

    assert owner.epoch == 1


@pytest.mark.parametrize("committed", [True, False])
async def test_a_place_that_ends_with_a_transaction_has_an_end(
    log: KafkaLog, kafka: str, place: Place, committed: bool
) -> None:
    await log.append(place, [LAST])
    await asyncio.to_thread(transaction, kafka, place, committed)

    assert (await read_to_its_end(log, place))[0].value == LAST.value


@pytest.mark.parametrize("committed", [True, False])
async def test_a_shared_reader_goes_on_after_a_transaction(
    log: KafkaLog, kafka: str, place: Place, committed: bool
) -> None:
    await asyncio.to_thread(transaction, kafka, place, committed)
    reader = await Hub(log).reader({place: 0})
    found: list[Record] = []
    async with asyncio.timeout(10):
        while not any(record.key == b"last" for record in found):
            await log.append(place, [LAST])
            found += [record for records in (await reader.batch()).values() for record in records]
    await reader.close()


async def test_a_header_whose_name_is_no_text_is_read_past(log: KafkaLog, place: Place) -> None:
    odd = Draft("odd", b"{}", [(Noise("x"), b"1"), ("epoch", b"7")])
    with any_names():
        for batch in ([LAST, odd, LAST, odd], [odd], [LAST]):
            await log.append(place, batch)

    found = await read_to_its_end(log, place)

    assert [(record.offset, record.key) for record in found] == list(
        enumerate([b"last", b"odd", b"last", b"odd", b"odd", b"last"])
    )
    assert [record.headers.get("epoch") for record in found] == [None, b"7", None, b"7", b"7", None]


def transaction(bootstrap: str, place: Place, committed: bool) -> None:
    """A transaction of a stranger, as Kafka Streams and many connectors write them."""
    producer = Producer({"bootstrap.servers": bootstrap, "transactional.id": f"stranger-{uuid4()}"})
    producer.init_transactions(30)
    producer.begin_transaction()
    producer.produce(place.topic, b"{}", b"strange", place.partition)
    producer.flush(30)  # else an abortion would only forget it
    if committed:
        producer.commit_transaction(30)
    else:
        producer.abort_transaction(30)
