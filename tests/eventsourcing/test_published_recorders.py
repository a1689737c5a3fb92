"""The library's published tests of recorders pass on the log: `eventsourcing.tests.persistence`."""

import pytest
from eventsourcing.tests import persistence

from events.recorder import KafkaAggregateRecorder, KafkaApplicationRecorder
from tests.eventsourcing.ground import Ground, OnKafka, OnMemory


class AggregateRecorder(persistence.AggregateRecorderTestCase):  # type: ignore[misc]
    __test__ = False
    ground: Ground

    def create_recorder(self) -> KafkaAggregateRecorder:
        return KafkaAggregateRecorder(self.ground.bridge(), self.ground.place())


class ApplicationRecorder(persistence.ApplicationRecorderTestCase):  # type: ignore[misc]
    __test__ = False
    ground: Ground
    claims = True
    EXPECT_CONTIGUOUS_NOTIFICATION_IDS = False  # claims take offsets

    def create_recorder(self) -> KafkaApplicationRecorder:
        return self.ground.recorder(claims=self.claims)

    def test_insert_select(self) -> None:
        # It hard-codes ids 1, 2, 3, which a claim would shift: claims are off, for this one and the next.
        self.claims = False
        super().test_insert_select()

    def test_insert_subscribe_without_claims(self) -> None:
        self.claims, self.EXPECT_CONTIGUOUS_NOTIFICATION_IDS = False, True
        super().optional_test_insert_subscribe()

    def test_insert_subscribe(self) -> None:
        recorder_starts_at_the_claim = 1
        super().optional_test_insert_subscribe(initial_position=recorder_starts_at_the_claim)


class NonInterleaving(persistence.NonInterleavingNotificationIDsBaseCase):  # type: ignore[misc]
    __test__ = False
    ground: Ground

    def create_recorder(self) -> KafkaApplicationRecorder:
        return self.ground.recorder()


class TestAggregateRecorderInMemory(OnMemory, AggregateRecorder):
    __test__ = True


class TestApplicationRecorderInMemory(OnMemory, ApplicationRecorder):
    __test__ = True


class TestNonInterleavingInMemory(OnMemory, NonInterleaving):
    __test__ = True


@pytest.mark.infra
class TestAggregateRecorderOnKafka(OnKafka, AggregateRecorder):
    __test__ = True


@pytest.mark.infra
class TestApplicationRecorderOnKafka(OnKafka, ApplicationRecorder):
    __test__ = True


@pytest.mark.infra
class TestNonInterleavingOnKafka(OnKafka, NonInterleaving):
    __test__ = True
