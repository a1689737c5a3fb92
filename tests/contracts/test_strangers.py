"""Whatever a stranger writes to our topics, a reader of Kafka brings it as bytes, and the fence ignores it."""

from collections.abc import AsyncIterator

import pytest
from aiokafka import AIOKafkaProducer

from events.fence import Fence, Verdict
from events.log import Place
from tests.contracts.ground import OnKafka, drafts, read

pytestmark = [pytest.mark.anyio, pytest.mark.infra]


@pytest.fixture
async def ground(kafka: str) -> AsyncIterator[OnKafka]:
    ground = OnKafka(kafka)
    yield ground
    await ground.close()


async def strange(kafka: str, place: Place, **record: object) -> None:
    """Write what our own code never writes."""
    async with AIOKafkaProducer(bootstrap_servers=kafka) as producer:
        await producer.send_and_wait(place.topic, partition=place.partition, **record)


@pytest.mark.parametrize(
    "record",
    [
        {"value": b"no key, no headers"},
        {"key": b"tombstone", "value": None},
        {"value": b"x", "headers": [("epoch", None), ("writer", None), ("ce_type", None)]},
        {"value": b"x", "headers": [("epoch", b"1"), ("writer", None)]},
        {"value": b"x", "headers": [("epoch", b"1"), ("epoch", b"2")]},
        {"key": b"\xff", "value": b"\xff", "headers": [("\u00e4", b"\xff")]},
    ],
    ids=["no key", "tombstone", "headers without values", "no writer", "a header twice", "no text"],
)
async def test_a_strange_record_is_read_ignored_and_passed(
    ground: OnKafka, kafka: str, record: dict[str, object]
) -> None:
    place = await ground.place()
    await strange(kafka, place, **record)
    await ground.log.append(place, drafts("next"))
    fence = Fence()
    found, following = await read(await ground.reader({place: 0}), place, 2)
    assert all(isinstance(value, bytes) for value in (found.key, found.value, *found.headers.values()))
    assert fence.judge(found.offset, found.headers) is Verdict.IGNORED
    assert following.value == b"next"
