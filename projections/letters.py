"""Letters are rows of what was set aside, one a letter, changed by what becomes of it; and what clients are told."""

import base64
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from events.envelope import CLIENT, Envelope
from events.event import Event
from events.ids import derive
from events.letter import LetterDiscarded, LetterEdited, LetterParked, LetterReleased, LetterRetried
from events.log import Record
from events.outcome import RecordParked

Row = dict[str, Any]

TABLE = """
CREATE TABLE IF NOT EXISTS dead_letters (
  id text PRIMARY KEY, stream text NOT NULL, consumer text NOT NULL, status text NOT NULL, type text NOT NULL,
  message text NOT NULL, command_id text NOT NULL, topic text NOT NULL, partition int NOT NULL,
  position bigint NOT NULL, reason text NOT NULL, key text NOT NULL, value text NOT NULL, attempts int NOT NULL,
  blocks boolean NOT NULL, why text NOT NULL, at timestamptz NOT NULL,
  changed timestamptz NOT NULL, home int NOT NULL, recorded bigint NOT NULL
);
CREATE INDEX IF NOT EXISTS dead_letters_open ON dead_letters (stream, recorded) WHERE status = 'open';
"""

CHANGE = """
UPDATE dead_letters AS d SET
  status = coalesce(c.status, d.status), reason = coalesce(c.reason, d.reason), value = coalesce(c.value, d.value),
  attempts = coalesce(c.attempts, d.attempts), why = coalesce(c.why, d.why), changed = c.changed,
  recorded = coalesce(c.recorded, d.recorded)
FROM json_to_recordset(%s::json) AS c(id text, status text, reason text, value text, attempts int, why text,
  changed timestamptz, recorded bigint)
WHERE d.id = c.id
"""
"""What became of letters that have a row, by id; NULL leaves a column as it is."""

TELL = """
INSERT INTO outcomes SELECT * FROM json_populate_recordset(NULL::outcomes, %s::json) ON CONFLICT (command_id) DO UPDATE
SET status = excluded.status, code = excluded.code, detail = excluded.detail, stream = excluded.stream,
    partition = excluded.partition, position = excluded.position, at = excluded.at
WHERE outcomes.status = 'parked' AND excluded.status <> 'parked'
"""
"""What became of commands: the first outcome counts, but one that was set aside has another after a retry."""

LISTED = """
SELECT d.*, coalesce(head, '') AS behind, waiting FROM dead_letters AS d, LATERAL (
  SELECT min(o.id) FILTER (WHERE o.recorded = first) AS head, count(*) FILTER (WHERE o.recorded > d.recorded) AS waiting
  FROM (SELECT id, recorded, min(recorded) OVER () AS first FROM dead_letters
        WHERE stream = d.stream AND status = 'open' AND blocks) AS o
  WHERE d.status = 'open' AND d.blocks AND o.recorded <> d.recorded
) AS others
"""


def set_aside(
    topic: str, partition: int, record: Record, envelope: Envelope | None, event: Event | None, why: str
) -> Row | None:
    """The row of what was set aside: a letter, a record that nobody could handle, one that nobody could read."""
    here = {"home": partition, "recorded": record.offset, "why": ""}
    match event:
        case LetterParked() if envelope:
            said = event.model_dump(
                include={"consumer", "type", "message", "topic", "partition", "reason", "key", "value"}
            )
            more = {"id": event.letter, "status": "open", "attempts": event.attempts, "blocks": event.blocks}
            where = {"position": event.offset, "stream": event.about, "command_id": _command(envelope)}
            return {**said, **more, **where, **here, "at": envelope.time, "changed": envelope.time}
        case RecordParked() if envelope:
            said = event.model_dump(include={"topic", "partition", "reason", "key", "value"})
            more = {
                "id": envelope.id,
                "consumer": "",
                "type": "",
                "message": envelope.causation,
                "command_id": _command(envelope),
            }
            where = {"position": event.offset, "stream": event.about, "at": envelope.time, "changed": envelope.time}
            return {**said, **more, **where, **here, "status": "aside", "attempts": 1, "blocks": False}
        case None:
            at = datetime.fromtimestamp(max(record.timestamp, 0) / 1000, UTC)
            stream = envelope.subject if envelope else record.key.decode(errors="replace").replace("\0", "")
            return {
                "id": derive(f"{topic}/{partition}/{record.offset}", "unread"), "stream": stream, "consumer": "",
                "status": "aside", "type": envelope.type if envelope else "",
                "message": envelope.id if envelope else "",
                "command_id": "", "topic": topic, "partition": partition, "position": record.offset, "reason": why,
                "key": base64.b64encode(record.key).decode(), "value": base64.b64encode(record.value).decode(),
                "attempts": 0, "blocks": False, "at": at, "changed": at, **here,
            }  # fmt: skip
        case _:
            return None


def changed(record: Record, envelope: Envelope | None, event: Event | None) -> Row | None:
    """What an event changes of a letter's row."""
    if envelope is None:
        return None
    match event:
        case LetterRetried(became="parked"):
            change: Row = {"attempts": event.attempts, "reason": event.detail}
        case LetterRetried() | LetterReleased():
            change = {"status": "retried", "attempts": event.attempts}
        case LetterEdited():
            change = {"value": event.value, "why": event.why}
        case LetterDiscarded():
            change = {"status": "discarded", "why": event.why}
        case LetterParked():  # again: a reaction could not take it the second time either
            change = {"status": "open", "attempts": event.attempts, "reason": event.reason, "recorded": record.offset}
        case _:
            return None
    return {"id": event.letter, **change, "changed": envelope.time}


def merged(rows: Iterable[Row]) -> list[Row]:
    """One change a letter: later ones go over earlier ones."""
    found: dict[str, Row] = {}
    for row in rows:
        found[row["id"]] = found.get(row["id"], {}) | row
    return list(found.values())


def told(rows: Iterable[Row]) -> list[Row]:
    """One outcome a command, as TELL has it among rows of one batch."""
    found: dict[str, Row] = {}
    for row in rows:
        before = found.get(row["command_id"])
        if before is None or (before["status"] == "parked" and row["status"] != "parked"):
            found[row["command_id"]] = row
    return list(found.values())


def outcomes(envelope: Envelope, event: Event) -> dict[str, Mapping[str, str]]:
    """What clients are told because of an event about a letter, by command: who asked for it, and whose it was."""
    said: dict[str, Mapping[str, str]] = {}
    if envelope.origin == CLIENT:
        said[envelope.causation] = {"status": "accepted", "code": "", "detail": ""}
    match event:
        case LetterParked():
            return {name: {"status": "parked", "code": "Parked", "detail": event.reason} for name in said}
        case LetterRetried():
            if said and event.became == "parked":
                detail = event.detail.strip().rpartition("\n")[2]
                said = {envelope.causation: {"status": "rejected", "code": "LetterFailedAgain", "detail": detail}}
            if event.command:
                said[event.command] = {"status": event.became, "code": event.code, "detail": event.detail}
        case LetterDiscarded():
            if event.command:
                said[event.command] = {"status": "rejected", "code": "LetterDiscarded", "detail": event.why}
        case _:
            pass
    return said


def _command(envelope: Envelope) -> str:
    return envelope.causation if envelope.origin == CLIENT else ""
