"""Ground is what a recorder stands on in a test, fresh for each."""

import asyncio
from collections.abc import Iterator
from typing import Any, ClassVar
from uuid import UUID, uuid4

import psycopg
import pytest
from eventsourcing.persistence import StoredEvent
from psycopg.sql import SQL, Identifier

from events.bridge import Bridge
from events.kafka import KafkaLog, create_topics
from events.log import Log, Place
from events.memory import MemoryLog
from events.recorder import Factory, KafkaApplicationRecorder
from events.topics import Topic


class Ground:
    """An in-memory log, or a Kafka at `bootstrap`; whoever asks for another bridge is another process."""

    def __init__(self, bootstrap: str | None = None) -> None:
        self._bootstrap = bootstrap
        self._bridges: list[Bridge] = []

    def bridge(self) -> Bridge:
        if self._bootstrap is None and self._bridges:
            return self._bridges[0]
        self._bridges.append(Bridge(MemoryLog() if self._bootstrap is None else KafkaLog(self._bootstrap)))
        return self._bridges[-1]

    def place(self) -> Place:
        topic = fresh("recorder")
        if self._bootstrap is not None:
            asyncio.run(create_topics(self._bootstrap, [Topic(topic, -1)]))
        return Place(topic, 0)

    def recorder(self, place: Place | None = None, **options: Any) -> KafkaApplicationRecorder:
        return KafkaApplicationRecorder(self.bridge(), place or self.place(), **options)

    def close(self) -> None:
        for bridge in self._bridges:
            bridge.close()


class OnMemory:
    """A published test on the in-memory log."""

    @pytest.fixture(autouse=True)
    def _stand(self) -> Iterator[None]:
        self.ground = Ground()
        yield
        self.ground.close()


class OnKafka:
    """A published test on Kafka."""

    @pytest.fixture(autouse=True)
    def _stand(self, kafka: str) -> Iterator[None]:
        self.ground = Ground(kafka)
        yield
        self.ground.close()


class Kept(Factory):
    """A factory that a test can close when the application under test forgets to."""

    made: ClassVar[list["Kept"]] = []

    def __init__(self, env: Any) -> None:
        super().__init__(env)
        self.made.append(self)

    @classmethod
    def close_all(cls) -> None:
        while cls.made:
            cls.made.pop().close()


class InMemory(Kept):
    """The same on the in-memory log."""

    def log(self) -> Log:
        return MemoryLog()


def fresh(name: str) -> str:
    return f"{name}-{uuid4().hex[:12]}"


def new_schema(url: str) -> str:
    schema = fresh("library")
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(SQL("CREATE SCHEMA {}").format(Identifier(schema)))
    return schema


def drop_schema(url: str, schema: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(SQL("DROP SCHEMA {} CASCADE").format(Identifier(schema)))


def stored(originator_id: UUID, version: int, state: bytes = b"{}") -> StoredEvent:
    return StoredEvent(originator_id, version, "thing.happened.v1", state)
