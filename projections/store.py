"""Store applies a batch of recorded events to one context's read models, in one transaction with the checkpoint."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from typing import Any

from msgspec import Raw, Struct, json, structs
from psycopg import AsyncCursor

from events.envelope import CLIENT, Envelope
from events.errors import Undecodable
from events.event import Event
from events.failpoints import reach
from events.fence import Fence
from events.letter import LetterEvent
from events.log import Record
from events.outcome import CommandRejected, CommandUnchanged, RecordParked
from events.registry import event_codec
from events.topics import events as events_topic
from projections import letters
from projections.postgres import Connection, Database
from projections.view import Projection

REMEMBERED = 20_000
"""Views of a table that are remembered."""


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
    """The read models of one context; for one projector at a time, as it remembers what it has written."""

    def __init__(self, database: Database, context: str, projections: Sequence[Projection]) -> None:
        self._database, self._topic = database, events_topic(context)
        self._tables = [Table(projection) for projection in projections]

    async def checkpoints(self, partitions: Iterable[int]) -> dict[int, Fence]:
        """How far each partition has been read, with the claim in force there. What was remembered is forgotten."""
        self._forget()
        asked = list(partitions)
        async with self._database.transaction() as connection:
            await connection.execute(
                "INSERT INTO checkpoints SELECT p, 0, 0, '', 0 FROM unnest(%s::int[]) AS p ON CONFLICT DO NOTHING",
                [asked],
            )
        kept = await self._kept(asked)
        return {partition: kept.get(partition, Fence()) for partition in asked}  # somebody may delete them right now

    async def check(self, fences: Mapping[int, Fence]) -> None:
        """See that the checkpoints are these: a crash of the server may have taken the last of them, with their rows.

        Raises:
            Moved: they are not; ask for the checkpoints, and begin again.
            DatabaseUnavailable: nobody knows.
        """
        if await self._kept(list(fences)) != fences:
            raise Moved

    async def _kept(self, partitions: list[int]) -> dict[int, Fence]:
        rows = await self._database.fetch("SELECT * FROM checkpoints WHERE partition = ANY(%(p)s)", {"p": partitions})
        return {row["partition"]: Fence(row["next"], row["epoch"], row["writer"], row["ignored"]) for row in rows}

    async def apply(self, steps: Sequence[Step]) -> None:
        """Bring the read models from one checkpoint to the next: all partitions of it, or nothing.

        Raises:
            Moved: a checkpoint was not what its step begins with; ask for the checkpoints, and begin again.
            DatabaseUnavailable: nothing was changed; the same.
        """
        try:
            await self._apply(steps)
        except BaseException:
            self._forget()
            raise

    def _forget(self) -> None:
        for table in self._tables:
            table.known.clear()

    async def _apply(self, steps: Sequence[Step]) -> None:
        good = [(step.partition, item) for step in steps for item in step.batch if item.event is not None]
        outcomes = letters.told(row for item in good for row in _outcomes(*item))
        dead = [r for step in steps for item in step.batch if (r := _dead_letter(self._topic, step.partition, item))]
        changes_of_letters = letters.merged(row for _, item in good if (row := _changed_letter(item)))
        async with self._database.transaction() as connection:
            changes = [(table, await table.changed(connection, good)) for table in self._tables]
            # One trip to the server for all of it: that is where a small batch's time goes.
            async with connection.pipeline():
                moved = await self._move(connection, steps)
                for table, rows in changes:
                    await _put(connection, table.upsert, rows)
                await _put(connection, _insert("history"), [_history(*item) for item in good])
                await _put(connection, letters.TELL, outcomes)
                await _put(connection, _insert("dead_letters"), dead)
                await _put(connection, letters.CHANGE, changes_of_letters)
            if moved.rowcount != len(steps):
                raise Moved
            reach("view.committing")
        reach("view.committed")

    async def _move(self, connection: Connection, steps: Sequence[Step]) -> AsyncCursor[Any]:
        # Its row lock makes two projectors of one partition take turns; the second then finds it moved.
        rows = [{"partition": s.partition, "before": s.before.next, **structs.asdict(s.after)} for s in steps]
        return await connection.execute(_MOVE, [json.encode(rows).decode()])


class Table:
    """One read model's table, with the views that were written last: to change one again, it need not be asked for."""

    def __init__(self, projection: Projection) -> None:
        self.projection = projection
        self.known: dict[str, Any] = {}
        columns = (*projection.columns, "version", "partition", "position")
        self.upsert = (
            f"INSERT INTO {projection.name} ({', '.join(columns)}) SELECT {', '.join(columns)} "  # noqa: S608
            f"FROM json_populate_recordset(NULL::{projection.name}, %s::json) ON CONFLICT ({projection.key}) "
            f"DO UPDATE SET {', '.join(f'{name} = excluded.{name}' for name in columns[1:])}"
        )
        self._select = f"SELECT {', '.join(projection.columns)} FROM {projection.name} WHERE {projection.key} = ANY(%s)"  # noqa: S608

    async def changed(self, connection: Connection, batch: Iterable[tuple[int, Effective]]) -> list[dict[str, Any]]:
        """The rows as they are after these events."""
        touched = [
            (key, partition, item.record.offset, item.envelope, item.event)
            for partition, item in batch
            if item.envelope and item.event and item.envelope.version and (key := self.projection.key_of(item.event))
        ]
        views = await self._views(connection, {key: envelope.version for key, _, _, envelope, _ in reversed(touched)})
        rows: dict[str, dict[str, Any]] = {}
        for key, partition, offset, envelope, event in touched:
            view = self.projection.project(views.get(key), event, envelope.at)
            if view is not None:
                views[key] = view
                rows[key] = {"version": envelope.version, "partition": partition, "position": offset}
        self._remember(views)
        return [structs.asdict(views[key]) | row for key, row in rows.items()]

    async def _views(self, connection: Connection, first: Mapping[str, int]) -> dict[str, Any]:
        """The views before the events, of which `first` has the first version of each: before version 1 is none."""
        views = {key: self.known[key] for key in first if key in self.known}
        if asked := [key for key, version in first.items() if version > 1 and key not in views]:
            found = await connection.execute(self._select, [asked])
            for row in await found.fetchall():
                views[row[self.projection.key]] = self.projection.view(**row)
        return views

    def _remember(self, views: Mapping[str, Any]) -> None:
        """Keep what was used last at the end, and no more than REMEMBERED of it."""
        for key, view in views.items():
            self.known.pop(key, None)
            self.known[key] = view
        for key in list(islice(self.known, max(0, len(self.known) - REMEMBERED))):
            del self.known[key]


