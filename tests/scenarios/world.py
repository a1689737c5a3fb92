"""World runs contexts by hand, one step at a time, so that a test chooses what arrives when.

The writers, the reactors' reading, the log and the rules are the real ones; only the event loop is missing.
"""

from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from copy import deepcopy
from typing import Any, NamedTuple, TypeVar, cast
from uuid import UUID, uuid5

from msgspec.structs import replace

from aggregates.decider import Todo
from aggregates.repository import Handled
from aggregates.stage import Incoming
from events import topics
from events.fence import Fence
from events.fenced import Owner, claim
from events.log import Place
from events.memory import MemoryLog
from schemas.settings import Settings
from schemas.values import Command
from tests.scenarios.shop import client_draft, place_of
from tests.scenarios.till import Till
from workers.channel import ByChannel
from workers.compose import parts_of
from workers.context import Parts
from workers.effects import Effect, Effects
from workers.hotset import HotSet
from workers.mail import InProcessMailbox
from workers.payment import effects as payment_effects
from workers.reacting import draft_of
from workers.reactor import Reactor
from workers.writer import Tenure, Writer

T = TypeVar("T")
Guard = Callable[["World"], bool]
NAMESPACE = UUID(int=7)


class Step(NamedTuple):
    """Something that may happen next: `hear`, `decide`, `ask`, `answer`, `send`, or `replace` and `forget`."""

    what: str
    context: str = ""
    place: Place = Place("", 0)
    stream: str = ""
    key: str = ""


class Asked(NamedTuple):
    """A client's wish, and when it may be sent."""

    command: Command
    guard: Guard = lambda _: True


