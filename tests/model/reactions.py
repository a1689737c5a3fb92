"""The model of reactions: reactors read foreign events and send commands; the target handles each origin once.

The source holds four records at offsets 1 to 4; the second is a stale writer's and does not count. Each effective one
causes one command. Reactors crash and pause anywhere, two may run at a time, and what they send may be late.
"""

from collections.abc import Iterator
from typing import NamedTuple, TypeAlias

from tests.model.rules import Rules
from tests.model.search import Step

EFFECTIVE = {1: True, 2: False, 3: True, 4: True}
END = 5
IN_FLIGHT = 2

Reactor: TypeAlias = tuple[int, tuple[int, ...]]
"""The next offset to read, 0 when it is down, and the origins sent but not acked."""
DOWN: Reactor = (0, ())


class State(NamedTuple):
    """`positions`: the group's offset, per reader. `high`: the target's highest origin. Sets are bits by origin."""

    positions: tuple[int, ...]
    high: int
    handled: int
    parked: int
    late: tuple[int, ...]
    reactors: tuple[Reactor, ...]


class Reactions:
    """Two reactors of one context, one source partition, one target partition."""

    def __init__(self, rules: Rules) -> None:
        self.rules = rules
        self.start = State((1, 1), 0, 0, 0, (), (DOWN, DOWN))

    def steps(self, s: State) -> Iterator[Step[State]]:
        """Everything that may happen next."""
        for i, reactor in enumerate(s.reactors):
            yield from self._reactor(s, i, reactor)
        for j, origin in enumerate(s.late):
            for text, landed in self._land(s, origin):
                late = s.late[:j] + s.late[j + 1 :]
                yield f"late: {text}", landed if isinstance(landed, str) else landed._replace(late=late)
        if s.parked and self.rules.retry_parked_as_new:
            yield (
                "an operator retries what was parked, as a new command",
                s._replace(parked=0, handled=s.handled | s.parked),
            )

    def check(self, s: State) -> str:
        """Whether a new reactor, undisturbed, brings every command to its target."""
        if any(reactor != DOWN for reactor in s.reactors):
            return ""
        for origin in (origin for origin, effective in EFFECTIVE.items() if effective):
            coming = origin >= s.positions[self._reader(origin)] and origin > s.high
            if s.parked & 1 << origin and not self.rules.retry_parked_as_new:
                return f"lost: the parked command of event {origin} is dropped when it is retried"
            if not (s.handled | s.parked) & 1 << origin and not coming:
                return f"lost: the command of event {origin} will never be handled"
        return ""

    def _reader(self, origin: int) -> int:
        return 0 if self.rules.one_reader_per_source else origin % 2

    def _reactor(self, s: State, i: int, reactor: Reactor) -> Iterator[Step[State]]:
        offset, sent = reactor
        name, reader = "AB"[i], 0 if self.rules.one_reader_per_source else i
        if reactor == DOWN:
            label = f"{name} starts at event {s.positions[reader]}"
            yield label, self._with(s, i, (s.positions[reader], ()))
            return
        yield f"{name} gives up", self._with(s, i, DOWN)._replace(late=tuple(sorted(set(s.late) | set(sent))))
        yield from self._send(s, i, reactor)
        if offset > s.positions[reader] and not (sent and self.rules.advance_after_acks):
            positions = tuple(offset if n == reader else kept for n, kept in enumerate(s.positions))
            yield f"{name} commits its position: event {offset} is next", s._replace(positions=positions)
        for n, origin in enumerate(sent):
            for text, landed in self._land(s, origin):
                after = (offset, sent[:n] + sent[n + 1 :])
                yield text, landed if isinstance(landed, str) else self._with(landed, i, after)

    def _send(self, s: State, i: int, reactor: Reactor) -> Iterator[Step[State]]:
        offset, sent = reactor
        if offset == END or len(sent) >= (1 if self.rules.await_acks_in_order else IN_FLIGHT):
            return
        foreign = not self.rules.one_reader_per_source and offset % 2 != i
        ignored = self.rules.react_to_effective_only and not EFFECTIVE[offset]
        if foreign or ignored:
            yield f"{'AB'[i]} passes event {offset}", self._with(s, i, (offset + 1, sent))
        elif self.rules.advance_after_acks or not sent:
            yield f"{'AB'[i]} sends the command of event {offset}", self._with(s, i, (offset + 1, (*sent, offset)))

    def _land(self, s: State, origin: int) -> Iterator[Step[State]]:
        """The command is written, and the target's owner, who reads in order, handles it."""
        text = f"the command of event {origin} is written"
        if not EFFECTIVE[origin]:
            yield f"{text} and handled", f"phantom: event {origin} never counted"
        elif self.rules.drop_old_origins and origin <= s.high:
            yield f"{text} and dropped: {s.high} was handled already", s
        elif s.handled & 1 << origin:
            yield f"{text} and handled", f"duplicate: the command of event {origin} was handled twice"
        else:
            high = max(s.high, origin)
            yield f"{text} and handled", s._replace(high=high, handled=s.handled | 1 << origin)
            if not s.parked:
                yield f"{text}, is poison, and is parked", s._replace(high=high, parked=1 << origin)

    def _with(self, s: State, i: int, reactor: Reactor) -> State:
        return s._replace(reactors=(*s.reactors[:i], reactor, *s.reactors[i + 1 :]))
