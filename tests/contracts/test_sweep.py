"""Reading history quickly is reading it: the same records count, whoever wrote whatever, from whatever checkpoint."""

from collections.abc import AsyncIterator, Callable
from random import Random
from typing import NamedTuple

import pytest
from aiokafka import AIOKafkaProducer
from msgspec.structs import replace

from events.envelope import Envelope
from events.errors import Truncated, Unavailable, Undecodable
from events.event import Event
from events.fence import CLAIM, Fence
from events.fenced import Owner, catch_up, claim
from events.ids import derive
from events.log import Draft, Log, Place, Record, scan
from events.order import OrderDelivered, OrderLinesReserved
from events.registry import event_codec
from events.sweep import Found, effective
from projections.reading import judged
from tests.attacks.records import poison
from tests.attacks.test_batches import transaction
from tests.attacks.writing import Noise, any_names, write
from tests.contracts.ground import Ground, OnKafka

pytestmark = pytest.mark.anyio

ID = derive("an", "order")
STREAM = f"order-{ID}"


def envelope(owner: Owner, version: int, event: Event, traceparent: str = "") -> Envelope:
    return Envelope(
        id=derive(ID, str(version)),
        type=event.tag,
        source="order",
        time="2026-11-27T12:00:00.123456+00:00" if version % 2 else "2026-11-27T12:00:00+00:00",
        subject=event.stream,
        correlation=ID,
        causation=ID,
        origin="client" if version == 1 else f"product.events/3/{version}/0",
        traceparent=traceparent,
        version=version,
        epoch=owner.epoch,
        writer=owner.writer,
        position=version - 2,
    )


async def tell(owner: Owner, *versions: int, traced: bool = False) -> None:
    """What an owner appends in life."""
    trace = f"00-{'a' * 32}-{'b' * 16}-01" if traced else ""
    events = [
        OrderLinesReserved(order_id=ID, skus=("a", "ü" * version))
        if version % 2
        else OrderDelivered(order_id=ID, email=f"{version}@example.org")
        for version in versions
    ]
    await owner.append(
        [
            (envelope(owner, version, event, trace), event_codec.encode(event))
            for version, event in zip(versions, events, strict=True)
        ]
    )


class Read(NamedTuple):
    """What a reader was given, and where it stands."""

    records: list[Record]
    fence: Fence


async def slowly(log: Log, place: Place, fence: Fence, end: int) -> Read:
    records: list[Record] = []
    await catch_up(log, place, fence, end, records.append)
    return Read(records, fence)


async def quickly(log: Log, place: Place, fence: Fence, end: int, batch: int = 3) -> Read:
    records: list[Record] = []
    async for found in effective(log, place, fence, end, batch=batch):
        assert found
        assert fence.next > found[-1].offset
        records += [each.record for each in found]
    return Read(records, fence)


async def everything(log: Log, place: Place, tags: list[str] | None = None) -> list[Found]:
    _, end = await log.bounds(place)
    return [each async for found in effective(log, place, Fence(), end, tags) for each in found]


async def noisily(log: Log, place: Place) -> list[tuple[Record, str]]:
    """What a rebuild of all read models needs: the records, with the reasons why the headers of some cannot be read."""
    _, end = await log.bounds(place)
    return [(each.record, each.reason) async for s in effective(log, place, Fence(), end, noise=True) for each in s]


async def all_judged(log: Log, place: Place) -> list[tuple[Record, str]]:
    """The same, by the rule that keeps the live ones up to date."""
    _, end = await log.bounds(place)
    fence = Fence()
    items = [judged(fence, record) async for records in scan(log, place, 0, end) for record in records]
    return [(item.record, "" if item.envelope else item.reason) for item in items if item]


