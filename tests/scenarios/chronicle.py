"""Chronicle reads every context's events as any outsider would, and knows what must still come of them."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from aggregates.repository import Repository
from aggregates.stage import Incoming
from events import topics
from events.envelope import Envelope
from events.errors import Undecodable
from events.event import Event
from events.fence import Fence, Verdict
from events.letter import LetterDiscarded, LetterParked, LetterReleased, LetterRetried
from events.log import Place, Record
from events.outcome import RecordParked
from events.registry import event_codec
from workers.context import Parts
from workers.reacting import asked_by, released_by, table_of


class Told(NamedTuple):
    """One effective record."""

    place: Place
    offset: int
    envelope: Envelope
    event: Event


class Chronicle:
    """`told` is all that counts, in order per place; `expected` the ids of commands that must have an outcome.

    `ours` are the correlation ids of this test: the log may hold the records of others.
    """

    def __init__(self, parts: Mapping[str, Parts]) -> None:
        self._parts = parts
        self.places = [Place(topics.events(name), p) for name in parts for p in range(topics.PARTITIONS)]
        self.fences = {place: Fence() for place in self.places}
        self.repositories = {place: Repository(parts[_context(place)].decider) for place in self.places}
        self.ours: set[str] = set()
        self.told: list[Told] = []
        self.parked: list[RecordParked | LetterParked] = []
        self.became: dict[str, LetterRetried | LetterDiscarded] = {}
        self.expected: dict[str, str] = {}
        self.outcomes: defaultdict[str, list[Told]] = defaultdict(list)
        self._seen: set[tuple[str, str]] = set()
        self._unanswered: dict[str, str] = {}
        self._pending: dict[str, str] = {}
        self._of_origin: defaultdict[tuple[str, str], list[str]] = defaultdict(list)

    def expect(self, command_id: str, what: str) -> None:
        """A client has sent this command."""
        self.ours.add(command_id)
        self._expect(command_id, what)

    def _expect(self, command_id: str, what: str) -> None:
        self.expected[command_id] = what
        if command_id not in self.outcomes:
            self._unanswered[command_id] = what

    def forget(self) -> None:
        """What was ours so far is not ours any more."""
        for ours in (self.ours, self.told, self.parked, self.became, self.expected, self.outcomes):
            ours.clear()
        for open_ in (self._seen, self._unanswered, self._pending, self._of_origin):
            open_.clear()

    def take(self, place: Place, records: Iterable[Record]) -> None:
        """The next records of a place."""
        for record in records:
            if self.fences[place].judge(record.offset, record.headers) is Verdict.EFFECTIVE:
                self._tell(place, record)

    def _tell(self, place: Place, record: Record) -> None:
        self.repositories[place].fold(record)
        try:
            envelope = Envelope.read(record.headers)
            told = Told(place, record.offset, envelope, event_codec.decode(envelope.type, record.value))
        except Undecodable:
            return  # a forged one: nothing can be told of it
        if isinstance(told.event, RecordParked | LetterParked):
            self.parked.append(told.event)
        if isinstance(told.event, LetterRetried | LetterDiscarded):
            self.became[told.event.command] = told.event
        if envelope.correlation in self.ours:
            self.told.append(told)
            self._seen.add((envelope.type, envelope.correlation))
            self.outcomes[envelope.causation].append(told)
            self._unanswered.pop(envelope.causation, None)
            self._foresee(place, record, told)

    def _foresee(self, place: Place, record: Record, told: Told) -> None:
        """What reactions and effects owe because of this event."""
        for context, parts in self._parts.items():
            for reaction in parts.reactions:
                if reaction.event is type(told.event):
                    self._foresee_all(asked_by(context, place, record, reaction))
        if isinstance(told.event, LetterReleased):
            self._foresee_all(
                released_by(_context(place), place, record, table_of(self._parts[_context(place)].reactions))
            )
        if isinstance(told.event, LetterParked) and told.event.consumer.endswith(".reactions"):
            self._wait(told.envelope)
        repository = self.repositories[place]
        todos = repository.decider.todos(repository.entities[told.envelope.subject].state)
        self._pending.pop(told.envelope.subject, None)
        if todos:
            self._pending[told.envelope.subject] = ", ".join(todo.step for todo in todos)

    def _foresee_all(self, asked: Iterable[Incoming]) -> None:
        for one in asked:
            self._expect(one.envelope.id, f"{one.envelope.type} of {one.envelope.subject}")
            self._of_origin[one.envelope.source, _heard(one.envelope)].append(one.envelope.id)

    def _wait(self, parked: Envelope) -> None:
        """What a reaction owes is not owed while its event waits."""
        for name in self._of_origin[parked.source, _heard(parked)]:
            if name != parked.causation:
                self.expected.pop(name, None)
                self._unanswered.pop(name, None)

    def open(self) -> list[str]:
        """What is still to come: commands without an outcome, effects without an answer."""
        return [*self._unanswered.values(), *(f"{steps} of {stream}" for stream, steps in self._pending.items())]

    def saw(self, tag: str, correlation: str) -> bool:
        """Whether an event of this type has been recorded because of a request."""
        return (tag, correlation) in self._seen

    def history(self, stream: str) -> list[Event]:
        """What has happened to an aggregate; outcomes of refused or needless commands left out."""
        return [told.event for told in self.told if told.envelope.subject == stream and told.envelope.version]

    def tags(self, stream: str) -> list[str]:
        """The same as tags."""
        return [event.tag for event in self.history(stream)]

    def state(self, stream: str) -> Any:
        """An aggregate as the log has it."""
        return next(r.entities[stream].state for r in self.repositories.values() if stream in r.entities)

    def states(self, kind: str) -> dict[str, Any]:
        """The aggregates of a kind that this test has touched."""
        streams = {told.envelope.subject for told in self.told if told.envelope.version}
        return {stream: self.state(stream) for stream in streams if stream.startswith(f"{kind}-")}

    def of(self, *types: type[Event]) -> list[Any]:
        """Our events of these types."""
        return [told.event for told in self.told if isinstance(told.event, types)]


def _context(place: Place) -> str:
    return place.topic.removesuffix(".events")


def _heard(asked: Envelope) -> str:
    """Where the event lies that a reaction was to."""
    return asked.origin.rpartition("/")[0]
