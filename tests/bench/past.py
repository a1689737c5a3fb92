"""Past writes a supermarket's year into the log in a minute or two, as the saga would have recorded it.

The rules decide, the codec encodes and owners append, as in life; only what the other contexts would have said is made
up here: stock is always there, but for a share of the orders, and carriers take three days.
"""

import asyncio
import heapq
from collections import defaultdict
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime, timedelta
from itertools import count
from multiprocessing import get_context
from typing import Any
from zlib import crc32

import uvloop
from aiokafka.admin import AIOKafkaAdminClient, RecordsToDelete
from aiokafka.structs import TopicPartition
from msgspec import Struct

from aggregates.decider import Decider, alone
from aggregates.order import DECIDER as ORDER
from aggregates.product import RULES, Product
from events import topics
from events.envelope import CLIENT, Envelope
from events.fence import Fence
from events.fenced import Owner, claim
from events.ids import derive
from events.kafka import KafkaLog, create_topics
from events.log import Draft, Place
from events.registry import event_codec
from schemas.order import (
    CancelOrder,
    ConfirmOrder,
    DeliverOrder,
    PlaceOrder,
    RecordCommitment,
    RecordReservation,
    RejectOrder,
    ShipOrder,
)
from schemas.values import Command
from workers.baskets import YEAR, Baskets, Window

PROCESSES = 2
SMALLEST, LARGEST = 20, 300
"""Records of a commit, as under load."""
TENURE = 20_000
"""Records that an owner appends before somebody else claims its partition."""
REFUSED, DECLINED, CANCELLED = range(2), range(2, 4), range(4, 6)
"""Of a hundred orders, those with these numbers."""
LAST_WORDS = (DeliverOrder, RejectOrder, CancelOrder)
SHIPPED_AFTER, DELIVERED_AFTER = timedelta(days=1), timedelta(days=3)


class Written(Struct):
    """What has been written; `bytes` are those of keys, bodies and header values."""

    orders: int = 0
    events: int = 0
    bytes: int = 0

    def __add__(self, other: "Written") -> "Written":
        return Written(self.orders + other.orders, self.events + other.events, self.bytes + other.bytes)


class Said(Struct, frozen=True):
    """A command of somebody's: `source` is the partition that it follows from, if a reaction gave it."""

    command: Command
    source: str = ""


async def write_year(kafka: str, orders: int | None = None, copies: int = 1, products: bool = True) -> Written:
    """Fill the topics of order and product; the first so many baskets, and the whole again with new ids per copy."""
    await create_topics(kafka, topics.TOPICS)
    window = Window(YEAR.start, YEAR.end, orders)
    shares = [list(range(topics.PARTITIONS))[n::PROCESSES] for n in range(PROCESSES)]
    loop = asyncio.get_running_loop()
    with ProcessPoolExecutor(PROCESSES, get_context("spawn")) as pool:
        jobs = [loop.run_in_executor(pool, _write_orders, kafka, window, share, copies) for share in shares]
        if products:
            jobs.append(loop.run_in_executor(pool, _write_products, kafka, window))
        written = Written()
        for job in jobs:
            written += await job
    return written


def _write_orders(kafka: str, window: Window, partitions: Sequence[int], copies: int) -> Written:
    return uvloop.run(_orders(kafka, window, frozenset(partitions), copies))


def _write_products(kafka: str, window: Window) -> Written:
    return uvloop.run(_products(kafka, window))


async def _orders(kafka: str, window: Window, partitions: frozenset[int], copies: int) -> Written:
    log = KafkaLog(kafka)
    pens = {p: Pen(log, Place(topics.events("order"), p), ORDER) for p in partitions}
    written = Written()
    try:
        for at, partition, stream, said in _timeline(_placings(window, copies), partitions, written):
            await pens[partition].write(at, stream, said)
        for pen in pens.values():
            await pen.close(kafka)
            written += pen.written
    finally:
        await log.close()
    return written


async def _products(kafka: str, window: Window) -> Written:
    log = KafkaLog(kafka)
    decider = Decider("product", {"product": Product()}, lambda state, event: state, alone(RULES))  # type: ignore[arg-type]
    pens = [Pen(log, Place(topics.events("product"), p), decider) for p in range(topics.PARTITIONS)]
    written = Written()
    try:
        for listing in Baskets.from_wheel().products(window):
            await pens[topics.partition_of(listing.stream)].write(window.start, listing.stream, Said(listing))
        for pen in pens:
            await pen.close(kafka)
            written += pen.written
    finally:
        await log.close()
    return written


def _placings(window: Window, copies: int) -> Iterator[tuple[datetime, PlaceOrder]]:
    """The baskets; those of each copy come after those of the one before."""
    for copy in range(copies):
        later = (window.end - window.start) * copy
        for at, order in Baskets.from_wheel().dated(window):
            yield (
                at + later,
                order.model_copy(update={"order_id": derive(order.order_id, str(copy))}) if copy else order,
            )


def _timeline(
    placings: Iterator[tuple[datetime, PlaceOrder]], partitions: frozenset[int], written: Written
) -> Iterator[tuple[datetime, int, str, Said]]:
    """What is said to the orders of some partitions, in the order of time."""
    ahead: list[tuple[datetime, int, int, str, Said]] = []
    number = count()
    for at, order in placings:
        partition = topics.partition_of(order.stream)
        if partition not in partitions:
            continue
        written.orders += 1
        while ahead and ahead[0][0] <= at:
            due, _, *rest = heapq.heappop(ahead)
            yield due, *rest  # type: ignore[misc]
        for wait, said in _life(order):
            heapq.heappush(ahead, (at + wait, next(number), partition, order.stream, said))
    while ahead:
        due, _, *rest = heapq.heappop(ahead)
        yield due, *rest  # type: ignore[misc]


