"""The model of the way without the topic: reactors that hand commands to the writer beside them, if it is beside them.

The source holds events 1 and 2, each of which causes one command for the one target partition. Processes A and B both
run a reactor and may own the target, in turn. A command goes to the inbox of the own writer, or over the topic.
"""

from collections.abc import Iterator
from typing import NamedTuple

from tests.model.rules import Rules
from tests.model.search import Step

END = 3
TENURES = 2
TOPIC = 2
INBOX = 2

DOWN, ASKED, DRAINING, NEAR, FAR = "down", "asked", "draining", "near", "far"


class Reactor(NamedTuple):
    """What it does; the next event to read; how long the topic was when it asked; and the tenure of its inbox."""

    phase: str = DOWN
    offset: int = 0
    end: int = -1
    tenure: int = 0


class Waiting(NamedTuple):
    """A command in the inbox: the event that caused it, and its place in the topic, -1 if it did not come that way."""

    event: int
    place: int


class State(NamedTuple):
    """`topic`: events of the commands in it. `read`, `inbox`, `tenure`: the owner's. The rest is in the log."""

    topic: tuple[int, ...] = ()
    late: tuple[int, ...] = ()
    position: int = 1
    high: int = 0
    next: int = 0
    owner: int = 0
    tenure: int = 1
    read: int = 0
    inbox: tuple[Waiting, ...] = ()
    reactors: tuple[Reactor, Reactor] = (Reactor(), Reactor())


class Handover:
    """Two processes of one context, one source partition, one target partition."""

    def __init__(self, rules: Rules) -> None:
        self.rules, self.start = rules, State()

    def steps(self, s: State) -> Iterator[Step[State]]:
        """Everything that may happen next."""
        for i, reactor in enumerate(s.reactors):
            yield from self._reactor(s, i, reactor)
        if s.late and len(s.topic) < TOPIC:
            yield f"late: the command of event {s.late[0]} is written", s._replace(topic=(*s.topic, *s.late), late=())
        if s.read < len(s.topic) and len(s.inbox) < INBOX:
            taken = Waiting(s.topic[s.read], s.read)
            yield (
                f"{'AB'[s.owner]} reads the command of event {taken.event} from the topic",
                s._replace(read=s.read + 1, inbox=(*s.inbox, taken)),
            )
        if s.inbox:
            yield self._decide(s, *s.inbox[0])
        if s.tenure < TENURES:
            for owner in (0, 1):
                text = f"{'AB'[owner]} claims the target, and reads the topic from {s.next}"
                yield text, s._replace(owner=owner, tenure=s.tenure + 1, read=s.next, inbox=())

    def check(self, s: State) -> str:
        """Whether every command is handled, on its way, or will be sent again."""
        coming = {waiting.event for waiting in s.inbox} | set(s.topic[s.next :]) | set(s.late)
        for event in range(s.high + 1, s.position):
            if event not in coming:
                return f"lost: the command of event {event} will never be handled"
        return ""

    def _decide(self, s: State, event: int, place: int) -> Step[State]:
        after = s._replace(inbox=s.inbox[1:], next=max(s.next, place + 1))
        if event <= s.high:
            return f"the command of event {event} is dropped: {s.high} was handled already", after
        if event > s.high + 1:
            text = f"the command of event {event} is handled"
            return text, f"lost: the command of event {s.high + 1} will be taken for a repeat"
        return f"the command of event {event} is handled", after._replace(high=event)

    def _reactor(self, s: State, i: int, reactor: Reactor) -> Iterator[Step[State]]:
        name, (phase, offset, end, tenure) = "AB"[i], reactor
        if phase != DOWN:
            yield f"{name}'s reactor ends", _with(s, i, Reactor())
        match phase:
            case "down" if self.rules.position_before_end:
                yield f"{name} reads the position: event {s.position}", _with(s, i, Reactor(ASKED, s.position))
            case "down":
                yield f"{name} reads the topic's end: {len(s.topic)}", _with(s, i, Reactor(ASKED, 0, len(s.topic)))
            case "asked":
                asked = Reactor(DRAINING, offset or s.position, end if end >= 0 else len(s.topic), s.tenure)
                if i != s.owner:
                    yield f"{name} goes over the topic", _with(s, i, asked._replace(phase=FAR))
                else:
                    yield f"{name} waits until its writer has read the topic up to {asked.end}", _with(s, i, asked)
            case "draining" if tenure == s.tenure and (s.read >= end or not self.rules.drain_before_handing_over):
                yield f"{name} begins to hand over", _with(s, i, reactor._replace(phase=NEAR))
            case "near" if offset < END and (tenure == s.tenure or not self.rules.inbox_ends_with_its_tenure):
                if i == s.owner and len(s.inbox) < INBOX:
                    on = _with(s, i, reactor._replace(offset=offset + 1))
                    text = f"{name} hands over the command of event {offset}"
                    yield text, on._replace(inbox=(*s.inbox, Waiting(offset, -1)))
            case "far" if offset < END and len(s.topic) < TOPIC:
                on = _with(s, i, reactor._replace(offset=offset + 1))
                yield f"{name} sends the command of event {offset}", on._replace(topic=(*s.topic, offset))
                if not s.late:
                    yield (
                        f"{name} sends the command of event {offset}, and gives up waiting",
                        _with(s, i, Reactor())._replace(late=(offset,)),
                    )
        if phase in (NEAR, FAR) and offset > s.position:
            waits = phase == NEAR and s.high < offset - 1 and self.rules.position_after_outcomes
            if not waits:
                yield f"{name} commits its position: event {offset} is next", s._replace(position=offset)


def _with(s: State, i: int, reactor: Reactor) -> State:
    first, second = s.reactors
    return s._replace(reactors=(reactor, second) if i == 0 else (first, reactor))
