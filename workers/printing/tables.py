"""Tables are what the code says of itself: which command records what, who hears it, and what is asked then."""

import dis
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from functools import cache
from types import CodeType, FunctionType
from typing import Any, NamedTuple, TypeVar, get_args, get_type_hints

from pydantic import BaseModel

from aggregates import contact, login, notification, order, payment, product, profile, reservation, user
from aggregates.decider import Todo
from aggregates.errors import Rejection
from events.event import Event
from events.registry import COMMANDS, EVENTS
from schemas.settings import Settings
from schemas.values import Command
from workers.compose import mailer_of, parts_of, provider_of
from workers.context import Parts

M = TypeVar("M", bound=BaseModel)
C = TypeVar("C")

RULES = (order, product, reservation, payment, user, login, profile, notification, contact)
MOMENT = datetime(2026, 1, 1, tzinfo=UTC)


class Heard(NamedTuple):
    """One row of a context's reactions."""

    context: str
    event: type[Event]
    reaction: str
    asked: tuple[type[Command], ...]


class Pending(NamedTuple):
    """One step of a context's to-do list: what leaves it to be done, whether at a deadline, and its answers."""

    step: str
    after: tuple[type[Event], ...]
    deadline: bool
    answers: list[type[Command]]


def new_parts() -> dict[str, Parts]:
    """Every context, on twins of the world that have seen nothing yet."""
    settings = Settings(provider="in-process", smtp="in-process", hold_seconds=900, overdue_seconds=600)
    return dict(parts_of(settings, provider_of(settings), mailer_of(settings)))


parts = cache(new_parts)
"""Every context, to be looked at only."""


def heard() -> Iterator[Heard]:
    """Every reaction of every context."""
    for context, made_of in parts().items():
        for row in made_of.reactions:
            [asked] = get_args(get_type_hints(row.react)["return"])
            yield Heard(context, row.event, row.react.__name__, get_args(asked) or (asked,))


def effects(context: str) -> list[Pending]:
    """Every effect of a context."""
    decider, handlers = parts()[context].decider, parts()[context].effects
    left: dict[str, list[tuple[type[Event], Todo]]] = {step: [] for step in handlers}
    for event in map(specimen, EVENTS[context]):
        state = decider.evolve(decider.initial_of(event.stream), event)
        for todo in decider.todos(state):
            left[todo.step].append((type(event), todo))
    return [
        Pending(step, tuple(e for e, _ in found), any(t.due for _, t in found), named_in(handlers[step], Command))
        for step, found in left.items()
    ]


@cache
def rules() -> dict[type[Command], Callable[..., list[Event]]]:
    """The rule of every command: the function of the aggregates whose `command` it is."""
    found: dict[type[Command], Callable[..., list[Event]]] = {}
    for module in RULES:
        for function in vars(module).values():
            if isinstance(function, FunctionType) and f"{function.__module__}.".startswith(f"{module.__name__}."):
                asked = get_type_hints(function).get("command")
                if isinstance(asked, type) and issubclass(asked, Command):
                    found[asked] = function
    return found


def records(command: type[Command]) -> list[type[Event]]:
    """The events that a command may lead to."""
    return named_in(rules()[command], Event)


def refusals(command: type[Command]) -> list[type[Rejection]]:
    """The refusals that a command may meet."""
    return named_in(rules()[command], Rejection)


def named_in(function: Callable[..., Any], kind: type[C]) -> list[type[C]]:
    """The classes of a kind that a function's code names, its helpers' code included, in the order of their names.

    Not what `evolve` names, for that is all events.
    """
    found: set[type[C]] = set()
    seen: set[Any] = set()
    waiting = [function]
    while waiting:
        at = waiting.pop()
        seen.add(at)
        for name in _globals(at.__code__):
            value = at.__globals__.get(name)
            if isinstance(value, type) and issubclass(value, kind):
                found.add(value)
            elif isinstance(value, FunctionType) and value not in seen and name != "evolve":
                waiting.append(value)
    return sorted(found, key=lambda cls: cls.__name__)


def _globals(code: CodeType) -> Iterator[str]:
    for step in dis.get_instructions(code):
        if step.opname in ("LOAD_GLOBAL", "LOAD_NAME"):
            yield step.argval
    for inner in code.co_consts:
        if isinstance(inner, CodeType):
            yield from _globals(inner)


def specimen(event: type[M]) -> M:
    """An event with something in every field: enough to see what the state after it leaves to be done."""
    values: dict[Any, Any] = {str: "x", int: 1, datetime: MOMENT, dict[str, str]: {"x": "x"}}
    fields: dict[str, Any] = {name: values.get(field.annotation, ()) for name, field in event.model_fields.items()}
    return event.model_construct(None, **fields)


def askers(command: type[Command]) -> list[str]:
    """Who asks a command: reactions, effects, or clients, as a rule refuses only where somebody waits for an answer."""
    found = [f"{row.context}: `{row.reaction}`" for row in heard() if command in row.asked]
    found += [f"{c}: effect `{e.step}`" for c in parts() for e in effects(c) if command in e.answers]
    return list(dict.fromkeys(found if found and not refusals(command) else ["clients", *found]))


def hearers(event: type[Event]) -> list[str]:
    """The contexts that react to an event."""
    return [row.context for row in heard() if row.event is event]


def recorders(event: type[Event]) -> list[type[Command]]:
    """The commands that may lead to an event."""
    return [command for asked in COMMANDS.values() for command in asked if event in records(command)]


def tags(classes: Sequence[type[Event] | type[Command]], between: str = "<br>") -> str:
    """As a cell of a table."""
    return between.join(f"`{cls.tag}`" for cls in classes)