def _life(order: PlaceOrder) -> Iterator[tuple[timedelta, Said]]:
    """What is said to an order, and how long after it was placed."""
    name, dice = order.order_id, crc32(order.order_id.encode()) % 100
    shelves: dict[int, dict[str, None]] = defaultdict(dict)
    for line in order.lines:
        shelves[topics.shelf_of(line.sku)][line.sku] = None
    yield _ms(0), Said(order)
    for shelf, skus in shelves.items():
        source = f"product.events/{shelf}"
        if dice in REFUSED:
            reason = RejectOrder(order_id=name, reason="out of stock", skus=tuple(skus)[:1])
            yield _ms(8), Said(reason, source)
            return
        yield _ms(8 + shelf), Said(RecordReservation(order_id=name, skus=tuple(skus)), source)
    money = f"payment.events/{topics.partition_of(f'payment-{name}')}"
    if dice in DECLINED:
        yield _ms(250), Said(RejectOrder(order_id=name, reason="payment declined: no funds"), money)
        return
    yield _ms(250), Said(ConfirmOrder(order_id=name), money)
    for shelf, skus in shelves.items():
        yield _ms(260 + shelf), Said(RecordCommitment(order_id=name, skus=tuple(skus)), f"product.events/{shelf}")
    if dice in CANCELLED:
        yield timedelta(hours=1), Said(CancelOrder(order_id=name))
        return
    yield SHIPPED_AFTER, Said(ShipOrder(order_id=name, tracking=f"1Z{crc32(name.encode()):010d}"))
    yield DELIVERED_AFTER, Said(DeliverOrder(order_id=name))


def _ms(milliseconds: int) -> timedelta:
    return timedelta(milliseconds=milliseconds)


class Pen:
    """What an owner does to one partition: decides, numbers, and appends commit by commit."""

    def __init__(self, log: KafkaLog, place: Place, decider: Decider) -> None:
        self._log, self._place, self._decider = log, place, decider
        self._fence = Fence()
        self._owner: Owner | None = None
        self._tenure = 0
        self._states: dict[str, tuple[Any, int, str]] = {}
        self._said: dict[str, int] = defaultdict(int)
        self._position = 0
        self._commit: list[tuple[Envelope, bytes]] = []
        self._sizes = count()
        self._size = SMALLEST
        self.written = Written()

    async def write(self, at: datetime, stream: str, said: Said) -> None:
        """Record what follows from a command, now or with those that come after it."""
        if self._owner is None or self._tenure > TENURE:
            await self._claim()
        self._record(at, stream, said)
        if len(self._commit) >= self._size:
            await self.commit()

    async def commit(self) -> None:
        """Append what has been recorded."""
        if self._owner is None or not self._commit:
            return
        await self._owner.append(self._commit)
        self._tenure += len(self._commit)
        self._commit = []
        self._size = SMALLEST + crc32(b"%d" % next(self._sizes)) % (LARGEST - SMALLEST)

    async def close(self, kafka: str) -> None:
        """Append what is left; the commands that came by their topic are those that its retention has taken since."""
        await self.commit()
        place = Place(topics.commands(self._decider.context), self._place.partition)
        for at in range(0, self._position, 2000):
            await self._log.append(place, [Draft("", b"", [])] * min(2000, self._position - at))
        admin = AIOKafkaAdminClient(bootstrap_servers=kafka)
        await admin.start()
        try:
            await admin.delete_records({TopicPartition(*place): RecordsToDelete(before_offset=self._position)})
        finally:
            await admin.close()

    async def _claim(self) -> None:
        """Somebody else takes over; the former owner's last commit comes too late to count."""
        await self.commit()
        former = self._owner
        self._owner = await claim(self._log, self._place, self._fence, lambda record: None)
        if former is not None:
            late = Envelope("late", "order.delivered.v1", "order", "", "order-late", "late", "late", CLIENT)
            headers = [*late.headers(), ("epoch", b"%d" % former.epoch), ("writer", former.writer.encode())]
            await self._log.append(self._place, [Draft(late.subject, b"{}", headers)])
            self._owner = await claim(self._log, self._place, self._fence, lambda record: None)
        self._tenure = 0

    def _record(self, at: datetime, stream: str, said: Said) -> None:
        state, version, correlation = self._states.get(stream) or (self._decider.initial_of(stream), 0, "")
        command = said.command
        origin, position = self._origin(said)
        cause = derive(f"{stream}/{origin}", f"{command.tag}/{version}")
        correlation = correlation or cause
        before = state
        for index, event in enumerate(self._decider.decide(command, lambda _: before, at)):
            version += 1
            envelope = Envelope(
                id=derive(cause, str(index)),
                type=event.tag,
                source=self._decider.context,
                time=at.astimezone(UTC).isoformat(),
                subject=stream,
                correlation=correlation,
                causation=cause,
                origin=origin,
                version=version,
                epoch=self._owner.epoch if self._owner else 0,
                writer=self._owner.writer if self._owner else "",
                position=position,
            )
            body = event_codec.encode(event)
            state = self._decider.evolve(state, event)
            self._commit.append((envelope, body))
            self.written.events += 1
            self.written.bytes += len(body) + len(stream) + sum(len(value) for _, value in envelope.headers())
        if isinstance(command, LAST_WORDS):
            self._states.pop(stream, None)
        else:
            self._states[stream] = (state, version, correlation)

    def _origin(self, said: Said) -> tuple[str, int]:
        """Where a command came from, and its place in the topic of commands, if it came that way."""
        if not said.source:
            self._position += 1
            return CLIENT, self._position - 1
        self._said[said.source] += 1
        return f"{said.source}/{self._said[said.source]}/0", -1
