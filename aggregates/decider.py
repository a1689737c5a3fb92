"""Decider is the shape of a context's rules: pure functions from states and commands to events."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, TypeVar

import msgspec

from events.event import Event
from schemas.values import Command

LONGEST = 200
"""Characters of a stream's name; a longer one is not ours, and would fit no index of a read model."""

S = TypeVar("S")
StateOf = Callable[[str], Any]
"""Gives the state of a stream, staged changes included."""
Decide = Callable[[Any, StateOf, datetime], list[Event]]


class Todo(msgspec.Struct, frozen=True):
    """Something that a state says is pending: `step` names the effect, `due` when it may be done (None: now)."""

    step: str
    due: datetime | None = None
    key: str = ""


class Decider(msgspec.Struct, frozen=True):
    """The rules of one context.

    initial: the empty state per kind of stream (`order` of `order-<uuid>`). decide: command, states, time → events;
    raises Rejection. todos: what a state leaves to be done by the partition's owner.
    """

    context: str
    initial: Mapping[str, Any]
    evolve: Callable[[Any, Event], Any]
    decide: Decide
    todos: Callable[[Any], list[Todo]] = lambda state: []

    def has(self, stream: str) -> bool:
        """Whether a stream is of a kind that this context has, and named as streams are."""
        return stream.partition("-")[0] in self.initial and len(stream) <= LONGEST and stream.isprintable()

    def initial_of(self, stream: str) -> Any:
        """The state of a stream to which nothing has happened."""
        return self.initial[stream.partition("-")[0]]


def alone(rules: Mapping[type[Any], Callable[[Any, Any], list[Event]]]) -> Decide:
    """A decide over commands that each concern one stream, by a table of command type → rule(command, state)."""

    def decide(command: Command, state_of: StateOf, _: datetime) -> list[Event]:
        return rules[type(command)](command, state_of(command.stream))

    return decide
