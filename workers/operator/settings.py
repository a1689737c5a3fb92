"""Settings of topics compared with the table: each difference with what it would lose."""

from collections.abc import Iterator
from typing import Literal

from msgspec import Struct

from events.cluster import TopicAsIs
from events.topics import Topic

Level = Literal["warn", "fail"]

LOSES = {
    "cleanup.policy": "compaction deletes all but the newest record of an aggregate: its history is gone",
    "retention.ms": "records are deleted after this time",
    "retention.bytes": "the oldest records are deleted beyond this size",
    "max.message.bytes": "a commit that is larger is refused, and its partition stands still",
    "unclean.leader.election.enable": "a replica that lags may become leader: acknowledged records vanish",
    "message.timestamp.type": "records lose the time at which they were written",
    "min.insync.replicas": "a record is acknowledged that lies on one disk alone",
}
LARGER_IS_SAFE = frozenset({"max.message.bytes", "min.insync.replicas"})
"""More than the table says loses nothing."""


class Difference(Struct, frozen=True):
    """Something that is not as the table of topics says."""

    topic: str
    setting: str
    wanted: str
    found: str
    loses: str
    level: Level


def differences(topic: Topic, found: TopicAsIs | None, replication: int) -> Iterator[Difference]:
    """How a topic differs from what it must be, with so many copies asked for."""
    if found is None:
        yield Difference(topic.name, "topic", "there", "missing", "nothing can be written to it", "fail")
        return
    if found.partitions != topic.partitions:
        why = "keys find another partition: two owners would decide on one aggregate"
        yield Difference(topic.name, "partitions", f"{topic.partitions}", f"{found.partitions}", why, "fail")
    if found.copies < replication:
        why = "a broker's disk that is lost takes records with it"
        yield Difference(topic.name, "replication", f"{replication}", f"{found.copies}", why, "fail")
    if found.in_sync < found.copies:
        why = "copies that lag do not protect"
        yield Difference(topic.name, "in sync", f"{found.copies}", f"{found.in_sync}", why, "warn")
    yield from _settings(topic, found)


def _settings(topic: Topic, found: TopicAsIs) -> Iterator[Difference]:
    wanted = topic.config() | ({"min.insync.replicas": "2"} if found.copies >= 3 else {})
    for name, value in wanted.items():
        there = found.config.get(name, "")
        if there == value or (name in LARGER_IS_SAFE and int(there or 0) > int(value)):
            continue
        level: Level = "warn" if _keeps_more(name, value, there) else "fail"
        yield Difference(topic.name, name, value, there, "nothing: more is kept" if level == "warn" else LOSES[name],
                         level)  # fmt: skip


def _keeps_more(name: str, wanted: str, found: str) -> bool:
    """Whether a topic that may forget forgets later than it might."""
    if name not in ("retention.ms", "retention.bytes") or wanted == "-1":
        return False
    return found == "-1" or int(found or 0) > int(wanted)


def words(difference: Difference) -> str:
    """In a sentence, with the way out."""
    one = difference
    said = f"{one.topic}: {one.setting} is {one.found or 'not set'}, must be {one.wanted}: {one.loses}"
    return f"{said}. {way_out(one)}"


def way_out(one: Difference) -> str:
    """What to do about it."""
    if one.setting == "topic":
        return "`orders topics create`"
    if one.setting == "partitions":
        return "partitions cannot be taken back: stop the workers, and copy the topic into a new one"
    if one.setting in ("replication", "in sync"):
        return "kafka-reassign-partitions.sh, or mend the broker that lags"
    return (
        f"kafka-configs.sh --alter --entity-type topics --entity-name {one.topic} "
        f"--add-config {one.setting}={one.wanted}"
    )
