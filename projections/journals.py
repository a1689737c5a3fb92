"""Journals are the read models that every context has: its history, its commands' outcomes, what was set aside."""

import base64
from datetime import UTC, datetime
from typing import Any

from msgspec import Raw

from events import topics
from events.envelope import CLIENT
from events.outcome import CommandRejected, CommandUnchanged, RecordParked
from projections.recorded import Item
from projections.view import Journal


def journals(context: str) -> tuple[Journal, ...]:
    """The journals of a context."""
    topic = topics.events(context)
    return (
        Journal("history", context, _history, HISTORY, ("partition", "position"), HISTORY_INDEXES),
        Journal("outcomes", context, _outcome, OUTCOMES, ("command_id",)),
        Journal(
            "dead_letters",
            context,
            lambda partition, item: _dead_letter(topic, partition, item),
            DEAD_LETTERS,
            ("topic", "partition", "position"),
        ),
    )


HISTORY = {
    "partition": "int NOT NULL", "position": "bigint NOT NULL", "stream": "text NOT NULL", "version": "bigint NOT NULL",
    "id": "text NOT NULL", "type": "text NOT NULL", "at": "timestamptz NOT NULL", "correlation": "text NOT NULL",
    "causation": "text NOT NULL", "data": "jsonb NOT NULL",
}  # fmt: skip
HISTORY_INDEXES = (
    "CREATE INDEX {table}_of_stream ON {table} (stream, version)",
    "CREATE INDEX {table}_of_correlation ON {table} (correlation)",
)
OUTCOMES = {
    "command_id": "text NOT NULL", "status": "text NOT NULL", "code": "text NOT NULL", "detail": "text NOT NULL",
    "stream": "text NOT NULL", "partition": "int NOT NULL", "position": "bigint NOT NULL", "at": "timestamptz NOT NULL",
}  # fmt: skip
DEAD_LETTERS = {
    "topic": "text NOT NULL", "partition": "int NOT NULL", "position": "bigint NOT NULL", "reason": "text NOT NULL",
    "stream": "text NOT NULL", "key": "text NOT NULL", "value": "text NOT NULL", "at": "timestamptz NOT NULL",
}  # fmt: skip


def _history(partition: int, item: Item) -> dict[str, Any] | None:
    envelope, record = item.envelope, item.record
    if envelope is None or item.event is None:
        return None
    return {
        "partition": partition,
        "position": record.offset,
        "stream": envelope.subject,
        "version": envelope.version,
        "id": envelope.id,
        "type": envelope.type,
        "at": envelope.at,
        "correlation": envelope.correlation,
        "causation": envelope.causation,
        "data": Raw(record.value),
    }


def _outcome(partition: int, item: Item) -> dict[str, Any] | None:
    """What became of a client's command: its first event tells, and the rest find it told."""
    envelope, event = item.envelope, item.event
    if envelope is None or event is None or envelope.origin != CLIENT:
        return None
    match event:
        case CommandRejected():
            said = {"status": "rejected", "code": event.code, "detail": event.detail}
        case CommandUnchanged():
            said = {"status": "unchanged", "code": "", "detail": ""}
        case RecordParked():
            said = {"status": "parked", "code": "Parked", "detail": event.reason}
        case _:
            said = {"status": "accepted", "code": "", "detail": ""}
    where = {"stream": envelope.subject, "partition": partition, "position": item.record.offset}
    return {"command_id": envelope.causation, **said, **where, "at": envelope.at}


def _dead_letter(topic: str, partition: int, item: Item) -> dict[str, Any] | None:
    record, event = item.record, item.event
    if isinstance(event, RecordParked) and item.envelope:
        said = event.model_dump(include={"topic", "partition", "reason", "key", "value"})
        return {**said, "position": event.offset, "stream": event.about, "at": item.envelope.at}
    if event is not None:
        return None
    return {
        "topic": topic,
        "partition": partition,
        "position": record.offset,
        "reason": item.reason,
        "stream": item.envelope.subject if item.envelope else record.key.decode(errors="replace").replace("\0", ""),
        "key": base64.b64encode(record.key).decode(),
        "value": base64.b64encode(record.value).decode(),
        "at": datetime.fromtimestamp(max(record.timestamp, 0) / 1000, UTC),
    }