async def assert_same(log: Log, place: Place) -> Read:
    """From its start, and from every place in it to its end or to the next but two."""
    _, end = await log.bounds(place)
    whole = await quickly(log, place, Fence(), end)
    assert whole == await slowly(log, place, Fence(), end)
    for cut in range(0, end + 1, max(1, end // 12)):
        _, checkpoint = await slowly(log, place, Fence(), cut)
        assert await quickly(log, place, replace(checkpoint), end) == await slowly(log, place, replace(checkpoint), end)
        upto = min(cut + 3, end)
        assert await quickly(log, place, replace(checkpoint), upto) == await slowly(log, place, checkpoint, upto)
    return whole


async def own(log: Log, place: Place) -> Owner:
    return await claim(log, place, Fence(), lambda record: None)


async def test_what_owners_wrote_is_read_and_what_stale_ones_wrote_is_not(ground: Ground) -> None:
    place = await ground.place()
    stale = await own(ground.log, place)
    await tell(stale, 1, 2, 3)
    owner = await own(ground.other, place)
    late = envelope(stale, 4, OrderDelivered(order_id=ID, email="late"))
    await ground.log.append(place, [Draft(STREAM, b"{}", late.headers())])
    owner = await own(ground.other, place)
    await tell(owner, 4, traced=True)
    await tell(owner, 5, 6)

    records, fence = await assert_same(ground.log, place)

    assert [record.headers["version"] for record in records] == [b"1", b"2", b"3", b"4", b"5", b"6"]
    assert (fence.epoch, fence.ignored) == (3, 1)


async def test_what_is_found_says_what_the_envelope_says(ground: Ground) -> None:
    place = await ground.place()
    owner = await own(ground.log, place)
    await tell(owner, 1, 2)
    await tell(owner, 3, traced=True)

    for found in await everything(ground.log, place):
        e = found.envelope
        assert (found.type, found.stream, found.version, found.time) == (e.type, e.subject, e.version, e.time)
        assert (found.epoch, found.writer, found.at) == (e.epoch, e.writer, e.at)
        assert found.event() == event_codec.decode(e.type, found.record.value)


async def test_types_that_are_not_wanted_are_left_out_and_the_fence_moves_on_all_the_same(ground: Ground) -> None:
    place = await ground.place()
    await tell(await own(ground.log, place), 1, 2, 3, 4)
    _, end = await ground.log.bounds(place)
    fence = Fence()

    found = [each async for some in effective(ground.log, place, fence, end, ["order.delivered.v1"]) for each in some]

    assert [each.version for each in found] == [2, 4]
    assert fence.next == end


async def test_of_what_cannot_be_read_the_reason_is_told(ground: Ground) -> None:
    place = await ground.place()
    owner = await own(ground.log, place)
    ours = [("epoch", b"%d" % owner.epoch), ("writer", owner.writer.encode())]
    named = envelope(owner, 1, OrderDelivered(order_id=ID, email="")).headers()
    await ground.log.append(place, [Draft(STREAM, b"{}", ours), Draft(STREAM, b"no json", named)])
    await ground.log.append(
        place, [Draft(STREAM, b"{}", [("ce_type", b"x.y.v1") if n == "ce_type" else (n, v) for n, v in named])]
    )

    headless, senseless, unknown = await everything(ground.log, place, tags=["order.delivered.v1", "x.y.v1"])

    assert "ce_id" in headless.reason
    assert (headless.type, headless.stream) == ("", STREAM)
    for found in (headless, senseless, unknown):
        with pytest.raises(Undecodable):
            found.event()
    await assert_same(ground.log, place)


ODD: dict[str, Callable[[list[tuple[str, bytes]]], list[tuple[str, bytes]]]] = {
    "in another order": lambda named: [*named[1:], named[0]],
    "one twice": lambda named: [*named, named[2]],
    "another writer after ours": lambda named: [*named, ("writer", b"x")],
    "another epoch before ours": lambda named: [("epoch", b"999"), *named],
    "one more": lambda named: [*named, ("more", b"")],
    "a long one": lambda named: [(n, b"x" * 200 if n == "origin" else v) for n, v in named],
    "too many bytes": lambda named: [(n, b"x" * 2000 if n == "origin" else v) for n, v in named],
    "a NUL": lambda named: [(n, b"\0" * 36 if n == "correlation" else v) for n, v in named],
    "no text": lambda named: [(n, b"\xff" * 36 if n == "correlation" else v) for n, v in named],
    "a claim": lambda named: [(n, CLAIM.encode() if n == "ce_type" else v) for n, v in named],
    "a claim of the next epoch": lambda named: [
        (n, CLAIM.encode() if n == "ce_type" else b"99" if n == "epoch" else v) for n, v in named
    ],
    "an epoch that is none": lambda named: [(n, b"1x" if n == "epoch" else v) for n, v in named],
    "an endless epoch": lambda named: [(n, b"9" * 40 if n == "epoch" else v) for n, v in named],
    "an epoch with a nought": lambda named: [(n, b"01" if n == "epoch" else v) for n, v in named],
    "a negative version": lambda named: [(n, b"-1" if n == "version" else v) for n, v in named],
    "no version": lambda named: [(n, v) for n, v in named if n != "version"],
    "another subject": lambda named: [(n, b"order-x" if n == "ce_subject" else v) for n, v in named],
}


@pytest.mark.parametrize("spoil", ODD.values(), ids=ODD)
async def test_odd_headers_count_as_they_always_did(
    ground: Ground, spoil: Callable[..., list[tuple[str, bytes]]]
) -> None:
    place = await ground.place()
    owner = await own(ground.log, place)
    event = OrderDelivered(order_id=ID, email="")
    good = [Draft(STREAM, event_codec.encode(event), envelope(owner, n, event).headers()) for n in (1, 2)]
    await ground.log.append(place, [good[0], good[0]._replace(headers=spoil(good[0].headers)), good[1]])
    await ground.log.append(place, [good[1]])

    await assert_same(ground.log, place)


async def test_whatever_strangers_write_nothing_else_counts(ground: Ground) -> None:
    place, dice = await ground.place(), Random("sweep")
    for number in range(4):
        owner = await own(ground.log, place)
        await tell(owner, number + 1)
        for _ in range(10):
            each = poison(dice, "order.events", claims=True)
            key = (each.key or b"").decode("latin-1")[:2000]
            named = [(name, value or b"") for name, value in each.headers]
            await ground.log.append(place, [Draft(key, (each.value or b"")[:20_000], named)])

    await assert_same(ground.log, place)
    assert await noisily(ground.log, place) == await all_judged(ground.log, place)


async def test_large_bodies_are_read(ground: Ground) -> None:
    place = await ground.place()
    owner = await own(ground.log, place)
    for size in (50, 60, 64, 5_000, 8_190, 9_000, 400_000):
        event = OrderDelivered(order_id=ID, email="e" * size)
        await owner.append([(envelope(owner, 1, event), event_codec.encode(event))])

    records, _ = await assert_same(ground.log, place)

    assert len(records) == 7


async def test_who_begins_before_the_log_does_is_told(ground: Ground) -> None:
    place = await ground.place()
    await tell(await own(ground.log, place), 1, 2)
    await ground.truncate(place, 2)
    with pytest.raises(Truncated):
        await everything(ground.log, place)


async def test_an_end_that_does_not_come_is_not_awaited_for_ever(ground: Ground) -> None:
    place, fence = await ground.place(), Fence()
    await tell(await own(ground.log, place), 1)
    with pytest.raises(Unavailable):
        async for _ in effective(ground.log, place, fence, 5, patience=0.5):
            pass
    assert fence.next == 2  # what had come was handed out before


@pytest.fixture
async def on_kafka(kafka: str) -> AsyncIterator[OnKafka]:
    ground = OnKafka(kafka)
    yield ground
    await ground.close()


@pytest.mark.infra
@pytest.mark.parametrize("committed", [True, False])
async def test_transactions_leave_gaps_and_are_passed(on_kafka: OnKafka, kafka: str, committed: bool) -> None:
    place = await on_kafka.place()
    await tell(await own(on_kafka.log, place), 1)
    transaction(kafka, place, committed)
    await tell(await own(on_kafka.log, place), 2)
    transaction(kafka, place, committed)

    assert len((await assert_same(on_kafka.log, place)).records) == 2


@pytest.mark.infra
@pytest.mark.parametrize("codec", ["none", "gzip", "snappy", "lz4", "zstd"])
async def test_compressed_batches_are_read(on_kafka: OnKafka, kafka: str, codec: str) -> None:
    place, dice = await on_kafka.place(), Random(codec)
    owner = await own(on_kafka.log, place)
    event = OrderDelivered(order_id=ID, email="")
    named = envelope(owner, 1, event).headers()
    async with AIOKafkaProducer(
        bootstrap_servers=kafka, max_batch_size=1_000_000, compression_type=None if codec == "none" else codec
    ) as other:
        batch = other.create_batch()
        for number in range(50):
            batch.append(key=STREAM.encode(), value=b"v" * number, timestamp=number, headers=named)
        await (await other.send_batch(batch, place.topic, partition=place.partition))
    write(kafka, [(place, poison(dice, "order.events")) for _ in range(20)], **{"compression.type": codec})

    assert len((await assert_same(on_kafka.log, place)).records) == 50


@pytest.mark.infra
async def test_a_name_that_is_no_text_stops_nobody(on_kafka: OnKafka) -> None:
    place = await on_kafka.place()
    owner = await own(on_kafka.log, place)
    event = OrderDelivered(order_id=ID, email="")
    good = Draft(STREAM, event_codec.encode(event), envelope(owner, 1, event).headers())
    with any_names():
        await on_kafka.log.append(place, [good, good._replace(headers=[(Noise("x"), b"1"), *good.headers]), good])
    await on_kafka.log.append(place, [good])

    assert len((await assert_same(on_kafka.log, place)).records) == 4
