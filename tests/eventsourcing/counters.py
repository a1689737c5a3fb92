"""Counters is a view with a position, as small as can be: how many events there were of two kinds."""

from typing import Any

from eventsourcing.persistence import Tracking
from eventsourcing.tests import projection
from psycopg import Cursor
from psycopg.rows import DictRow
from psycopg.sql import SQL, Identifier

from projections.tracking import TrackedView


class EventCounters(TrackedView, projection.EventCountersView):  # type: ignore[misc]
    """Counts events of two kinds."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.counters = Identifier(self.datastore.schema, "counters")
        create = SQL("CREATE TABLE IF NOT EXISTS {} (kind text PRIMARY KEY, many bigint NOT NULL)")
        self.sql_create_statements.append(create.format(self.counters))

    def get_created_event_counter(self) -> int:
        return self._count("created")

    def get_subsequent_event_counter(self) -> int:
        return self._count("subsequent")

    def incr_created_event_counter(self, tracking: Tracking) -> None:
        self._increment("created", tracking)

    def incr_subsequent_event_counter(self, tracking: Tracking) -> None:
        self._increment("subsequent", tracking)

    def count(self, cursor: Cursor[DictRow], kind: str) -> None:
        cursor.execute(
            SQL("INSERT INTO {0} VALUES (%s, 1) ON CONFLICT (kind) DO UPDATE SET many = {0}.many + 1").format(
                self.counters
            ),
            [kind],
        )

    def _increment(self, kind: str, tracking: Tracking) -> None:
        with self.datastore.transaction(commit=True) as cursor:
            self._insert_tracking(cursor, tracking)
            self.count(cursor, kind)

    def _count(self, kind: str) -> int:
        with self.datastore.transaction() as cursor:
            cursor.execute(SQL("SELECT many FROM {} WHERE kind = %s").format(self.counters), [kind])
            row = cursor.fetchone()
            return row["many"] if row else 0
