"""KafkaLog is the log on Kafka: one idempotent RecordBatch per append, readers that belong to no group."""

import asyncio
import logging
import os
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRebalanceListener, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import KafkaError, NoOffsetForPartitionError, OffsetOutOfRangeError, for_code
from aiokafka.structs import OffsetAndMetadata

from events.errors import Fenced, TooLarge, Truncated, Unavailable
from events.lenient import read_leniently, whole
from events.log import Draft, Place, Position, Record
from events.sweep import Found
from events.topics import MAX_BATCH_BYTES, Topic
from events.unpack import record_of, unpack

logger = logging.getLogger(__name__)
# Its normal life is noisy, and a fresh broker makes every first consumer complain once.
logging.getLogger("aiokafka").setLevel(logging.ERROR)
logging.getLogger("aiokafka.consumer.group_coordinator").setLevel(logging.CRITICAL)
read_leniently()

REQUEST_TIMEOUT_MS = 5000
PATIENCE_MS = 40_000
"""For topics to be created, which may take brokers long."""

C = TypeVar("C", AIOKafkaConsumer, AIOKafkaProducer)


class KafkaLog:
    """The log on the brokers at `bootstrap` (host:port, comma separated)."""

    def __init__(self, bootstrap: str) -> None:
        self.bootstrap = bootstrap
        # One a topic: a producer has one request under way at a time, and a commit must not wait for another topic's.
        self._producers: dict[str, AIOKafkaProducer] = {}
        self._starting = asyncio.Lock()
        self._committers: dict[str, AIOKafkaConsumer] = {}
        self._watcher: AIOKafkaConsumer | None = None

    async def close(self) -> None:
        """Let go of every connection."""
        for consumer in [*self._committers.values(), self._watcher]:
            if consumer is not None:
                await consumer.stop()
        for producer in self._producers.values():
            await producer.stop()
        self._committers, self._watcher, self._producers = {}, None, {}

    async def append(self, place: Place, drafts: Sequence[Draft]) -> int:
        """As Log.append."""
        producer = await self._get_producer(place.topic)
        batch = producer.create_batch()
        now = int(time.time() * 1000)
        for draft in drafts:
            added = batch.append(key=draft.key.encode(), value=draft.value, timestamp=now, headers=draft.headers)
            if added is None or batch.size() > MAX_BATCH_BYTES:
                raise TooLarge(f"{len(drafts)} records for {place} do not fit into {MAX_BATCH_BYTES} bytes")
        try:
            delivery = await producer.send_batch(batch, place.topic, partition=place.partition)
            written = await delivery
        except KafkaError as error:
            # After most errors the producer object is dead, and whether the batch was written is unknown.
            await self._discard(place.topic, producer)
            raise Fenced(f"{place}: {error!r}") from error
        return int(written.offset)

    async def bounds(self, place: Place) -> tuple[int, int]:
        """As Log.bounds."""
        partition = TopicPartition(*place)
        try:
            watcher = await self._get_watcher()
            first = await watcher.beginning_offsets([partition])
            end = await watcher.end_offsets([partition])
        except (KafkaError, ValueError) as error:
            raise Unavailable(f"{place}: {error!r}") from error
        return first[partition], end[partition]

    async def reader(self, positions: Mapping[Place, int]) -> "KafkaReader":
        """As Log.reader."""
        return KafkaReader(await self._following(positions))

    async def sweep(self, place: Place, start: int) -> "KafkaSweep":
        """As Sweeps.sweep."""
        return KafkaSweep(await self._following({place: start}, value_deserializer=whole), place)

    async def _following(self, positions: Mapping[Place, int], **more: Any) -> AIOKafkaConsumer:
        for place, position in positions.items():
            first, _ = await self.bounds(place)
            if position < first:
                raise Truncated(f"{place} begins at {first}, after {position}")
        consumer = await _started(self._consumer(**more))
        consumer.assign([TopicPartition(*place) for place in positions])
        for place, position in positions.items():
            consumer.seek(TopicPartition(*place), position)
        return consumer

    async def committed(self, group: str) -> dict[Place, Position]:
        """As Log.committed."""
        async with administrator(self.bootstrap) as admin:
            found = await admin.list_consumer_group_offsets(group)
        return {
            Place(tp.topic, tp.partition): Position(kept.offset, kept.metadata)
            for tp, kept in found.items()
            if kept.offset >= 0
        }

    async def commit(self, group: str, positions: Mapping[Place, Position]) -> None:
        """As Log.commit."""
        offsets = {
            TopicPartition(*place): OffsetAndMetadata(position.offset, position.note)
            for place, position in positions.items()
        }
        try:
            committer = await self._get_committer(group)
            committer.assign(list(set(offsets) | committer.assignment()))
            await committer.commit(offsets)
        except KafkaError as error:
            raise Unavailable(repr(error)) from error

    def _consumer(self, group: str | None = None, **more: Any) -> AIOKafkaConsumer:
        return AIOKafkaConsumer(
            bootstrap_servers=self.bootstrap,
            group_id=group,
            enable_auto_commit=False,
            auto_offset_reset="none",
            fetch_max_wait_ms=500,
            max_partition_fetch_bytes=4 * MAX_BATCH_BYTES,
            request_timeout_ms=REQUEST_TIMEOUT_MS,
            retry_backoff_ms=50,
            metadata_max_age_ms=60_000,
            **more,
        )

    async def _get_committer(self, group: str) -> AIOKafkaConsumer:
        async with self._starting:
            if group not in self._committers:
                self._committers[group] = await _started(self._consumer(group))
            return self._committers[group]

    async def _get_watcher(self) -> AIOKafkaConsumer:
        async with self._starting:
            if self._watcher is None:
                self._watcher = await _started(self._consumer())
            return self._watcher

    async def _get_producer(self, topic: str) -> AIOKafkaProducer:
        if topic in self._producers:
            return self._producers[topic]
        async with self._starting:
            if topic not in self._producers:
                producer = AIOKafkaProducer(
                    bootstrap_servers=self.bootstrap,
                    acks="all",
                    enable_idempotence=True,
                    max_batch_size=MAX_BATCH_BYTES,
                    max_request_size=4 * MAX_BATCH_BYTES,
                    request_timeout_ms=REQUEST_TIMEOUT_MS,
                    retry_backoff_ms=20,
                )
                self._producers[topic] = await _started(producer)
            return self._producers[topic]

    async def _discard(self, topic: str, producer: AIOKafkaProducer) -> None:
        if self._producers.get(topic) is not producer:
            return
        del self._producers[topic]
        logger.warning("producer for %s discarded; the next append makes a new one", topic)
        # Its other batches are in doubt too: stop() would wait for them, so it goes on beside us.
        task = asyncio.get_running_loop().create_task(_stopped(producer))
        _stopping.add(task)
        task.add_done_callback(_stopping.discard)


