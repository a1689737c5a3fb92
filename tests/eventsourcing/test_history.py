"""The past of any aggregate can be read from the project's own topics, by us and by the library's own tools."""

import asyncio
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

import pytest
from eventsourcing.application import AggregateNotFoundError, Application
from eventsourcing.persistence import NotSupportedError

from aggregates.application import History, environment, place_of, projector
from aggregates.order import DECIDER, Status
from aggregates.repository import Repository
from aggregates.stage import Stage
from events.fence import Fence
from events.fenced import claim
from events.kafka import KafkaLog, create_topics
from events.log import Log, Place
from events.mapper import Recorded
from events.memory import MemoryLog
from events.topics import Topic, events, partition_of
from schemas.order import CancelOrder, ConfirmOrder, RecordReservation, ShipOrder
from schemas.values import Command
from tests.aggregates.desk import incoming
from tests.builders import order
from tests.builders.values import NOON, A, B
from tests.eventsourcing.ground import fresh

STREAM = f"order-{A}"
LIFE: tuple[Command, ...] = (
    order.place(),
    RecordReservation(order_id=A, skus=order.SKUS[:2]),
    RecordReservation(order_id=A, skus=order.SKUS[2:]),
    ConfirmOrder(order_id=A),
    CancelOrder(order_id=A, reason="customer's wish"),
    ShipOrder(order_id=A, tracking="too late"),
)
"""Five events, and the refusal of what came too late."""

TAGS = [
    "order.placed.v1",
    "order.lines_reserved.v1",
    "order.stock_secured.v1",
    "order.confirmed.v1",
    "order.cancelled.v1",
    "command.rejected.v1",
]


def test_the_state_of_an_order_is_known_at_every_version() -> None:
    with history() as past:
        statuses = [past.state_of("order", STREAM, version).status for version in range(1, 6)]
        assert statuses == [Status.PLACED, Status.PLACED, Status.SECURED, Status.CONFIRMED, Status.CANCELLED]
        assert past.state_of("order", STREAM) == past.state_of("order", STREAM, 5)


def test_events_come_with_their_versions_and_without_outcomes() -> None:
    with history() as past:
        assert [(found.originator_version, found.event.tag) for found in past.events_of("order", STREAM)] == list(
            enumerate(TAGS[:5], 1)
        )
        assert [found.event.tag for found in past.events_of("order", STREAM, after=3)] == TAGS[3:5]


def test_the_whole_partition_is_one_sequence_outcomes_included() -> None:
    with history() as past:
        sequence = past.recorder("order", place_of(STREAM))
        assert [found.topic for found in sequence.select_notifications(None, 100)] == TAGS
        rejected = sequence.select_notifications(None, 100, topics=["command.rejected.v1"])
        assert [found.originator_id for found in rejected] == [STREAM]


def test_an_order_that_nobody_placed_is_not_found() -> None:
    with history() as past, pytest.raises(AggregateNotFoundError):
        past.state_of("order", f"order-{B}")


def test_history_cannot_be_written() -> None:
    with history() as past, pytest.raises(NotSupportedError):
        past.recorder("order", 0).insert_events([])


def test_a_reservation_is_found_on_the_shelf_that_it_names() -> None:
    assert place_of(f"reservation-3-{A}") == 3
    assert place_of("product-figs") == partition_of("product-figs")


@pytest.mark.infra
def test_the_librarys_own_application_reads_our_topic(kafka: str) -> None:
    topic = fresh("order")
    asyncio.run(live_on(kafka, Place(topic, 0)))
    settings = environment(kafka, "order", 0) | {"KAFKA_TOPIC": topic}
    with closing(Application[str](settings)) as application:
        assert fold(application).status == Status.CANCELLED
        assert fold(application, version=4).status == Status.CONFIRMED
        assert [item.topic for item in application.notification_log["1,20"].items] == TAGS
        with pytest.raises(NotSupportedError):
            application.events.put([Recorded(STREAM, 6, order.delivered())])


@contextmanager
def history() -> Iterator[History]:
    log = MemoryLog()
    asyncio.run(live(log, Place(events("order"), place_of(STREAM))))
    with History(log) as past:
        yield past


async def live_on(bootstrap: str, place: Place) -> None:
    await create_topics(bootstrap, [Topic(place.topic, -1)])
    log = KafkaLog(bootstrap)
    await live(log, place)
    await log.close()


async def live(log: Log, place: Place) -> None:
    """What the writer does: decide, append, advance."""
    repository = Repository(DECIDER)
    owner = await claim(log, place, Fence(), repository.fold)
    for number, command in enumerate(LIFE):
        stage = Stage(repository, owner, NOON)
        stage.handle(incoming(command, name=str(number)))
        await owner.append(stage.commit)
        repository.advance(stage.entities, [envelope for envelope, _ in stage.commit])


def fold(application: Application[str], version: int | None = None) -> Any:
    return application.repository.get(STREAM, version=version, projector_func=projector(DECIDER, STREAM))
