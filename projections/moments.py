"""Moments make a read model's row as it was: a stream's history, folded by the ordinary `project` up to then."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any, TypeAlias

from msgspec import structs

from events.moments import time_in
from events.registry import event_codec
from projections.view import Projection

Moment: TypeAlias = datetime | int
"""A time, or the offset of a record in its partition; what happened at it is included."""

UPTO = """
SELECT partition, position, version, type, at, causation, convert_to(data::text, 'UTF8') AS data FROM history
WHERE stream = %(stream)s AND version > 0 ORDER BY version
"""


def moment(said: str) -> Moment:
    """A moment as people write it: ISO 8601 (UTC where it names no zone), or an offset.

    Raises:
        ValueError: it is neither.
    """
    if said.isascii() and said.isdigit():
        return int(said)
    return time_in(said)


def row_as_of(model: Projection, history: Iterable[Mapping[str, Any]], then: Moment) -> dict[str, Any] | None:
    """The row that a read model had, with the `at` of the last event in it; None if it had none yet.

    `history` are rows of the read model of that name, of one stream and by version.
    """
    view, last = None, None
    for row in _upto(history, then):
        event = event_codec.decode(row["type"], bytes(row["data"]))
        changed = model.project(view, event, row["at"]) if model.key_of(event) else None
        if changed is not None:
            view, last = changed, row
    if view is None or last is None:
        return None
    return structs.asdict(view) | {name: last[name] for name in ("version", "partition", "position", "at")}


def _upto(history: Iterable[Mapping[str, Any]], then: Moment) -> Iterator[Mapping[str, Any]]:
    """A stream's events are in the order of their versions; a clock that was set back does not bring one forward."""
    for row in history:
        if (row["position"] if isinstance(then, int) else row["at"]) > then:
            return
        yield row
