"""Stage holds what is decided and not yet written; it becomes the repository's state when the log has said yes."""

import base64
import logging
import traceback
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec

from aggregates.errors import KeyReused, PreconditionFailed, Rejection, Unreadable
from aggregates.letters import LOOSE
from aggregates.repository import LOCAL, Entity, NotLoaded, Repository, Unhandled, split_origin
from aggregates.retry import Retry
from events.envelope import CLIENT, Envelope
from events.event import Event
from events.fenced import Owner
from events.ids import derive, key_of
from events.letter import LetterParked
from events.log import Place
from events.outcome import CommandRejected, CommandUnchanged, RecordParked
from events.registry import EVENTS, command_codec, event_codec
from events.topics import MAX_BATCH_BYTES
from schemas.parking import OfLetter, ParkEvent, ParkRecord
from schemas.values import Command

logger = logging.getLogger(__name__)

SHOWN = 65_536
"""Bytes of a parked record's key and value that are kept; all of them lie where the event says."""

_OVERHEAD = 800
"""An upper bound of a record's bytes beside its body: headers, key, framing."""


class Incoming(msgspec.Struct, frozen=True):
    """A command as it came in: decoded, or else with the reason why not.

    `offset` is its place in the topic of commands; -1 for those that came another way, which have no bytes yet either.
    `mendable` says of one that could not be decoded that everything but its body makes sense.
    """

    envelope: Envelope
    command: Command | None
    topic: str
    partition: int
    offset: int = -1
    key: bytes = b""
    value: bytes = b""
    reason: str = ""
    mendable: bool = False

    def park(self, about: str, reason: str) -> RecordParked:
        """The event that sets it aside, with nobody behind it."""
        key, value = self._bytes()
        return RecordParked(
            about=about,
            topic=self.topic,
            partition=self.partition,
            offset=self.offset,
            reason=reason,
            key=base64.b64encode(key[:SHOWN]).decode(),
            value=base64.b64encode(value[:SHOWN]).decode(),
        )

    def letter(self, about: str, reason: str, blocks: bool, behind: str = "") -> LetterParked:
        """The event that sets it aside in order; all of its bytes are kept, for it may be retried."""
        key, value = self._bytes()
        return LetterParked(
            about=about,
            letter=derive(self.envelope.id, "0"),
            consumer=f"{self.topic.partition('.')[0]}.writer",
            type=self.envelope.type,
            message=self.envelope.id,
            subject=about,
            topic=self.topic,
            partition=self.partition,
            offset=self.offset,
            reason=reason,
            key=base64.b64encode(key).decode(),
            value=base64.b64encode(value).decode(),
            attempts=0 if behind else 1,
            behind=behind,
            blocks=blocks,
        )

    def _bytes(self) -> tuple[bytes, bytes]:
        if self.command is not None and not self.value:
            return self.command.stream.encode(), command_codec.encode(self.command)
        return self.key, self.value


class Paused(Exception):
    """Something cannot be handled, and its consumer is set to stand still rather than to set it aside."""

    def __init__(self, partition: int, reason: str) -> None:
        super().__init__(reason)
        self.partition, self.reason = partition, reason


