"""Records as operators read them: decoded as far as possible, and whether each counts."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from msgspec import DecodeError, Raw, json

from events.fence import CLAIM, Fence, Verdict
from events.log import Place, Record
from projections.inspection import EFFECTIVE
from projections.postgres import Database, DatabaseUnavailable
from projections.registry import CHECKPOINTS

Row = dict[str, Any]
Judge = Callable[[Record], str]
"""Says of the next record of a place: effective, ignored, claim, command, or unknown."""

WORDS = {Verdict.EFFECTIVE: "effective", Verdict.IGNORED: "ignored", Verdict.CLAIM: "claim"}


def from_start() -> Judge:
    """For who reads a place from its start."""
    fence = Fence()
    return lambda record: WORDS[fence.judge(record.offset, record.headers)]


async def from_middle(database: Database, place: Place, start: int) -> Judge:
    """For who begins in the middle: up to the view's checkpoint its tables know, from there on its claim tells."""
    if not place.topic.endswith(".events"):
        return lambda record: "command"
    try:
        kept = {row["partition"]: row for row in await database.fetch(CHECKPOINTS)}.get(place.partition)
        asked = {"topic": place.topic, "partition": place.partition, "start": start}
        known = {row["position"] for row in await database.fetch(EFFECTIVE, asked)}
    except DatabaseUnavailable:
        return lambda record: "unknown"
    if kept is None:
        return from_start() if start == 0 else lambda record: "unknown"
    fence = Fence(kept["next"], kept["epoch"], kept["writer"])

    def judge(record: Record) -> str:
        if record.offset >= kept["next"]:
            return WORDS[fence.judge(record.offset, record.headers)]
        if record.headers.get("ce_type") == CLAIM.encode():
            return "claim"
        return "effective" if record.offset in known else "ignored"

    return judge


def row_of(place: Place, record: Record, verdict: str) -> Row:
    """A record in one line."""
    said = {name: value.decode(errors="replace") for name, value in record.headers.items()}
    return {
        "at": moment(record.timestamp),
        "place": f"{place.topic}/{place.partition}",
        "offset": record.offset,
        "type": said.get("ce_type", ""),
        "stream": said.get("ce_subject", record.key.decode(errors="replace")),
        "version": said.get("version", ""),
        "counts": verdict,
        "correlation": said.get("correlation", ""),
        "headers": said,
        "body": body_of(record.value),
    }


def body_of(value: bytes) -> Any:
    """The JSON that a body is, or its bytes as text."""
    try:
        json.decode(value)
    except (DecodeError, UnicodeDecodeError):
        return {"unreadable": value.decode(errors="replace")}
    return Raw(value)


def moment(milliseconds: int) -> datetime:
    """A broker's time; strangers may write any number."""
    return datetime.fromtimestamp(min(max(milliseconds, 0), 253_402_300_799_000) / 1000, UTC)


SHOWN = ("offset", "type", "stream", "version", "counts")
WIDTH = 60
"""Characters of a body that people see."""


def brief(row: Mapping[str, Any], *more: str) -> Row:
    """For people, at their own time."""
    body = row["body"]
    text = bytes(body).decode(errors="replace") if isinstance(body, Raw) else str(body)
    return {"at": f"{row['at'].astimezone():%H:%M:%S.%f}"[:-3], "place": row["place"], **{k: row[k] for k in SHOWN},
            **{k: row[k] for k in more}, "body": text[:WIDTH] + ("…" if len(text) > WIDTH else "")}  # fmt: skip
