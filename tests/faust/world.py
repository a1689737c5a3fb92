"""World is a small order context for the agents to listen to: topics of its own, and a writer who owns them."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

from events.envelope import Envelope
from events.event import Event
from events.fence import Fence
from events.fenced import Owner, claim
from events.ids import derive
from events.kafka import KafkaLog, create_topics
from events.log import Draft, Place, Position, scan
from events.order import OrderConfirmed, OrderPlaced
from events.registry import event_codec
from events.topics import PARTITIONS, Topic
from schemas.notification import RequestNotification
from schemas.settings import Settings
from schemas.values import Address, Command
from workers.agents import Agent, Parked
from workers.app import Hosted, quieten
from workers.statistics import Row
from workers.stream import Stream

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
DEADLINE_SECONDS = 30.0


class World:
    """Two topics with names of their own on the broker, and everything that came out of the agents."""

    def __init__(self, kafka: str, home: Path) -> None:
        self.word = uuid4().hex[:8]
        self.events, self.commands = f"{self.word}.events", f"{self.word}.commands"
        self.settings = Settings(kafka=kafka, home=home)
        self.log = KafkaLog(kafka)
        self.parked: list[Parked] = []
        self.rows: dict[tuple[datetime, str], Row] = {}

    async def own(self, partition: int = 0) -> Owner:
        """Claim a partition of the events, as the context's writer does."""
        return await claim(self.log, Place(self.events, partition), Fence(), lambda _: None)

    async def append(self, place: Place, record: tuple[Envelope, bytes]) -> None:
        """Append past the fence, as a writer that was paused does."""
        envelope, body = record
        await self.log.append(place, [Draft(envelope.subject, body, envelope.headers())])

    async def forget_position(self, agent: Agent, place: Place) -> None:
        """Make an agent's group begin a place anew."""
        await self.log.commit(f"orderlog-{agent.name}", {place: Position(0, "")})

    async def sent(self, partition: int) -> list[Envelope]:
        """The commands in a partition, as a writer would accept them: each origin once."""
        place = Place(self.commands, partition)
        _, end = await self.log.bounds(place)
        found: dict[str, Envelope] = {}
        async for records in scan(self.log, place, 0, end):
            for record in records:
                envelope = Envelope.read(record.headers)
                found.setdefault(envelope.origin, envelope)
        return list(found.values())

    async def all_sent(self) -> list[Envelope]:
        """The commands of all partitions, sorted by where they come from."""
        found = [envelope for partition in range(PARTITIONS) for envelope in await self.sent(partition)]
        return sorted(found, key=lambda envelope: [int(word) for word in envelope.origin.split("/")[1:]])

    async def grown(self, topic: str, size: int) -> None:
        """Wait until a topic has so many records."""
        async with asyncio.timeout(DEADLINE_SECONDS):
            while sum([(await self.log.bounds(Place(topic, p)))[1] for p in range(PARTITIONS)]) < size:
                await asyncio.sleep(0.05)

    async def told(self, count: int) -> None:
        """Wait until so many events have led to a command; some may have done so twice."""
        async with asyncio.timeout(DEADLINE_SECONDS):
            while len(await self.all_sent()) < count:
                await asyncio.sleep(0.05)

    async def park(self, parked: Parked) -> None:
        """What a worker does with a record that cannot be handled."""
        self.parked.append(parked)

    async def flush(self, rows: Sequence[Row]) -> None:
        """What a worker does with changed rows: keep the one with the highest offset."""
        for row in rows:
            before = self.rows.get((row.minute, row.source))
            if before is None or row.window.upto >= before.window.upto:
                self.rows[row.minute, row.source] = row

    @asynccontextmanager
    async def listening(self, agent: Agent, patience_seconds: float = 30.0) -> AsyncIterator[None]:
        """Run an agent under Faust, supervised, until the end of the block."""
        hosted = Hosted(Stream(self.settings, agent, patience_seconds))
        await hosted.start()
        try:
            yield
        finally:
            await hosted.stop()


@asynccontextmanager
async def world_on(kafka: str, home: Path) -> AsyncIterator[World]:
    """A world with its topics created."""
    quieten()
    logging.getLogger("aiokafka").setLevel(logging.ERROR)
    world = World(kafka, home)
    await create_topics(kafka, [Topic(world.events, -1), Topic(world.commands, -1)])
    try:
        yield world
    finally:
        await world.log.close()


async def reached(agent: Agent, place: Place, position: int) -> None:
    """Wait until an agent has settled everything before a position."""
    await until(lambda: agent.positions.get(place, 0) >= position)


async def until(true: Callable[[], bool]) -> None:
    """Wait for a fact, with a deadline."""
    async with asyncio.timeout(DEADLINE_SECONDS):
        while not true():
            await asyncio.sleep(0.02)


def recorded(event: Event, owner: Owner, at: datetime = NOON) -> tuple[Envelope, bytes]:
    """An event as its owner writes it."""
    envelope = Envelope(
        id=str(uuid4()),
        type=event.tag,
        source="order",
        time=at.isoformat(),
        subject=event.stream,
        correlation=str(uuid4()),
        causation=str(uuid4()),
        origin="client",
        version=1,
        epoch=owner.epoch,
        writer=owner.writer,
    )
    return envelope, event_codec.encode(event)


def placed(total: int = 100) -> OrderPlaced:
    """An order."""
    address = Address(name="Ada", street="1 Mill Lane", city="Springfield", postal_code="12345", country="US")
    return OrderPlaced(
        order_id=str(uuid4()),
        customer_id="ada",
        email="ada@customers.example",
        currency="USD",
        shipping_address=address,
        payment_token="tok_visa",
        lines=(),
        total=total,
    )


def confirmed(amount: int = 100) -> OrderConfirmed:
    """An order's good end."""
    return OrderConfirmed(order_id=str(uuid4()), email="ada@customers.example", skus=(), amount=amount, currency="USD")


def tell(event: Event) -> list[Command]:
    """A reaction: whoever has placed an order hears of it."""
    if not isinstance(event, OrderPlaced):
        return []
    return [
        RequestNotification(
            notification_id=derive(event.order_id, "told"),
            about=event.stream,
            recipient=event.email,
            template="order_placed",
            params={"total": event.total},
        )
    ]
