"""Store applies a batch of recorded events to one context's read models, in one transaction with the checkpoint."""

import base64
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from msgspec import Struct, structs
from psycopg import sql
from psycopg.types.json import Jsonb

from events.envelope import CLIENT, Envelope
from events.errors import Undecodable
from events.event import Event
from events.fence import Fence
from events.log import Record
from events.outcome import CommandRejected, CommandUnchanged, RecordParked
from events.registry import event_codec
from events.topics import events as events_topic
from projections.postgres import Connection, Database
from projections.view import Projection


class Effective(Struct, frozen=True):
    """An effective record, decoded; `event` is None where that was impossible, and `reason` says why."""

    record: Record
    envelope: Envelope | None
    event: Event | None
    reason: str = ""

    @classmethod
    def of(cls, record: Record) -> "Effective":
        """Decode a record as far as possible."""
        try:
            envelope = Envelope.read(record.headers)
        except Undecodable as error:
            return cls(record, None, None, str(error))
        try:
            return cls(record, envelope, event_codec.decode(envelope.type, record.value))
        except Undecodable as error:
            return cls(record, envelope, None, str(error))


class Step(Struct, frozen=True):
    """A batch of one partition, and the checkpoints before and after it."""

    partition: int
    before: Fence
    after: Fence
    batch: Sequence[Effective]


class Moved(Exception):
    """Somebody else has moved the checkpoint: read it again."""


class Store:
    """The read models of one context."""

    def __init__(self, database: Database, context: str, projections: Sequence[Projection]) -> None:
        self._database, self._topic, self._projections = database, events_topic(context), projections

    async def checkpoints(self) -> dict[int, Fence]:
        """How far each partition has been read, with the claim in force there."""
        rows = await self._database.fetch("SELECT * FROM checkpoints")
        return {row["partition"]: Fence(row["next"], row["epoch"], row["writer"], row["ignored"]) for row in rows}

    async def apply(self, steps: Sequence[Step]) -> None:
        """Bring the read models from one checkpoint to the next: all partitions of it, or nothing.

        Raises:
            Moved: a checkpoint was not what its step begins with.
            DatabaseUnavailable: nothing was changed.
        """
        good = [(step.partition, item) for step in steps for item in step.batch if item.event is not None]
        async with self._database.transaction() as connection:
            # Always in the same order, lest two projectors wait for each other.
            for step in sorted(steps, key=lambda step: step.partition):
                await self._move(connection, step)
            for projection in self._projections:
                await self._project(connection, projection, good)
            await _insert(connection, "history", [_history(*item) for item in good])
            outcomes = [row for item in good if (row := _outcome(*item))]
            await _insert(connection, "outcomes", list({row[0]: row for row in reversed(outcomes)}.values()))
            letters = [
                row for step in steps for item in step.batch if (row := _dead_letter(self._topic, step.partition, item))
            ]
            await _insert(connection, "dead_letters", letters)

    async def _move(self, connection: Connection, step: Step) -> None:
        after = step.after
        # Locking the checkpoint first makes two projectors of one partition take turns; the second finds it moved.
        moved = await connection.execute(
            """INSERT INTO checkpoints AS c VALUES (%s, %s, %s, %s, %s) ON CONFLICT (partition) DO UPDATE
               SET next = excluded.next, epoch = excluded.epoch, writer = excluded.writer, ignored = excluded.ignored
               WHERE c.next = %s""",
            [step.partition, after.next, after.epoch, after.writer, after.ignored, step.before.next],
        )
        if not moved.rowcount:
            raise Moved

    async def _project(
        self, connection: Connection, projection: Projection, batch: Iterable[tuple[int, Effective]]
    ) -> None:
        touched = [
            (key, partition, item)
            for partition, item in batch
            if item.envelope and item.envelope.version and (key := projection.key_of(item.event))  # type: ignore[arg-type]
        ]
        if not touched:
            return
        keys = list({key for key, _, _ in touched})
        views: dict[str, Any] = {}
        found = await connection.execute(
            sql.SQL("SELECT {} FROM {} WHERE {} = ANY(%s)").format(
                sql.SQL(", ").join(map(sql.Identifier, projection.columns)),
                sql.Identifier(projection.name),
                sql.Identifier(projection.key),
            ),
            [keys],
        )
        for row in await found.fetchall():
            views[row[projection.key]] = projection.view(**row)
        changed: dict[str, tuple[Any, int, Effective]] = {}
        for key, partition, item in touched:
            assert item.envelope is not None  # noqa: S101
            view = projection.project(views.get(key), item.event, item.envelope.at)
            if view is not None:
                views[key] = view
                changed[key] = (view, partition, item)
        await self._upsert(connection, projection, changed)

    async def _upsert(
        self,
        connection: Connection,
        projection: Projection,
        changed: Mapping[str, tuple[Any, int, Effective]],
    ) -> None:
        if not changed:
            return
        columns = (*projection.columns, "version", "partition", "position")
        statement = sql.SQL("INSERT INTO {} ({}) VALUES ({}) ON CONFLICT ({}) DO UPDATE SET {}").format(
            sql.Identifier(projection.name),
            sql.SQL(", ").join(map(sql.Identifier, columns)),
            sql.SQL(", ").join(sql.Placeholder() for _ in columns),
            sql.Identifier(projection.key),
            sql.SQL(", ").join(sql.SQL("{0} = excluded.{0}").format(sql.Identifier(name)) for name in columns[1:]),
        )
        rows = [
            [
                *(_adapted(value) for value in structs.astuple(view)),
                item.envelope.version if item.envelope else 0,
                partition,
                item.record.offset,
            ]
            for view, partition, item in changed.values()
        ]
        async with connection.cursor() as cursor:
            await cursor.executemany(statement, rows)


