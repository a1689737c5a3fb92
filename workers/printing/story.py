"""Story lives a saga through on the rules alone, one message after another, and keeps who said what to whom."""

from collections import deque
from typing import Any, NamedTuple

from aggregates.decider import Todo
from events.event import Event
from events.registry import COMMANDS
from schemas.values import Command
from workers.printing.tables import MOMENT, new_parts

OUTSIDE = {"payment": "provider", "notification": "mail"}
"""Who is called by the effects of a context."""


class Arrow(NamedTuple):
    """Something said; `kind` is the arrow of a sequence diagram."""

    source: str
    kind: str
    target: str
    words: str


class Story:
    """Everything in one thread, so that it is told the same way every time. `said` fills up."""

    def __init__(self) -> None:
        self.said: list[Arrow] = []
        self._parts = new_parts()
        self._states: dict[str, Any] = {}
        self._asked: deque[tuple[str, Command]] = deque()
        self._todos: dict[tuple[str, str, str], Todo] = {}
        self._done: set[tuple[str, str, str]] = set()

    async def ask(self, *commands: Command, silent: tuple[str, ...] = ()) -> None:
        """A client asks; the contexts in `silent` hear nothing from outside for now."""
        for command in commands:
            context = _context_of(command)
            self.said.append(Arrow("customer", "->>", context, type(command).__name__))
            self._asked.append((context, command))
        await self.go_on(silent)

    async def go_on(self, silent: tuple[str, ...] = ()) -> None:
        """Until nothing is left but deadlines, and what the silent do not answer."""
        while self._asked or self._next(silent):
            while self._asked:
                self._decide(*self._asked.popleft())
            if found := self._next(silent):
                await self._call(*found)

    async def pass_time(self, context: str) -> None:
        """A context's deadlines come."""
        for at in [at for at, todo in self._todos.items() if at[0] == context and todo.due]:
            self.said.append(Arrow(context, "->>", context, "time is over"))
            await self._call(*at)

    def _decide(self, context: str, command: Command) -> None:
        decider = self._parts[context].decider
        events = decider.decide(command, self._state, MOMENT)
        for event in events:
            self._states[event.stream] = decider.evolve(self._state(event.stream), event)
            self._look(context, event.stream)
        names = ", ".join(dict.fromkeys(event.tag.rpartition(".")[0] for event in events)) or "nothing to change"
        self.said.append(Arrow(context, "note", context, f"{type(command).__name__}: {names}"))
        for event in events:
            self._tell(context, event)

    def _tell(self, source: str, event: Event) -> None:
        for context, made_of in self._parts.items():
            for row in made_of.reactions:
                if type(event) is row.event and (asked := row.react(event)):
                    self.said.append(Arrow(source, "-)", context, event.tag.rpartition(".")[0]))
                    self._asked.extend((context, command) for command in asked)

    def _look(self, context: str, stream: str) -> None:
        todos = {(context, stream, t.key or t.step): t for t in self._parts[context].decider.todos(self._state(stream))}
        self._todos = {at: todo for at, todo in self._todos.items() if at[1] != stream} | todos

    def _next(self, silent: tuple[str, ...]) -> tuple[str, str, str] | None:
        waiting = (at for at, todo in self._todos.items() if not todo.due and at[0] not in silent)
        return next((at for at in waiting if at not in self._done), None)

    async def _call(self, context: str, stream: str, key: str) -> None:
        todo = self._todos[context, stream, key]
        self._done.add((context, stream, key))
        answer = await self._parts[context].effects[todo.step](stream, self._state(stream), todo)
        if not todo.due:
            self.said.append(Arrow(context, "->>", OUTSIDE[context], todo.step))
            self.said.append(Arrow(OUTSIDE[context], "-->>", context, type(answer).__name__))
        self._asked.append((context, answer))

    def _state(self, stream: str) -> Any:
        if stream not in self._states:
            kind = stream.partition("-")[0]
            made_of = next(p for p in self._parts.values() if kind in p.decider.initial)
            self._states[stream] = made_of.decider.initial_of(stream)
        return self._states[stream]


def _context_of(command: Command) -> str:
    return next(context for context, asked in COMMANDS.items() if type(command) in asked)
