"""Letters are a journal of what was set aside and what became of it, a row each; the questions put rows together."""

import base64
from datetime import UTC, datetime
from typing import Any

from events.envelope import CLIENT, Envelope
from events.event import Event
from events.ids import derive
from events.letter import LetterDiscarded, LetterEdited, LetterParked, LetterReleased, LetterRetried
from events.log import Record
from events.outcome import RecordParked
from projections.recorded import Item

Row = dict[str, Any]

COLUMNS = {
    "partition": "int NOT NULL", "position": "bigint NOT NULL", "id": "text NOT NULL", "status": "text NOT NULL",
    "stream": "text NOT NULL", "consumer": "text", "type": "text", "message": "text", "command_id": "text",
    "topic": "text", "of_partition": "int", "of_position": "bigint", "reason": "text", "key": "text", "value": "text",
    "attempts": "int", "blocks": "boolean", "why": "text", "at": "timestamptz NOT NULL",
}  # fmt: skip
"""`partition` and `position` are the place of the record that tells; `of_…`, of the one that was set aside."""
INDEXES = (
    "CREATE INDEX {table}_of_letter ON {table} (id)",
    "CREATE INDEX {table}_of_stream ON {table} USING hash (stream)",  # a stranger's may be too long for a tree
)

_LETTERS = """
WITH letters AS (
  SELECT id, min(stream) AS stream, min(consumer) AS consumer,
    (array_agg(status ORDER BY position DESC))[1] AS status,
    min(type) AS type, min(message) AS message, min(command_id) AS command_id, min(topic) AS topic,
    min(of_partition) AS partition, min(of_position) AS position,
    (array_agg(reason ORDER BY position DESC) FILTER (WHERE reason IS NOT NULL))[1] AS reason,
    min(key) AS key, (array_agg(value ORDER BY position DESC) FILTER (WHERE value IS NOT NULL))[1] AS value,
    max(attempts) AS attempts, bool_or(blocks) AS blocks,
    (array_agg(why ORDER BY position DESC) FILTER (WHERE why IS NOT NULL))[1] AS why,
    min(at) AS at, max(at) AS changed, min(dead_letters.partition) AS home,
    max(dead_letters.position) FILTER (WHERE topic IS NOT NULL) AS recorded
  FROM dead_letters {these} GROUP BY id
), line AS (
  SELECT id, first_value(id) OVER ahead AS head, count(*) OVER behind - 1 AS waiting FROM letters
  WHERE status = 'open' AND blocks
  WINDOW ahead AS (PARTITION BY stream ORDER BY recorded),
    behind AS (PARTITION BY stream ORDER BY recorded ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING)
)
SELECT letters.*, coalesce(nullif(head, id), '') AS behind, coalesce(waiting, 0) AS waiting
FROM letters LEFT JOIN line USING (id)
"""
"""Letters as they are now: the first of a stream that blocks is the head, `waiting` says how many are behind one."""

DEAD_LETTERS = (
    _LETTERS.format(these="")
    + "WHERE %(status)s::text IS NULL OR status = %(status)s ORDER BY at, home, recorded, id LIMIT %(limit)s"
)
OF_STREAM = (
    _LETTERS.format(these="WHERE stream IN (SELECT stream FROM dead_letters WHERE id = %(letter)s)")  # noqa: S608
    + "WHERE id = %(letter)s OR status = 'open' ORDER BY recorded, id"
)
"""One letter, and the open ones of its stream."""


def row_of(topic: str, partition: int, item: Item) -> Row | None:
    """What a record tells of a letter."""
    record, envelope, event = item.record, item.envelope, item.event
    told = _of_event(envelope, event) if event is not None and envelope is not None else None
    if event is None:
        told = _unread(topic, partition, record, envelope, item.reason)
    if told is None:
        return None
    if envelope is not None and event is not None:
        told["at"] = envelope.at
    return {**dict.fromkeys(COLUMNS), **told, "partition": partition, "position": record.offset}


def _of_event(envelope: Envelope, event: Event) -> Row | None:
    match event:
        case LetterParked():
            said = {name: getattr(event, name) for name in ("consumer", "type", "message", "attempts", "blocks")}
            return {**said, **_place(event), "id": event.letter, "status": "open", "command_id": _command(envelope)}
        case RecordParked():
            said = {"message": envelope.causation, "command_id": _command(envelope), "attempts": 1, "blocks": False}
            return {**said, **_place(event), "id": envelope.id, "status": "aside", "consumer": "", "type": ""}
        case LetterRetried(became="parked"):
            said = {"attempts": event.attempts, "reason": event.detail}
            return {**said, "id": event.letter, "status": "open", "stream": event.about}
        case LetterRetried() | LetterReleased():
            return {"id": event.letter, "status": "retried", "stream": event.about, "attempts": event.attempts}
        case LetterEdited():
            said = {"value": event.value, "why": event.why}
            return {**said, "id": event.letter, "status": "open", "stream": event.about}
        case LetterDiscarded():
            return {"id": event.letter, "status": "discarded", "stream": event.about, "why": event.why}
        case _:
            return None


def _place(event: LetterParked | RecordParked) -> Row:
    said = {name: getattr(event, name) for name in ("topic", "reason", "key", "value")}
    return {**said, "stream": event.about, "of_partition": event.partition, "of_position": event.offset}


def _unread(topic: str, partition: int, record: Record, envelope: Envelope | None, reason: str) -> Row:
    """A record that nobody could read: it lies where it tells of itself."""
    return {
        "id": derive(f"{topic}/{partition}/{record.offset}", "unread"),
        "status": "aside",
        "stream": envelope.subject if envelope else record.key.decode(errors="replace").replace("\0", ""),
        "topic": topic,
        "of_partition": partition,
        "of_position": record.offset,
        "reason": reason,
        "key": base64.b64encode(record.key).decode(),
        "value": base64.b64encode(record.value).decode(),
        "at": datetime.fromtimestamp(max(record.timestamp, 0) / 1000, UTC),
        "consumer": "",
        "type": "",
        "message": "",
        "command_id": "",
        "attempts": 0,
        "blocks": False,
    }


def outcomes(envelope: Envelope, event: Event) -> dict[str, Row]:
    """What clients are told because of an event about a letter, by command: who asked for it, and whose it was."""
    said: dict[str, Row] = {}
    if envelope.origin == CLIENT:
        said[envelope.causation] = {"status": "accepted", "code": "", "detail": ""}
    match event:
        case LetterParked():
            return {name: {"status": "parked", "code": "Parked", "detail": event.reason} for name in said}
        case LetterRetried():
            if said and event.became == "parked":
                detail = event.detail.strip().rpartition("\n")[2]
                said = {envelope.causation: {"status": "rejected", "code": "LetterFailedAgain", "detail": detail}}
            if event.command and event.became != "parked":
                said[event.command] = {"status": event.became, "code": event.code, "detail": event.detail}
        case LetterDiscarded(command=command) if command:
            said[command] = {"status": "rejected", "code": "LetterDiscarded", "detail": event.why}
        case _:
            pass
    return said


def _command(envelope: Envelope) -> str:
    return envelope.causation if envelope.origin == CLIENT else ""
