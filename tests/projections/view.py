"""View is a read model's row as events change it, one second after the other, without a database."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from msgspec import Struct

from events.event import Event
from projections.view import Projection
from tests.builders.values import NOON


def at(second: int) -> datetime:
    """When the event with this number happened."""
    return NOON + timedelta(seconds=second)


def rows(projection: Projection, history: Iterable[Event]) -> dict[str, Struct]:
    """The rows that a history leads to, by key."""
    views: dict[str, Any] = {}
    for second, event in enumerate(history):
        key = projection.key_of(event)
        if key is not None:
            view = projection.project(views.get(key), event, at(second))
            if view is not None:
                views[key] = view
    return views


def shown(projection: Projection, *history: Event) -> Any:
    """The one row that a history leads to."""
    [view] = rows(projection, history).values()
    return view
