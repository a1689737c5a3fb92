"""Search visits every state that a model can reach, breadth first: the first counterexample is a shortest one."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol, TypeAlias, TypeVar

State = TypeVar("State", bound=tuple[object, ...])
Step: TypeAlias = tuple[str, State | str]
"""What happened, and the state it leads to; or, as text, the invariant it breaks."""


class Model(Protocol[State]):
    """A world: where it starts, what may happen next, and the invariant that a state breaks, or ""."""

    start: State

    def steps(self, s: State, /) -> Iterable[Step[State]]: ...

    def check(self, s: State, /) -> str: ...


@dataclass(frozen=True)
class Report:
    """What a search saw. `broken` is the first invariant that failed, `trace` how, one line a step."""

    states: int
    transitions: int
    broken: str = ""
    trace: tuple[str, ...] = ()

    def __str__(self) -> str:
        if not self.broken:
            return f"{self.states:,} states, {self.transitions:,} transitions, no counterexample"
        steps = "\n".join(f"  {number}. {line}" for number, line in enumerate(self.trace, 1))
        return f"after {len(self.trace)} steps: {self.broken}\n{steps}"


def search(model: Model[State]) -> Report:
    """Visit everything that follows from the start."""
    seen, level, transitions = {model.start}, [model.start], 0
    while level:
        following: list[State] = []
        for state in level:
            for _, new in model.steps(state):
                transitions += 1
                if isinstance(new, str):
                    return _retrace(model, len(seen), transitions)
                if new not in seen:
                    if model.check(new):
                        return _retrace(model, len(seen), transitions)
                    seen.add(new)
                    following.append(new)
        level = following
    return Report(len(seen), transitions)


def _retrace(model: Model[State], states: int, transitions: int) -> Report:
    """Search once more, with every state's past in memory, and tell the way to the broken invariant."""
    past: dict[State, tuple[State, str] | None] = {model.start: None}
    level = [model.start]
    while level:
        following: list[State] = []
        for state in level:
            for label, new in model.steps(state):
                broken = new if isinstance(new, str) else "" if new in past else model.check(new)
                if broken:
                    return Report(states, transitions, broken, (*_way_to(state, past), label))
                if not isinstance(new, str) and new not in past:
                    past[new] = (state, label)
                    following.append(new)
        level = following
    raise AssertionError("a search that is run twice takes the same way")


def _way_to(state: State, past: dict[State, tuple[State, str] | None]) -> tuple[str, ...]:
    labels: list[str] = []
    step = past[state]
    while step is not None:
        state, label = step
        labels.append(label)
        step = past[state]
    return tuple(reversed(labels))
