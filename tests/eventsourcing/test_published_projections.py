"""The library's published tests of projections pass: events on the log, view and position in Postgres."""

import gc
from collections.abc import Iterator

import pytest
from eventsourcing.tests import persistence, projection
from eventsourcing.utils import get_topic

from projections.tracking import TrackedView, datastore, environment
from tests.eventsourcing.counters import EventCounters
from tests.eventsourcing.ground import InMemory, Kept, drop_schema, fresh, new_schema

pytestmark = pytest.mark.infra


class OnPostgres:
    """A schema of the test's own."""

    @pytest.fixture(autouse=True)
    def _schema(self, postgres: str) -> Iterator[None]:
        self.url, self.schema = postgres, new_schema(postgres)
        self.datastore = datastore(postgres, self.schema)
        yield
        self.datastore.close()
        drop_schema(postgres, self.schema)

    def view(self) -> EventCounters:
        view = EventCounters(self.datastore, tracking_table_name="tracking")
        view.create_table()
        return view


class TestTrackingRecorder(OnPostgres, persistence.TrackingRecorderTestCase):  # type: ignore[misc]
    def create_recorder(self) -> TrackedView:
        return self.view()


class TestEventCountersView(OnPostgres, projection.EventCountersViewTestCase):  # type: ignore[misc]
    def construct_event_counters_view(self) -> EventCounters:
        return self.view()


class Projection(OnPostgres, projection.AggregateEventCountersProjectionTestCase):  # type: ignore[misc]
    __test__ = False
    view_class = EventCounters
    factory: type[Kept] = Kept

    @pytest.fixture(autouse=True)
    def _stand(self, _schema: None, kafka: str) -> Iterator[None]:
        # The view finds its settings by the projection's name, the application by its own.
        of_view = {f"EVENTCOUNTERS_{name}": value for name, value in environment(self.url, self.schema).items()}
        of_log = {"KAFKA_TOPIC": fresh("counted"), "KAFKA_BOOTSTRAP": kafka}
        self.env = {"PERSISTENCE_MODULE": get_topic(self.factory), **of_log, **of_view}
        yield
        Kept.close_all()
        gc.collect()  # the runner leaves the view's connections to the collector


class TestProjectionOfMemory(Projection):
    __test__ = True
    factory = InMemory


class TestProjectionOfKafka(Projection):
    __test__ = True