class Stage:
    """One micro-batch of decisions, each taken on what the ones before it left; `pauses` at the first failure."""

    def __init__(self, repository: Repository, owner: Owner, now: datetime, pauses: bool = False) -> None:
        self._repository, self._owner, self._now, self._pauses = repository, owner, now, pauses
        self._time = now.isoformat()
        self._origins: dict[str, tuple[int, int]] = {}
        self.entities: dict[str, Entity] = {}
        self.commit: list[tuple[Envelope, bytes]] = []
        self.size = 0

    def handle(self, incoming: Incoming) -> None:
        """Decide on one command and stage what is to be recorded; a repeat stages nothing.

        Raises:
            NotLoaded: nothing has been staged; put the stream into the repository, then try again.
            Paused: nothing has been staged, and nothing that comes later may be.
        """
        envelope = incoming.envelope
        if self._repeated(envelope, incoming.command):
            return
        if refused := self._refused(envelope, incoming.command):
            self.put([refused], envelope, incoming.offset)
        elif isinstance(incoming.command, OfLetter | ParkEvent):
            self._together(incoming, incoming.command)
        else:
            self.put(self._answer(incoming), envelope, incoming.offset)
        source, place = split_origin(envelope.origin)
        if place:
            self._origins[source] = place

    def put(self, events: Sequence[Event], cause: Envelope, position: int) -> None:
        """Stage all that follows from one cause, or nothing."""
        for event in events:
            self.entity(event.stream)
        for index, event in enumerate(events):
            self.record(event, index, cause, position)

    def _together(self, incoming: Incoming, command: OfLetter | ParkEvent) -> None:
        """Stage what becomes of letters: all of it, or nothing."""
        before = dict(self.entities), len(self.commit), self.size
        try:
            Retry(self, incoming.envelope, incoming.offset).do(command)
        except (Rejection, NotLoaded) as no:
            self.entities, self.size = before[0], before[2]
            del self.commit[before[1] :]
            if isinstance(no, NotLoaded):
                raise
            self.put([_rejected(self.known(command.stream), no)], incoming.envelope, incoming.offset)

    def handled(self, position: int) -> None:
        """Record that commands up to this position are handled, where the last of them were repeats.

        Repeats leave no record; but once the topic's retention has taken them, the log alone must say where to go on.
        """
        if position > max((envelope.position for envelope, _ in self.commit), default=-1):
            context = self._repository.decider.context
            cause = derive(f"{context}.commands/{position}", self._owner.writer)
            envelope = Envelope(cause, "", context, self._time, "", cause, cause, LOCAL)
            self.record(CommandUnchanged(about=f"{context}-unknown"), 0, envelope, position)

    def _repeated(self, envelope: Envelope, command: Command | None) -> bool:
        if envelope.origin == CLIENT:
            stream = _asked(envelope, command)
            return self.known(stream) == stream and envelope.id in self.entity(stream).seen  # else it is parked
        source, place = split_origin(envelope.origin)
        staged = self._origins.get(source, (-1, -1))
        return self._repository.handled.has(envelope.origin) or bool(place and place <= staged)

    def _refused(self, envelope: Envelope, command: Command | None) -> Event | None:
        """The no to a client's command whose circumstances forbid it, whatever the rules say.

        One that expects a version never waits for a person: what it waits for might change the version.
        """
        stream, key = _asked(envelope, command), key_of(envelope.id)
        if envelope.origin != CLIENT or not (key or envelope.expected) or self.known(stream) != stream:
            return None
        entity = self.entity(stream)
        if key and any(key_of(seen) == key for seen in entity.seen):
            return _rejected(stream, KeyReused())
        if not envelope.expected or (entity.letters.head is None and _is_as_expected(entity, envelope.expected)):
            return None
        why = "" if entity.letters.head is None else "Something that came before waits for a person."
        return _rejected(stream, PreconditionFailed(why))

    def _answer(self, incoming: Incoming) -> Sequence[Event]:
        command = incoming.command
        if command is None:
            return [self._set_aside(incoming, incoming.reason)]
        if isinstance(command, ParkRecord):
            return [RecordParked(**{**dict(command), "about": self.known(command.about)})]
        if letter := self._behind(incoming):
            return [letter]
        try:
            events = self.decided(command, incoming.envelope.correlation)
        except Unhandled as why:
            return [self._set_aside(incoming, str(why))]
        except Rejection as no:
            return [_rejected(command.stream, no)]
        if not events and incoming.envelope.origin != LOCAL:
            return [CommandUnchanged(about=command.stream)]
        return events

    def decided(self, command: Command, correlation: str) -> Sequence[Event]:
        """What the rules say.

        Raises:
            Rejection: no.
            Unhandled: nothing, for a bug, or because nobody knows the state that is asked for.
            NotLoaded: put the stream into the repository, then try again.
        """
        try:
            return self._repository.decider.decide(command, self._state, self._now)
        except (NotLoaded, Rejection):
            raise
        except Unreadable as lost:
            raise Unhandled(str(lost)) from None
        except Exception:
            # A pure rule that raises would raise again: it is a bug, and others must not wait for its mending.
            logger.exception("bug in the rule for %s, correlation %s", command.tag, correlation)
            raise Unhandled(traceback.format_exc(limit=-3)) from None

    def _behind(self, incoming: Incoming) -> LetterParked | None:
        """The command as a letter, if it has to wait for one.

        What the owner tells itself waits for nobody: the world has answered so, and a provider forgets its keys.
        """
        stream = _asked(incoming.envelope, incoming.command)
        if incoming.envelope.origin == LOCAL or self.known(stream) != stream:
            return None
        head = self.entity(stream).letters.head
        return incoming.letter(stream, f"waits behind {head.id}", True, head.id) if head else None

    def _set_aside(self, incoming: Incoming, reason: str) -> Event:
        """A letter, if it can ever be handled; what comes later waits for it, if the aggregate is surely meant."""
        stream, decoded = _asked(incoming.envelope, incoming.command), incoming.command is not None
        mendable = incoming.envelope.origin != LOCAL if decoded else incoming.mendable
        mendable = mendable and not incoming.envelope.expected  # by the time of its mending it may be another version
        if not mendable or self.known(stream) != stream:
            return incoming.park(self.known(stream), reason)
        entity = self.entity(stream)
        head, blocks = entity.letters.head, decoded or entity.version > 0
        if blocks and self._pauses:
            raise Paused(self.place.partition, reason)
        if not blocks and len(entity.letters.open) >= LOOSE:
            return incoming.park(stream, reason)
        return incoming.letter(stream, reason, blocks, head.id if head and blocks else "")

    def known(self, stream: str) -> str:
        """The stream, if it is of a kind that we have; else one of ours for what has no home."""
        decider = self._repository.decider
        return stream if decider.has(stream) else f"{decider.context}-unknown"

    @property
    def kept(self) -> Mapping[str, Entity]:
        """The aggregates in memory, without what is staged."""
        return self._repository.entities

    @property
    def place(self) -> Place:
        """What is being written to."""
        return self._owner.place

    @property
    def context(self) -> str:
        """Whose rules these are."""
        return self._repository.decider.context

    @property
    def full(self) -> bool:
        """Whether no more should go into this batch."""
        return self.size > MAX_BATCH_BYTES // 2

    def _state(self, stream: str) -> Any:
        entity = self.entity(stream)
        if entity.unreadable:
            topic, partition = self._owner.place
            raise Unreadable(f"{stream} cannot be known: {topic}/{partition}/{entity.unreadable}")
        return entity.state

    def entity(self, stream: str) -> Entity:
        """An aggregate, staged changes included."""
        return self.entities.get(stream) or self._repository.get(stream)

    def record(self, event: Event, index: int, cause: Envelope, position: int) -> Envelope:
        """Stage one event."""
        context, entity = self._repository.decider.context, self.entity(event.stream)
        counts = type(event) in _COUNTED[context]
        envelope = Envelope(
            id=derive(cause.id, str(index)),
            type=event.tag,
            source=context,
            time=self._time,
            subject=event.stream,
            correlation=cause.correlation,
            causation=cause.id,
            origin=cause.origin,
            traceparent=cause.traceparent,
            version=entity.version + 1 if counts else 0,
            epoch=self._owner.epoch,
            writer=self._owner.writer,
            position=position,
        )
        body = event_codec.encode(event)
        self.entities[event.stream] = self._repository.after(entity, envelope, event)
        self.commit.append((envelope, body))
        self.size += len(body) + _OVERHEAD
        return envelope


def _is_as_expected(entity: Entity, expected: str) -> bool:
    return entity.version > 0 if expected == "*" else str(entity.version) in expected.split(",")


def _rejected(about: str, no: Rejection) -> CommandRejected:
    return CommandRejected(about=about, code=type(no).__name__, detail=no.detail)


def _asked(envelope: Envelope, command: Command | None) -> str:
    """The stream that a command is about; of one that was not decoded, as its headers have it."""
    return command.stream if command is not None else envelope.subject


_COUNTED = {context: frozenset(classes) for context, classes in EVENTS.items()}