async def _started(client: C) -> C:
    """A client that has connected; one that half started, and was cancelled even, is stopped.

    Raises:
        Unavailable: it cannot connect.
    """
    try:
        await _unbroken(client.start())
    except BaseException as error:
        await client.stop()
        if isinstance(error, KafkaError):
            raise Unavailable(repr(error)) from error
        raise
    return client


@asynccontextmanager
async def administrator(bootstrap: str, request_timeout_ms: int = REQUEST_TIMEOUT_MS) -> AsyncIterator[Any]:
    """An administrator's connection to the brokers.

    Raises:
        Unavailable: there is no answer, to whatever is asked over it.
    """
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap, request_timeout_ms=request_timeout_ms)
    try:
        await _unbroken(admin.start())
        yield admin
    except KafkaError as error:
        raise Unavailable(repr(error)) from error
    finally:
        await admin.close()


async def _unbroken(starting: Awaitable[None]) -> None:
    """Let a client start: aiokafka would leave a connection behind if it were cancelled while it connects."""
    task = asyncio.ensure_future(starting)
    try:
        await asyncio.shield(task)
    except BaseException:
        await asyncio.gather(task, return_exceptions=True)
        raise


_stopping: set[asyncio.Task[None]] = set()


async def _stopped(producer: AIOKafkaProducer) -> None:
    try:
        await producer.stop()
    except (KafkaError, AssertionError) as error:
        logger.info("discarded producer did not stop cleanly: %r", error)


