"""Every way in which a topic could lose data is named, with what it would lose; to keep more loses nothing."""

from collections.abc import Mapping

import pytest

from events.cluster import TopicAsIs
from events.topics import TOPICS, Topic
from workers.operator.settings import Difference, differences, way_out

EVENTS, COMMANDS = TOPICS[1], TOPICS[0]
NOTHING: Mapping[str, str] = {}


def found(
    topic: Topic, changed: Mapping[str, str] = NOTHING, copies: int = 3, in_sync: int = 3, partitions: int = 4
) -> TopicAsIs:
    config = topic.config() | {"min.insync.replicas": "2"} | dict(changed)
    return TopicAsIs(topic.name, partitions, copies, in_sync, config)


def told(topic: Topic, as_is: TopicAsIs | None, replication: int = 3) -> list[Difference]:
    return list(differences(topic, as_is, replication))


def test_a_topic_as_the_table_says_has_no_difference() -> None:
    assert told(EVENTS, found(EVENTS)) == []


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("cleanup.policy", "compact"),
        ("cleanup.policy", "compact,delete"),
        ("retention.ms", "604800000"),
        ("retention.bytes", "1000000"),
        ("max.message.bytes", "1000"),
        ("unclean.leader.election.enable", "true"),
        ("min.insync.replicas", "1"),
    ],
)
def test_a_setting_that_loses_data_fails(setting: str, value: str) -> None:
    [one] = told(EVENTS, found(EVENTS, {setting: value}))
    assert (one.setting, one.found, one.level) == (setting, value, "fail")
    assert one.loses
    assert f"{setting}={one.wanted}" in way_out(one)


def test_partitions_and_copies_count() -> None:
    assert [one.setting for one in told(EVENTS, found(EVENTS, copies=1, in_sync=1, partitions=8))] == [
        "partitions",
        "replication",
    ]
    assert [(one.setting, one.level) for one in told(EVENTS, found(EVENTS, in_sync=2))] == [("in sync", "warn")]
    assert [one.setting for one in told(EVENTS, None)] == ["topic"]


def test_one_copy_is_enough_where_one_is_asked_for() -> None:
    assert told(EVENTS, found(EVENTS, copies=1, in_sync=1), replication=1) == []


def test_more_than_the_table_asks_for_loses_nothing() -> None:
    assert told(EVENTS, found(EVENTS, {"max.message.bytes": "9000000", "min.insync.replicas": "3"})) == []
    [kept] = told(COMMANDS, found(COMMANDS, {"retention.ms": "-1"}))
    assert kept.level == "warn"
