"""Journals are the read models that every context has: its history, its commands' outcomes, what was set aside.

A context may have others of its own beside them (OWN).
"""

from collections.abc import Sequence
from typing import Any

from msgspec import Raw

from events import topics
from events.envelope import CLIENT
from events.letter import LetterEvent
from events.outcome import CommandRejected, CommandUnchanged, RecordParked
from projections import letters
from projections.price import PRICES
from projections.recorded import Item
from projections.view import Journal


def journals(context: str) -> tuple[Journal, ...]:
    """The journals of a context."""
    topic = topics.events(context)
    place = ("partition", "position")
    return (
        Journal("history", context, lambda p, item: _some(_history(p, item)), HISTORY, place, HISTORY_INDEXES),
        Journal("outcomes", context, _outcomes, OUTCOMES, ("command_id", "again")),
        Journal(
            "dead_letters",
            context,
            lambda p, item: _some(_dead_letter(topic, p, item)),
            letters.COLUMNS,
            place,
            letters.INDEXES,
        ),
        *OWN.get(context, ()),
    )


OWN: dict[str, tuple[Journal, ...]] = {"product": (PRICES,)}


def _some(row: dict[str, Any] | None) -> Sequence[dict[str, Any]]:
    return () if row is None else (row,)


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
    "command_id": "text NOT NULL", "again": "boolean NOT NULL", "status": "text NOT NULL", "code": "text NOT NULL",
    "detail": "text NOT NULL", "stream": "text NOT NULL", "partition": "int NOT NULL", "position": "bigint NOT NULL",
    "at": "timestamptz NOT NULL",
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


def _outcomes(partition: int, item: Item) -> list[dict[str, Any]]:
    """What became of clients' commands: the first event of a command tells, and the rest find it told.

    One that was set aside has a second outcome, once somebody has retried or discarded it.
    """
    envelope, event = item.envelope, item.event
    if envelope is None or event is None:
        return []
    where = {"stream": envelope.subject, "partition": partition, "position": item.record.offset, "at": envelope.at}
    if isinstance(event, LetterEvent):
        told = letters.outcomes(envelope, event)
        return [{"command_id": name, "again": name != envelope.causation, **row, **where} for name, row in told.items()]
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
    return [{"command_id": envelope.causation, "again": False, **said, **where}]


def _dead_letter(topic: str, partition: int, item: Item) -> dict[str, Any] | None:
    return letters.row_of(topic, partition, item)