def _adapted(value: Any) -> Any:
    return Jsonb(value) if isinstance(value, (dict, list, tuple)) else value


async def _insert(connection: Connection, table: str, rows: Sequence[Sequence[Any]]) -> None:
    if not rows:
        return
    values = sql.SQL(", ").join(sql.Placeholder() for _ in rows[0])
    statement = sql.SQL("INSERT INTO {} VALUES ({}) ON CONFLICT DO NOTHING").format(sql.Identifier(table), values)
    async with connection.cursor() as cursor:
        await cursor.executemany(statement, rows)


def _history(partition: int, item: Effective) -> list[Any]:
    envelope, record = item.envelope, item.record
    assert envelope is not None  # noqa: S101
    return [
        partition, record.offset, envelope.subject, envelope.version, envelope.id, envelope.type, envelope.at,
        envelope.correlation, envelope.causation, record.value.decode(),
    ]  # fmt: skip


def _outcome(partition: int, item: Effective) -> list[Any] | None:
    """What became of a client's command: its first event tells."""
    envelope, event = item.envelope, item.event
    if envelope is None or envelope.origin != CLIENT:
        return None
    match event:
        case CommandRejected():
            said = ["rejected", event.code, event.detail]
        case CommandUnchanged():
            said = ["unchanged", "", ""]
        case RecordParked():
            said = ["parked", "Parked", event.reason]
        case _:
            said = ["accepted", "", ""]
    return [envelope.causation, *said, envelope.subject, partition, item.record.offset, envelope.at]


def _dead_letter(topic: str, partition: int, item: Effective) -> list[Any] | None:
    record, event = item.record, item.event
    if isinstance(event, RecordParked):
        at = item.envelope.at if item.envelope else None
        return [event.topic, event.partition, event.offset, event.reason, event.about, event.key, event.value, at]
    if event is None:
        key, value = base64.b64encode(record.key).decode(), base64.b64encode(record.value).decode()
        stream = item.envelope.subject if item.envelope else record.key.decode(errors="replace").replace("\0", "")

        return [
            topic,
            partition,
            record.offset,
            item.reason,
            stream,
            key,
            value,
            datetime.fromtimestamp(record.timestamp / 1000, UTC),
        ]
    return None
