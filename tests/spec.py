"""Spec is how a rule is written down: given what has happened, when this is asked, then that happens."""

from collections.abc import Iterable
from datetime import datetime
from pprint import pformat
from typing import Any

from aggregates.decider import Decider
from aggregates.errors import Rejection
from events.event import Event
from schemas.values import Command
from tests.builders.values import NOON


class Life:
    """What has happened to a context's streams so far, and the states that it has led to."""

    def __init__(self, decider: Decider) -> None:
        self.decider = decider
        self.states: dict[str, Any] = {}
        self.history: list[Event] = []

    def state(self, stream: str) -> Any:
        return self.states[stream] if stream in self.states else self.decider.initial_of(stream)

    def record(self, events: Iterable[Event]) -> None:
        for event in events:
            self.states[event.stream] = self.decider.evolve(self.state(event.stream), event)
            self.history.append(event)

    def decide(self, command: Command, at: datetime = NOON) -> list[Event]:
        """What the rules answer; a command's events are decided upon before the first is recorded."""
        return self.decider.decide(command, self.state, at)

    def ask(self, command: Command, at: datetime = NOON) -> list[Event]:
        """Decide and record; a rejection records nothing."""
        try:
            events = self.decide(command, at)
        except Rejection:
            return []
        self.record(events)
        return events

    def when(self, command: Command, at: datetime = NOON) -> "Then":
        try:
            return Then(self.decide(command, at), None)
        except Rejection as no:
            return Then([], no)

    def leaves(self, stream: str, *steps: str) -> None:
        """What the owner of the stream finds to be done."""
        left = sorted(todo.key or todo.step for todo in self.decider.todos(self.state(stream)))
        assert left == sorted(steps), f"leaves {left}"


class Spec:
    """The rules of one context."""

    def __init__(self, decider: Decider) -> None:
        self.decider = decider

    def given(self, *history: Event) -> Life:
        life = Life(self.decider)
        life.record(history)
        return life

    def when(self, command: Command, at: datetime = NOON) -> "Then":
        return self.given().when(command, at)


class Then:
    """The answer: events, none, or a rejection."""

    def __init__(self, events: list[Event], rejection: Rejection | None) -> None:
        self.events, self.rejection = events, rejection

    def then(self, *expected: Event) -> None:
        assert self.rejection is None, f"rejected: {self.rejection!r}"
        happened, wanted = [said(event) for event in self.events], [said(event) for event in expected]
        assert happened == wanted, f"happened:\n{pformat(happened)}\nexpected:\n{pformat(wanted)}"

    def then_nothing(self) -> None:
        self.then()

    def then_rejected(self, reason: type[Rejection]) -> Rejection:
        assert type(self.rejection) is reason, f"not rejected: {self.events}"
        return self.rejection


def said(event: Event) -> tuple[str, dict[str, Any]]:
    """An event by what it says on the wire: its tag and its fields."""
    return event.tag, event.model_dump(mode="json")
