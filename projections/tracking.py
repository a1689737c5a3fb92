"""Tracking keeps a position in the same Postgres transaction as the view that has come so far.

For projections made with the `eventsourcing` library: an application is one partition, its position a notification id.
"""

from collections.abc import Callable, Sequence

from eventsourcing.persistence import Notification, Tracking
from eventsourcing.postgres import PostgresDatastore, PostgresTrackingRecorder
from psycopg import Cursor
from psycopg.conninfo import conninfo_to_dict
from psycopg.rows import DictRow
from psycopg.sql import SQL, Identifier

Apply = Callable[[Cursor[DictRow], Notification], None]
"""Changes the view by one event."""


def environment(url: str, schema: str = "") -> dict[str, str]:
    """The variables by which the library's Postgres factory finds a database."""
    found = conninfo_to_dict(url)
    return {
        "PERSISTENCE_MODULE": "eventsourcing.postgres",
        "POSTGRES_DBNAME": str(found["dbname"]),
        "POSTGRES_HOST": str(found.get("host") or "127.0.0.1"),
        "POSTGRES_PORT": str(found.get("port") or 5432),
        "POSTGRES_USER": str(found.get("user") or "orderlog"),
        "POSTGRES_PASSWORD": str(found.get("password") or ""),
        "POSTGRES_SCHEMA": schema,
    }


def datastore(url: str, schema: str = "") -> PostgresDatastore:
    """The library's connections to a database; close it."""
    env = environment(url, schema)
    return PostgresDatastore(
        dbname=env["POSTGRES_DBNAME"],
        host=env["POSTGRES_HOST"],
        port=env["POSTGRES_PORT"],
        user=env["POSTGRES_USER"],
        password=env["POSTGRES_PASSWORD"],
        schema=schema,
    )


class TrackedView(PostgresTrackingRecorder):
    """The base of a view: apply events one by one (`incr…(tracking)`), or in batches, which is 200 times faster."""

    def apply(self, application_name: str, notifications: Sequence[Notification], change: Apply) -> int:
        """Apply those notifications that the view has not seen, with their position, or none; return how many.

        A batch that overlaps an earlier one is therefore harmless, whoever delivers it, and at the same time.
        """
        if not notifications:
            return 0
        with self.datastore.transaction(commit=True) as cursor:
            position = self._locked(cursor, application_name)
            fresh = [notification for notification in notifications if notification.id > position]
            for notification in fresh:
                change(cursor, notification)
            if fresh:
                self._insert_tracking(cursor, Tracking(application_name, fresh[-1].id))
        return len(fresh)

    def _locked(self, cursor: Cursor[DictRow], application_name: str) -> int:
        # Two first batches would both find no row to lock, and both apply what they share: so a row comes first.
        table = Identifier(self.datastore.schema, self.tracking_table_name)
        cursor.execute(SQL("INSERT INTO {} VALUES (%s, 0) ON CONFLICT DO NOTHING").format(table), [application_name])
        cursor.execute(
            SQL("SELECT notification_id FROM {} WHERE application_name = %s FOR UPDATE").format(table),
            [application_name],
        )
        row = cursor.fetchone()
        return int(row["notification_id"]) if row else 0
