"""The library's published tests of factories and applications pass on the log."""

import os
from collections.abc import Iterator
from typing import Any

import pytest
from eventsourcing.persistence import NotSupportedError, TrackingRecorder
from eventsourcing.popo import POPOTrackingRecorder
from eventsourcing.tests import application, persistence
from eventsourcing.utils import Environment, get_topic

from events.recorder import Factory, KafkaAggregateRecorder, KafkaApplicationRecorder
from tests.eventsourcing.ground import InMemory, Kept, fresh


class OtherTracking(POPOTrackingRecorder):
    """A tracking recorder that somebody names."""


class InfrastructureFactory(persistence.InfrastructureFactoryTestCase):  # type: ignore[misc]
    __test__ = False

    def expected_factory_class(self) -> type[Factory]:
        return Factory

    def expected_aggregate_recorder_class(self) -> type[KafkaAggregateRecorder]:
        return KafkaAggregateRecorder

    def expected_application_recorder_class(self) -> type[KafkaApplicationRecorder]:
        return KafkaApplicationRecorder

    def expected_tracking_recorder_class(self) -> type[TrackingRecorder]:
        return POPOTrackingRecorder

    def tracking_recorder_subclass(self) -> type[TrackingRecorder]:
        return OtherTracking

    def expected_process_recorder_class(self) -> Any:
        raise NotImplementedError

    def test_create_process_recorder(self) -> None:
        # There is none: a position in Postgres and events on Kafka cannot be one write.
        with pytest.raises(NotSupportedError):
            self.factory.process_recorder()


class TestFactoryInMemory(InfrastructureFactory):
    __test__ = True

    def setUp(self) -> None:
        self.env = Environment("", {"PERSISTENCE_MODULE": get_topic(InMemory), "KAFKA_TOPIC": "things"})
        super().setUp()


@pytest.mark.infra
class TestFactoryOnKafka(InfrastructureFactory):
    __test__ = True

    @pytest.fixture(autouse=True)
    def _stand(self, kafka: str) -> None:
        topic = fresh("factory")
        settings = {"PERSISTENCE_MODULE": "events.recorder", "KAFKA_BOOTSTRAP": kafka, "KAFKA_TOPIC": topic}
        self.env = Environment("", settings)


class TestExampleApplicationInMemory(application.ExampleApplicationTestCase):  # type: ignore[misc]
    expected_factory_topic = get_topic(InMemory)

    @pytest.fixture(autouse=True)
    def _stand(self, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
        yield from stand(monkeypatch, InMemory, {"KAFKA_TOPIC": "bank"})


@pytest.mark.infra
class TestExampleApplicationOnKafka(application.ExampleApplicationTestCase):  # type: ignore[misc]
    expected_factory_topic = get_topic(Kept)

    @pytest.fixture(autouse=True)
    def _stand(self, monkeypatch: pytest.MonkeyPatch, kafka: str) -> Iterator[None]:
        yield from stand(monkeypatch, Kept, {"KAFKA_TOPIC": fresh("bank"), "KAFKA_BOOTSTRAP": kafka})


def stand(monkeypatch: pytest.MonkeyPatch, factory: type[Kept], settings: dict[str, str]) -> Iterator[None]:
    """The test builds its application from the environment, and closes nothing."""
    monkeypatch.setattr(os, "environ", os.environ | {"PERSISTENCE_MODULE": get_topic(factory), **settings})
    yield
    Kept.close_all()
