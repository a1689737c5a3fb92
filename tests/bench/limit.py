"""Limit is what the bare client can do here and now: the same kind of records in batches, with no logic at all."""

import time
from uuid import uuid4

from events import topics
from events.envelope import Envelope
from events.kafka import KafkaLog, create_topics
from events.log import Draft, Place

RECORDS, BATCH = 40_000, 200


async def append_rate(kafka: str) -> float:
    """Records a second, appended in batches of 200 to one partition after the other, each awaited."""
    topic = topics.Topic(f"limit-{uuid4()}", -1)
    await create_topics(kafka, [topic])
    log = KafkaLog(kafka)
    name = str(uuid4())
    envelope = Envelope(name, "x.y.v1", "limit", "", name, name, name, name, version=1, epoch=1, writer=name)
    try:
        began = time.perf_counter()
        for number in range(RECORDS // BATCH):
            drafts = [Draft(name, b"x" * 200, envelope.headers()) for _ in range(BATCH)]
            await log.append(Place(topic.name, number % topics.PARTITIONS), drafts)
        return RECORDS / (time.perf_counter() - began)
    finally:
        await log.close()