_MOVE = """
UPDATE checkpoints AS c SET next = r.next, epoch = r.epoch, writer = r.writer, ignored = r.ignored
FROM json_to_recordset(%s::json)
  AS r(partition int, before bigint, next bigint, epoch bigint, writer text, ignored bigint)
WHERE c.partition = r.partition AND c.next = r.before
"""


def _insert(table: str) -> str:
    """SQL that puts rows into a table, those that are not there yet."""
    return f"INSERT INTO {table} SELECT * FROM json_populate_recordset(NULL::{table}, %s::json) ON CONFLICT DO NOTHING"  # noqa: S608


async def _put(connection: Connection, statement: str, rows: Sequence[Mapping[str, Any]]) -> None:
    """Hand over rows as one JSON document: many times cheaper than value by value."""
    if rows:
        await connection.execute(statement, [json.encode(rows).decode()])


def _history(partition: int, item: Effective) -> dict[str, Any]:
    envelope, record = item.envelope, item.record
    assert envelope is not None  # noqa: S101
    return {
        "partition": partition,
        "position": record.offset,
        "stream": envelope.subject,
        "version": envelope.version,
        "id": envelope.id,
        "type": envelope.type,
        "at": envelope.time,
        "correlation": envelope.correlation,
        "causation": envelope.causation,
        "data": Raw(record.value),
    }


def _outcomes(partition: int, item: Effective) -> list[dict[str, Any]]:
    """What became of clients' commands: a command's first event tells, and the rest find it told."""
    envelope, event = item.envelope, item.event
    if envelope is None or event is None:
        return []
    where = {"stream": envelope.subject, "partition": partition, "position": item.record.offset, "at": envelope.time}
    if isinstance(event, LetterEvent):
        return [{"command_id": name, **said, **where} for name, said in letters.outcomes(envelope, event).items()]
    if envelope.origin != CLIENT:
        return []
    match event:
        case CommandRejected():
            said = {"status": "rejected", "code": event.code, "detail": event.detail}
        case CommandUnchanged():
            said = {"status": "unchanged", "code": "", "detail": ""}
        case RecordParked():
            said = {"status": "parked", "code": "Parked", "detail": event.reason}
        case _:
            said = {"status": "accepted", "code": "", "detail": ""}
    return [{"command_id": envelope.causation, **said, **where}]


def _dead_letter(topic: str, partition: int, item: Effective) -> dict[str, Any] | None:
    return letters.set_aside(topic, partition, item.record, item.envelope, item.event, item.reason)


def _changed_letter(item: Effective) -> dict[str, Any] | None:
    return letters.changed(item.record, item.envelope, item.event)