class World:
    """Some contexts on a log in memory. `script` is what clients ask, in any order that the guards allow.

    Only `partitions` of theirs are looked at, which must be those that the script leads to; `batch` is how many
    commands are decided upon together.
    """

    def __init__(self, names: Sequence[str], script: Sequence[Asked], partitions: Iterable[int] = range(4)) -> None:
        self.names, self.script, self.partitions = tuple(names), tuple(script), tuple(partitions)
        self.till, self.mailbox, self.log = Till(), InProcessMailbox(), MemoryLog()
        found = parts_of(Settings(), self.till, ByChannel({"email": self.mailbox}))
        self.parts: dict[str, Parts] = {name: found[name] for name in names}
        self.batch = 1
        self.sent: dict[str, Command] = {}
        self.answers: dict[tuple[str, str], tuple[Todo, Command]] = {}
        self.tenures: dict[Place, Tenure] = {}
        self.decided: dict[Place, int] = {}
        self.writers = {name: self._writer(name) for name in names}
        self.reactors = {name: Reactor(self.log, name, self.parts[name].reactions) for name in names}
        self.heard = {(name, place): Fence() for name in names for place in self._others(name)}
        for name in names:
            for p in self.partitions:
                self.replace(name, p)

    def _writer(self, name: str) -> Writer:
        parts = self.parts[name]
        return Writer(self.log, parts.decider, parts.effects, lambda p: HotSet(parts.decider, p, None))

    def _others(self, name: str) -> list[Place]:
        return [Place(topics.events(other), p) for other in self.names for p in self.partitions if other != name]

    def steps(self) -> Iterator[Step]:
        """Everything that may happen next, but accidents."""
        for i, asked in enumerate(self.script):
            if _id(i) not in self.sent and asked.guard(self):
                yield Step("send", key=str(i))
        for (name, place), fence in self.heard.items():
            if fence.next < len(self.log.records[place]):
                yield Step("hear", name, place)
        for place, position in self.decided.items():
            if position < len(self.log.records[place]):
                yield Step("decide", _context(place), place)
        yield from self._effects()

    def _effects(self) -> Iterator[Step]:
        for stream, key in self.answers:
            yield Step("answer", stream=stream, key=key)
        for place, tenure in self.tenures.items():
            for stream, entity in tenure.repository.entities.items():
                for todo in tenure.repository.decider.todos(entity.state):
                    if (stream, todo.key or todo.step) not in self.answers:
                        yield Step("ask", _context(place), place, stream, todo.key or todo.step)

    def timed(self, step: Step) -> bool:
        """Whether a step is the passing of a deadline, which need not happen."""
        return step.what == "ask" and step.key == "lapse"

    def do(self, step: Step) -> None:
        """Let it happen."""
        match step.what:
            case "send":
                self._send(int(step.key))
            case "hear":
                self._hear(step.context, step.place)
            case "decide":
                self._decide(step.place)
            case "ask":
                self._ask(step)
            case "answer":
                self._answer(step)
            case "replace":
                self.replace(step.context, step.place.partition)
            case _:
                for place in self._others(step.context):
                    self.heard[step.context, place] = Fence()

    def _send(self, i: int) -> None:
        command = self.script[i].command
        self.sent[_id(i)] = command
        now(self.log.append(place_of(command), [client_draft(command, _id(i))]))

    def _hear(self, context: str, place: Place) -> None:
        reactor, fence = self.reactors[context], self.heard[context, place]
        reactor.fences = {place: fence}
        record = self.log.records[place][fence.next]
        for one in list(reactor._react(place, [record])):
            now(self.log.append(Place(one.topic, one.partition), [draft_of(one)]))

    def _decide(self, place: Place) -> None:
        records = self.log.records[place][self.decided[place] :][: self.batch]
        self.decided[place] += len(records)
        writer = self.writers[_context(place)]
        self._commit(place, [writer._decoded(place, record) for record in records])

    def _ask(self, step: Step) -> None:
        tenure = self.tenures[step.place]
        state = tenure.repository.entities[step.stream].state
        todo = next(t for t in tenure.repository.decider.todos(state) if (t.key or t.step) == step.key)
        effects: Mapping[str, Effect] = self.parts[step.context].effects
        if step.context == "payment":
            self.till = deepcopy(self.till)  # other worlds may share it
            effects = payment_effects(self.till)
        self.answers[step.stream, step.key] = todo, now(effects[todo.step](step.stream, state, todo))

    def _answer(self, step: Step) -> None:
        todo, command = self.answers.pop((step.stream, step.key))
        place = place_of(command)
        writer = self.writers[_context(place)]
        writer.tenures = {place.partition: self.tenures[place]}
        self._commit(place, [writer._local(step.stream, todo, command)])

    def _commit(self, place: Place, incoming: list[Incoming]) -> None:
        now(self.writers[_context(place)]._commit(self.tenures[place], incoming, cast("Effects", _NoEffects())))

    def replace(self, context: str, p: int) -> None:
        """A new writer takes a partition over; it knows the log alone."""
        place = Place(topics.commands(context), p)
        hot = HotSet(self.parts[context].decider, p, None)
        owner = now(claim(self.log, Place(topics.events(context), p), Fence(), hot.fold))
        self.tenures[place] = Tenure(p, owner, hot)
        self.decided[place] = hot.repository.handled.position + 1
        kinds = tuple(hot.repository.decider.initial)
        self.answers = {key: answer for key, answer in self.answers.items() if not key[0].startswith(kinds)}

    def state(self, stream: str) -> Any:
        """An aggregate as its owner has it; None if there is none."""
        found = (t.repository.entities.get(stream) for t in self.tenures.values())
        return next((entity.state for entity in found if entity), None)

    def copy(self) -> "World":
        """Another world at the same point, which goes its own way; to be used without notifications."""
        twin = object.__new__(World)
        twin.__dict__.update(self.__dict__)
        twin.log = MemoryLog()
        for place, records in self.log.records.items():
            twin.log.records[place] = list(records)
        twin.sent, twin.answers, twin.decided = dict(self.sent), dict(self.answers), dict(self.decided)
        twin.tenures = {place: _copied(twin.log, tenure) for place, tenure in self.tenures.items()}
        twin.heard = {key: replace(fence) for key, fence in self.heard.items()}
        return twin

    def key(self) -> int:
        """The same for worlds that cannot be told apart."""
        logs = ((place, tuple(r.headers.get("ce_id") for r in rs)) for place, rs in self.log.records.items() if rs)
        heard = tuple(fence.next for fence in self.heard.values())
        decided = tuple(self.decided.values())
        return hash((tuple(sorted(logs)), heard, decided, frozenset(self.answers), frozenset(self.till.moves)))


def now(waiting: Awaitable[T]) -> T:
    """The result of what never has to wait, as nothing does on a log in memory."""
    try:
        next(waiting.__await__())
    except StopIteration as done:
        return cast("T", done.value)
    raise AssertionError(f"{waiting} waits for something")


class _NoEffects:
    def look(self, stream: str, entity: object) -> bool:
        """Effects are steps of their own here."""
        return False


def _copied(log: MemoryLog, tenure: Tenure) -> Tenure:
    hot = HotSet(tenure.repository.decider, tenure.partition, None)
    hot.repository.entities = dict(tenure.repository.entities)
    handled = tenure.repository.handled
    hot.repository.handled = Handled(handled.position, dict(handled.origins))
    return Tenure(tenure.partition, Owner(log, tenure.owner.place, replace(tenure.owner.fence)), hot)


def _id(i: int) -> str:
    return str(uuid5(NAMESPACE, str(i)))


def _context(place: Place) -> str:
    return place.topic.partition(".")[0]
