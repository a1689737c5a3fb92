"""Policy is the shape of a reaction: what a context asks of itself when another context has spoken."""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from msgspec import Struct

from events.event import Event
from schemas.values import Command

E = TypeVar("E", bound=Event)


class Reaction(Struct, frozen=True):
    """When this has happened elsewhere, ask this of ourselves."""

    event: type[Event]
    react: Callable[[Any], Sequence[Command]]


def on(event: type[E], react: Callable[[E], Sequence[Command]]) -> Reaction:
    """One row of a context's table of reactions."""
    return Reaction(event, react)
