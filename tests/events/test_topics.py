"""A stream's place never changes, and history is kept for ever."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from events.topics import MAX_BATCH_BYTES, OF_CONTEXTS, PARTITIONS, TOPICS, commands, events, partition_of, shelf_of
from schemas.settings import CONTEXTS
from tests.aggregates.laws import moderately
from tests.builders.values import BREAD, CHEESE, FIGS, MILK, WATER, A

PLACES = {
    f"order-{A}": (0, 0),
    f"payment-{A}": (1, 5),
    "product-apple": (2, 6),
    "user-x": (0, 8),
    "notification-1": (3, 11),
    "reservation-3-x": (2, 10),
    "": (0, 0),
}


@pytest.mark.parametrize("stream", PLACES)
def test_a_streams_place_never_changes(stream: str) -> None:
    assert (partition_of(stream, 4), partition_of(stream, 12)) == PLACES[stream]


def test_a_skus_shelf_never_changes() -> None:
    assert {sku: shelf_of(sku) for sku in (FIGS, MILK, WATER, BREAD, CHEESE, "apple", "jam")} == {
        FIGS: 0,
        MILK: 0,
        WATER: 0,
        BREAD: 1,
        CHEESE: 1,
        "apple": 2,
        "jam": 3,
    }


@moderately
@given(st.text())
def test_every_stream_has_a_place(stream: str) -> None:
    assert 0 <= partition_of(stream) < PARTITIONS


def test_every_context_has_a_topic_for_what_is_asked_and_one_for_what_happened() -> None:
    assert {topic.name for topic in OF_CONTEXTS} == {f(c) for c in CONTEXTS for f in (commands, events)}
    assert len(OF_CONTEXTS) == len({topic.name for topic in OF_CONTEXTS}) == 10
    assert all(topic.partitions == PARTITIONS for topic in OF_CONTEXTS)


def test_history_is_kept_for_ever_and_never_compacted() -> None:
    for topic in TOPICS:
        config = topic.config()
        assert (config["retention.ms"] == "-1") == (not topic.name.endswith(".commands"))
        assert (config["cleanup.policy"], config["retention.bytes"]) == ("delete", "-1")
        assert config["unclean.leader.election.enable"] == "false"


def test_the_broker_takes_every_batch_that_we_may_write() -> None:
    assert all(int(topic.config()["max.message.bytes"]) > MAX_BATCH_BYTES for topic in TOPICS)
