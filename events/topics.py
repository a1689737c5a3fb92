"""Topics is the one table of every topic: who writes it, how long it is kept, how keys find their partition."""

from functools import lru_cache
from zlib import crc32

import msgspec

from schemas.settings import CONTEXTS
from schemas.values import Command

PARTITIONS = 4
"""Partitions of every topic of a context, fixed from the first day: a stream's place never changes."""

_WEEK_MS = 7 * 24 * 3600 * 1000


class Topic(msgspec.Struct, frozen=True):
    """A topic as it must be: retention in milliseconds, -1 for ever."""

    name: str
    retention_ms: int
    partitions: int = PARTITIONS

    def config(self) -> dict[str, str]:
        """The broker's settings for it. Events are never compacted: history is the product."""
        return {
            "cleanup.policy": "delete",
            "retention.ms": str(self.retention_ms),
            "retention.bytes": "-1",
            "max.message.bytes": str(MAX_BATCH_BYTES + 100_000),
            "unclean.leader.election.enable": "false",
            "message.timestamp.type": "CreateTime",
        }


MAX_BATCH_BYTES = 1_000_000
"""The largest RecordBatch that is appended; one commit must fit."""


def commands(context: str) -> str:
    """The topic that a context's commands arrive on."""
    return f"{context}.commands"


def events(context: str) -> str:
    """The topic that holds a context's history: the truth."""
    return f"{context}.events"


OF_CONTEXTS = tuple(
    topic for context in CONTEXTS for topic in (Topic(commands(context), _WEEK_MS), Topic(events(context), -1))
)
"""What the contexts live on."""

AUDIT = Topic("operations.audit", -1, partitions=1)
"""What operators did, in one order. It has no owner and no fence, for nothing is decided from it (decision 0009)."""

TOPICS = (*OF_CONTEXTS, AUDIT)


def partition_of(stream: str, partitions: int = PARTITIONS) -> int:
    """The partition where a stream lives (CRC-32 of its name, as librdkafka's `consistent` partitioner)."""
    return crc32(stream.encode()) % partitions


def partition_asked(command: Command) -> int:
    """The partition that a command goes to."""
    return partition_of(command.stream) if command.shelf is None else command.shelf


@lru_cache(maxsize=100_000)
def shelf_of(sku: str) -> int:
    """The partition of the product context where a SKU's stock lives."""
    return partition_of(f"product-{sku}")
