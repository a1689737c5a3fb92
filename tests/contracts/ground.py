"""Ground is what a contract is tested on: a log with fresh places, and hands for what only an operator can do."""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Mapping
from uuid import uuid4

from aiokafka.admin import AIOKafkaAdminClient, RecordsToDelete
from aiokafka.structs import TopicPartition

from events.errors import Unavailable
from events.kafka import KafkaLog, create_topics
from events.log import Draft, Log, Place, Position, Reader, Record
from events.memory import MemoryLog
from events.topics import Topic

DEADLINE_SECONDS = 20.0


class Ground(ABC):
    """A log; `other` reaches the same records as another process would."""

    def __init__(self, log: Log, other: Log) -> None:
        self.log, self.other = log, other
        self._readers: list[Reader] = []

    @abstractmethod
    async def place(self) -> Place:
        """An empty partition."""

    @abstractmethod
    async def truncate(self, place: Place, first: int) -> None:
        """Delete all records before an offset, as retention would."""

    async def reader(self, positions: Mapping[Place, int]) -> Reader:
        """A reader that is closed after the test."""
        self._readers.append(await self.log.reader(positions))
        return self._readers[-1]

    async def close(self) -> None:
        """Let go."""
        for reader in self._readers:
            await reader.close()


class InMemory(Ground):
    """The twin."""

    def __init__(self) -> None:
        self._twin = MemoryLog()
        super().__init__(self._twin, self._twin)

    async def place(self) -> Place:
        return Place(fresh(), 0)

    async def truncate(self, place: Place, first: int) -> None:
        self._twin.first[place] = first


class OnKafka(Ground):
    """A real broker."""

    def __init__(self, bootstrap: str) -> None:
        self._bootstrap = bootstrap
        self._logs = KafkaLog(bootstrap), KafkaLog(bootstrap)
        super().__init__(*self._logs)

    async def place(self) -> Place:
        topic = fresh()
        await create_topics(self._bootstrap, [Topic(topic, -1)])
        return Place(topic, 0)

    async def truncate(self, place: Place, first: int) -> None:
        admin = AIOKafkaAdminClient(bootstrap_servers=self._bootstrap)
        await admin.start()
        try:
            await admin.delete_records({TopicPartition(*place): RecordsToDelete(before_offset=first)})
        finally:
            await admin.close()

    async def close(self) -> None:
        await super().close()
        for log in self._logs:
            await log.close()


def fresh() -> str:
    return f"contract-{uuid4().hex[:12]}"


def drafts(*values: str) -> list[Draft]:
    """Records with these values, for one key."""
    return [Draft("key", value.encode(), [("ce_type", b"told")]) for value in values]


def values(records: list[Record]) -> list[str]:
    return [record.value.decode() for record in records]


async def read(reader: Reader, place: Place, count: int) -> list[Record]:
    """The next so many records of a place."""
    found: list[Record] = []
    for _ in range(int(DEADLINE_SECONDS)):
        found += (await reader.batch(timeout=1.0)).get(place, [])
        if len(found) >= count:
            return found
    raise AssertionError(f"{len(found)} of {count} records came in {DEADLINE_SECONDS} s")


async def committed(log: Log, group: str) -> dict[Place, Position]:
    """A group's positions; a broker that has just begun needs a moment until it has a place for groups."""
    for _ in range(100):
        try:
            return await log.committed(group)
        except Unavailable:
            await asyncio.sleep(DEADLINE_SECONDS / 100)
    return await log.committed(group)
