"""An event that counts and that nobody can read: its aggregate waits for a person, and nobody else notices."""

from collections.abc import AsyncIterator, Callable, Mapping
from uuid import uuid4

import pytest
from msgspec.structs import replace

from events.envelope import Envelope
from events.fence import CLAIM
from events.kafka import KafkaLog, create_topics
from events.letter import LetterParked
from events.log import Draft, Place, scan
from events.order import OrderCancelled
from events.topics import TOPICS, Topic
from projections.postgres import Database
from schemas.order import CancelOrder, PlaceOrder
from schemas.settings import CONTEXTS
from tests.attacks.renamed import Renamed
from tests.attacks.test_stuck import all_shown, bought_at, emptied, with_header
from tests.scenarios import house as houses
from tests.scenarios.house import House
from tests.scenarios.shop import order, place_of, sku_on

pytestmark = [pytest.mark.infra, pytest.mark.anyio]


@pytest.fixture
async def shop(kafka: str, databases: Mapping[str, Database], monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[House]:
    """A shop on topics of its own on the real broker, and databases that are empty."""
    monkeypatch.setattr(houses, "PATIENCE_SECONDS", 20.0)
    await emptied(databases)
    word, log = uuid4().hex[:8], KafkaLog(kafka)
    await create_topics(kafka, [Topic(f"{word}-{topic.name}", topic.retention_ms) for topic in TOPICS])
    house = House(Renamed(log, word), databases)
    await house.open()
    yield house
    await house.close()
    await log.close()


SPOILED: dict[str, Callable[[Draft], Draft]] = {
    "of a type that is unknown": lambda draft: with_header(draft, "ce_type", b"order.eaten.v7"),
    "without its fields": lambda draft: draft,
    "with an id that is no text": lambda draft: with_header(draft, "ce_id", b"\xff"),
}


@pytest.mark.parametrize("spoil", SPOILED.values(), ids=SPOILED)
async def test_its_commands_are_parked_other_orders_settle_and_nobody_claims_for_ever(
    shop: House, spoil: Callable[[Draft], Draft]
) -> None:
    apple = sku_on(0)
    await shop.stocked({apple: 100})
    victim = order((apple, 1))
    await shop.send(victim)
    await shop.settle()
    place = Place("order.events", place_of(victim).partition)
    before = await claims(shop, place)

    offset = await shop.log.append(place, [spoil(forged(shop, place, victim))])
    await bought_at(shop, apple)
    first = await parked(shop, victim)
    assert f"{place.topic}/{place.partition}/{offset}: " in first.reason
    await shop.restart(*CONTEXTS)
    await bought_at(shop, apple)
    assert (await parked(shop, victim)).behind == first.letter

    assert await claims(shop, place) == before + 2, "one because of the record, one because of the restart"
    await all_shown(shop)
    assert await letters(shop) == [(*place, offset)]


def forged(shop: House, place: Place, about: PlaceOrder) -> Draft:
    """A cancellation with its owner's own epoch and writer, and nothing in it."""
    cause, fence = str(uuid4()), shop.chronicle.fences[place]
    envelope = Envelope(cause, OrderCancelled.tag, "order", "", about.stream, cause, cause, "owner")
    envelope = replace(envelope, version=99, epoch=fence.epoch, writer=fence.writer)
    return Draft(about.stream, b"{}", envelope.headers())


async def parked(shop: House, victim: PlaceOrder) -> LetterParked:
    """A command to the order, as it is set aside."""
    asked = await shop.send(CancelOrder(order_id=victim.order_id))
    await shop.settle()
    [told] = shop.chronicle.outcomes[asked]
    assert isinstance(told.event, LetterParked)
    assert told.event.about == victim.stream
    return told.event


async def claims(shop: House, place: Place) -> int:
    """How often a place has been claimed."""
    _, end = await shop.log.bounds(place)
    found = [record async for records in scan(shop.log, place, 0, end) for record in records]
    return sum(record.headers.get("ce_type") == CLAIM.encode() for record in found)


async def letters(shop: House) -> list[tuple[str, int, int]]:
    """Where the records of the order context lie that its read model could not take."""
    rows = await shop.databases["order"].fetch(
        "SELECT topic, of_partition, of_position FROM dead_letters WHERE topic = 'order.events'"
    )
    return [(row["topic"], row["of_partition"], row["of_position"]) for row in rows]
