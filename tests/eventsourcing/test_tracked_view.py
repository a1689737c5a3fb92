"""A tracked view sees every event once, in batches too, whoever delivers them."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import pytest
from eventsourcing.persistence import Notification
from psycopg import Cursor
from psycopg.rows import DictRow

from projections.tracking import datastore
from tests.eventsourcing.counters import EventCounters
from tests.eventsourcing.ground import drop_schema, new_schema

pytestmark = pytest.mark.infra
SEQUENCE = "order.0"


@pytest.fixture
def view(postgres: str) -> Iterator[EventCounters]:
    schema = new_schema(postgres)
    connections = datastore(postgres, schema)
    view = EventCounters(connections, tracking_table_name="tracking")
    view.create_table()
    yield view
    connections.close()
    drop_schema(postgres, schema)


def test_a_batch_that_overlaps_another_counts_only_what_is_new(view: EventCounters) -> None:
    assert apply(view, 1, 30) == 30
    assert apply(view, 11, 50) == 20
    assert apply(view, 1, 50) == 0
    assert (view.get_created_event_counter(), view.max_tracking_id(SEQUENCE)) == (50, 50)


def test_two_first_batches_at_the_same_time_count_nothing_twice(postgres: str, view: EventCounters) -> None:
    with datastore(postgres, view.datastore.schema) as connections, ThreadPoolExecutor() as threads:
        other = EventCounters(connections, tracking_table_name="tracking")
        applied = [threads.submit(apply, view, 1, 300), threads.submit(apply, other, 1, 500)]
        assert sum(future.result() for future in applied) == 500
    assert view.get_created_event_counter() == 500


def test_a_batch_that_breaks_leaves_neither_view_nor_position(view: EventCounters) -> None:
    with pytest.raises(ZeroDivisionError):
        view.apply(SEQUENCE, notifications(1, 3), lambda cursor, n: break_at_three(view, cursor, n))
    assert (view.get_created_event_counter(), view.max_tracking_id(SEQUENCE)) == (0, None)


def break_at_three(view: EventCounters, cursor: Cursor[DictRow], notification: Notification) -> None:
    view.count(cursor, "created")
    assert 1 // (3 - notification.id) >= 0


def apply(view: EventCounters, first: int, last: int) -> int:
    return view.apply(SEQUENCE, notifications(first, last), lambda cursor, _: view.count(cursor, "created"))


def notifications(first: int, last: int) -> list[Notification]:
    return [Notification(uuid4(), 1, "thing.happened.v1", b"{}", id=id_) for id_ in range(first, last + 1)]
