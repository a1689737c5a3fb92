"""Truth is what an export must hold: every event that counts, decoded by the codec, read by a plain scan."""

import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
from pydantic import BaseModel

from events.envelope import Envelope
from events.event import Event
from events.fence import Fence, Verdict
from events.kafka import KafkaLog
from events.log import Place, scan
from events.registry import event_codec
from events.topics import PARTITIONS, events

Row = dict[str, Any]
SECRETS = {"password_hash", "payment_token", "token", "token_hash", "nonce", "push_address"}
BYTES = {"value", "before"}


async def truth(kafka: str, contexts: Sequence[str] = ("order", "product")) -> list[Row]:
    """The rows, in the order of context, partition and position."""
    log = KafkaLog(kafka)
    rows = []
    try:
        for place in (Place(events(name), p) for name in contexts for p in range(PARTITIONS)):
            fence, (_, end) = Fence(), await log.bounds(place)
            async for records in scan(log, place, 0, end):
                for record in records:
                    if fence.judge(record.offset, record.headers) is Verdict.EFFECTIVE:
                        envelope = Envelope.read(record.headers)
                        event = event_codec.decode(envelope.type, record.value)
                        rows.append(row_of(place, record.offset, envelope, event))
    finally:
        await log.close()
    return rows


def row_of(place: Place, position: int, envelope: Envelope, event: Event) -> Row:
    """An event as a row of an export."""
    return {
        "context": place.topic.partition(".")[0],
        "type": envelope.type,
        "log_partition": place.partition,
        "log_position": position,
        "stream": envelope.subject,
        "version": envelope.version,
        "at": envelope.at,
        "event_id": envelope.id,
        "correlation_id": envelope.correlation,
        "causation_id": envelope.causation,
        "origin": envelope.origin,
        **fields(event),
    }


def fields(event: Event) -> Row:
    """An event's fields as an export shows them: without secrets, and where a name is taken, with another."""
    letter = event.tag.startswith(("letter.", "record."))
    return {
        {"type": "type_"}.get(name, name): plain(value)
        for name, value in dict(event).items()
        if name not in SECRETS and not (letter and name in BYTES)
    }


def plain(value: Any) -> Any:
    """As Arrow gives it back; fields that a body leaves unsaid are there."""
    if isinstance(value, BaseModel):
        return {name: plain(part) for name, part in value}
    if isinstance(value, tuple | list):
        return [plain(each) for each in value]
    if isinstance(value, datetime):
        return value if value.tzinfo else value.replace(tzinfo=UTC)
    return value


def exported(folder: Path) -> list[Row]:
    """The rows of all Parquet files there are, counted or not, in the same order as the truth."""
    rows = [row for file in (folder / "data").glob("*/*/*/*.parquet") for row in _rows(file)]
    return sorted(rows, key=lambda row: (row["context"] != "order", row["log_partition"], row["log_position"]))


def _rows(file: Path) -> Iterator[Row]:
    context, kind, day = (part.partition("=")[2] for part in file.parts[-4:-1])
    for row in pq.ParquetFile(file).read().to_pylist():
        assert f"{row['at'].astimezone(UTC):%Y-%m-%d}" == day
        yield {"context": context, "type": kind, **row}


def parsed(text: str) -> list[Row]:
    """JSON Lines as rows, with times."""
    rows = [json.loads(line) for line in text.splitlines()]
    return [{**row, "at": datetime.fromisoformat(row["at"])} for row in rows]