class KafkaReader:
    """A reader on Kafka."""

    def __init__(self, consumer: AIOKafkaConsumer) -> None:
        self._consumer = consumer

    async def batch(self, max_records: int = 500, timeout: float = 1.0) -> dict[Place, list[Record]]:
        """As Reader.batch."""
        found = await self.fetched(timeout, max_records)
        return {
            Place(tp.topic, tp.partition): [record_of(record) for record in records]
            for tp, records in found.items()
            if records
        }

    async def fetched(self, timeout: float, max_records: int | None = None) -> dict[TopicPartition, list[Any]]:
        """What the consumer hands out.

        Raises:
            Truncated, Unavailable: as a reader does.
        """
        try:
            found = await self._consumer.getmany(timeout_ms=int(timeout * 1000), max_records=max_records)
        except (OffsetOutOfRangeError, NoOffsetForPartitionError) as error:
            raise Truncated(repr(error)) from error
        except KafkaError as error:
            raise Unavailable(repr(error)) from error
        return dict(found)

    def seek(self, place: Place, offset: int) -> None:
        """As Reader.seek."""
        self._consumer.seek(TopicPartition(*place), offset)

    async def position(self, place: Place) -> int:
        """As Reader.position."""
        try:
            return int(await self._consumer.position(TopicPartition(*place)))
        except KafkaError as error:
            raise Unavailable(repr(error)) from error

    async def close(self) -> None:
        """As Reader.close."""
        await self._consumer.stop()


class KafkaSweep:
    """A sweep on Kafka: batches come whole, and are unpacked when they are looked at."""

    def __init__(self, consumer: AIOKafkaConsumer, place: Place) -> None:
        self._consumer, self._reader, self._place = consumer, KafkaReader(consumer), place

    async def batch(self, timeout: float = 1.0) -> Iterable[list[Found]]:
        """As Sweep.batch."""
        wholes = (await self._reader.fetched(timeout)).get(TopicPartition(*self._place), [])
        return filter(None, map(unpack, wholes))

    async def position(self) -> int:
        """As Sweep.position."""
        return await self._reader.position(self._place)

    async def close(self) -> None:
        """As Sweep.close."""
        await self._reader.close()


def this_process() -> str:
    """The name by which operators find this process: host and number."""
    return f"orderlog-{socket.gethostname()}-{os.getpid()}"


Assigned = Callable[[frozenset[int]], Awaitable[None]]


class Membership(ConsumerRebalanceListener):  # type: ignore[misc]
    """A place in a context's group: Kafka's group protocol says which partitions are ours, and nothing else.

    `assigned` is awaited with the set that is ours now: the empty set before every rebalance, the new set after.
    """

    def __init__(self, bootstrap: str, context: str, topic: str, session_timeout_ms: int, assigned: Assigned) -> None:
        self._topic, self._assigned = topic, assigned
        self._options = {
            "bootstrap_servers": bootstrap,
            "client_id": this_process(),
            "group_id": f"{context}.writers",
            "enable_auto_commit": False,
            "auto_offset_reset": "latest",
            "session_timeout_ms": session_timeout_ms,
            "heartbeat_interval_ms": max(session_timeout_ms // 6, 300),
            "rebalance_timeout_ms": 10_000,
            "metadata_max_age_ms": 60_000,
        }

    async def run(self) -> None:
        """Be a member until cancelled."""
        self._consumer = await self._joined()
        try:
            while True:
                # The records are not wanted, only the membership: every partition is paused.
                await self._consumer.getmany(timeout_ms=1000)
        finally:
            await self._consumer.stop()

    async def _joined(self) -> AIOKafkaConsumer:
        while True:
            self._consumer = AIOKafkaConsumer(**self._options)
            self._consumer.subscribe([self._topic], listener=self)
            try:
                return await _started(self._consumer)
            except Unavailable as fault:
                logger.warning("waiting for Kafka: %s", fault)
                await asyncio.sleep(1)

    async def on_partitions_revoked(self, revoked: set[TopicPartition]) -> None:
        await self._assigned(frozenset())

    async def on_partitions_assigned(self, assigned: set[TopicPartition]) -> None:
        self._consumer.pause(*assigned)
        await self._assigned(frozenset(tp.partition for tp in assigned))


async def create_topics(bootstrap: str, topics: Sequence[Topic], replication: int = 1) -> list[str]:
    """Create those topics that do not exist yet, and return their names.

    Raises:
        Unavailable: naming what the broker refused.
    """
    async with administrator(bootstrap, PATIENCE_MS) as admin:
        existing = set(await admin.list_topics())
        missing = [topic for topic in topics if topic.name not in existing]
        if missing:
            config = {"min.insync.replicas": "2"} if replication >= 3 else {}
            answer = await admin.create_topics(
                [NewTopic(t.name, t.partitions, replication, topic_configs={**t.config(), **config}) for t in missing]
            )
            for name, code, detail in answer.topic_errors:
                if code not in (0, 36):  # 36: somebody else created it in the meantime
                    raise Unavailable(f"topic {name}: {detail or for_code(code).__name__}")
    return [topic.name for topic in missing]
