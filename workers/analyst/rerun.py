"""Rerun lets a rule decide again over what was asked, at the times when it was asked; nothing else is there to be done.

The clock is the history's own: before each command, whatever had come due by then is done. Only decide, evolve, todos
and project are ever called, so no provider, mail or log can be reached from here.
"""

import heapq
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from itertools import count
from typing import Any
from zlib import crc32

from msgspec import Struct

from aggregates.decider import Decider
from aggregates.errors import Rejection
from events.event import Event
from events.registry import event_codec
from projections.view import Projection
from schemas.payment import LapsePayment
from schemas.product import LapseReservation
from schemas.values import Command
from workers.analyst.given import Given

CLOCKED: Mapping[tuple[str, str], Callable[[str], Command]] = {
    ("product", "lapse"): lambda stream: LapseReservation(
        order_id=stream.split("-", 2)[2], partition=int(stream.split("-", 2)[1])
    ),
    ("payment", "lapse"): lambda stream: LapsePayment(order_id=stream.partition("-")[2]),
}
"""What is asked when its time has come, by context and step; other steps ask the world, and are not run."""

Change = Callable[[Any], Any]


class Rule(Struct, frozen=True):
    """What decides: without a decider, the events are taken as recorded. The changes may leave something out (None)."""

    name: str
    decider: Decider | None
    projections: Sequence[Projection]
    change: Change | None = None
    change_event: Change | None = None


class Raised(Exception):
    """A rule raises at one command or event; the message says where that lies."""


class Rerun:
    """What one rule makes of history: events by type, by stream, and the rows of the read models."""

    def __init__(self, context: str, base: Decider, rule: Rule) -> None:
        self.rule, self._context, self._base = rule, context, base
        self.types: Counter[str] = Counter()
        self.streams: dict[str, list[tuple[str, datetime, int]]] = {}
        self.rows: dict[str, dict[str, Any]] = {model.name: {} for model in rule.projections}
        self._states: dict[str, Any] = {}
        self._due: list[tuple[datetime, int, str, str]] = []
        self._number = count()

    def take(self, given: Given, own: bool) -> None:
        """One command of history, decided by our own rule, or by the one that is in force.

        Raises:
            Raised: the rule does.
        """
        decider = (self.rule.decider if own else None) or self._base
        try:
            if self.rule.decider is None:
                self._record(self._changed(given.events, own), given.at, decider)
                return
            self.pass_to(given.at, decider)
            if given.timed:
                return
            command = given.command
            if command is None:
                self._record(given.events, given.at, decider)
                return
            if own and self.rule.change and (command := self.rule.change(command)) is None:
                return
            self._decide(command, given.at, decider)
        except Exception as error:
            topic, partition = given.place
            asked = given.command.tag if given.command else ", ".join(event.tag for event in given.events)
            raise Raised(
                f"{self.rule.name} raises {error!r} at number {given.number}, {asked} of {given.stream}: "
                f"{topic}/{partition}, offset {given.offset}"
            ) from error

    def pass_to(self, moment: datetime, decider: Decider) -> None:
        """Let time pass: what is due by then is done, at the moment when it was due."""
        while self._due and self._due[0][0] <= moment:
            due, _, stream, key = heapq.heappop(self._due)
            todo = next((t for t in decider.todos(self._states[stream]) if (t.key or t.step) == key), None)
            asked = CLOCKED.get((self._context, todo.step)) if todo and todo.due == due else None
            if asked:
                self._decide(asked(stream), due, decider)

    def finish(self, moment: datetime, own: bool) -> None:
        """Let time pass to the end."""
        if self.rule.decider is not None:
            self.pass_to(moment, self.rule.decider if own else self._base)

    def _changed(self, events: Sequence[Event], own: bool) -> list[Event]:
        if not own or self.rule.change_event is None:
            return list(events)
        return [event for event in map(self.rule.change_event, events) if event is not None]

    def _decide(self, command: Command, at: datetime, decider: Decider) -> None:
        def state_of(stream: str) -> Any:
            return self._states[stream] if stream in self._states else decider.initial_of(stream)

        try:
            events = decider.decide(command, state_of, at)
        except Rejection:
            return
        self._record(events, at, decider)

    def _record(self, events: Sequence[Event], at: datetime, decider: Decider) -> None:
        for event in events:
            stream = event.stream
            state = self._states[stream] if stream in self._states else decider.initial_of(stream)
            self._states[stream] = decider.evolve(state, event)
            self.types[event.tag] += 1
            self.streams.setdefault(stream, []).append((event.tag, at, mark(event)))
            for model in self.rule.projections:
                self._project(model, event, at)
        if self.rule.decider is not None:
            for stream in {event.stream for event in events}:
                for todo in decider.todos(self._states[stream]):
                    if todo.due is not None:
                        entry = (todo.due, next(self._number), stream, todo.key or todo.step)
                        heapq.heappush(self._due, entry)

    def _project(self, model: Projection, event: Event, at: datetime) -> None:
        if key := model.key_of(event):
            rows = self.rows[model.name]
            view = model.project(rows.get(key), event, at)
            if view is not None:
                rows[key] = view


def mark(event: Event) -> int:
    """A checksum of what an event says; that a deadline in it is another makes none."""
    times = _times(type(event))
    return crc32(event.model_dump_json(exclude=times).encode() if times else event_codec.encode(event))


@lru_cache
def _times(kind: type[Event]) -> set[str]:
    return {name for name, field in kind.model_fields.items() if "datetime" in str(field.annotation)}
