"""Audit is the stream of what operators did: appended by anybody, read by people; nothing is decided from it."""

from datetime import datetime
from typing import Any, Literal
from uuid import uuid4

from msgspec import Struct
from pydantic import Field

from events.envelope import Envelope
from events.errors import Undecodable
from events.event import Event
from events.log import Draft, Log, Place, Record, scan
from events.topics import AUDIT

SOURCE = "operations"
OPERATOR = "operator"
"""The origin of what a person did."""
PLACE = Place(AUDIT.name, 0)

Outcome = Literal["begun", "done", "refused", "stopped"]


class OperatorActed(Event, tag="operator.acted.v1"):
    """Who did what to what, and why. What takes steps is begun, then done, refused or stopped: one correlation."""

    who: str
    action: str
    target: str
    why: str
    outcome: Outcome = "done"
    detail: dict[str, Any] = Field(default_factory=dict)

    @property
    def stream(self) -> str:
        return "operations-audit"


class Act(Struct, frozen=True):
    """An act as it lies in the log; `event` is None where nobody can read it."""

    offset: int
    envelope: Envelope | None
    event: OperatorActed | None


async def append(log: Log, event: OperatorActed, at: datetime, correlation: str = "") -> str:
    """Record an act, and return its correlation.

    Raises:
        Fenced: nobody knows whether it was written; another attempt can at worst say it twice.
        Unavailable, TooLarge: it was not written.
    """
    cause = str(uuid4())
    correlation = correlation or cause
    envelope = Envelope(cause, event.tag, SOURCE, at.isoformat(), event.stream, correlation, correlation, OPERATOR)
    body = event.__pydantic_serializer__.to_json(event)
    await log.append(PLACE, [Draft(event.stream, body, envelope.headers())])
    return correlation


async def read(log: Log, last: int) -> list[Act]:
    """The last so many records of it, oldest first.

    Raises:
        Unavailable: the log cannot be reached.
    """
    first, end = await log.bounds(PLACE)
    start = max(first, end - last)
    return [_act(record) async for records in scan(log, PLACE, start, end) for record in records]


def _act(record: Record) -> Act:
    try:
        envelope = Envelope.read(record.headers)
        if envelope.type != OperatorActed.tag:
            raise Undecodable(envelope.type)
        return Act(record.offset, envelope, OperatorActed.model_validate_json(record.value))
    except (Undecodable, ValueError):
        return Act(record.offset, None, None)
