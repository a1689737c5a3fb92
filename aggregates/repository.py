"""Repository is what the owner of one partition knows: its aggregates, and which inputs have been handled.

All of it is a fold of the partition's effective records, so it can be forgotten at any time.
"""

import logging
import re
from collections.abc import Iterable
from typing import Any

import msgspec
from msgspec.structs import replace

from aggregates.decider import Decider
from aggregates.letters import NONE, Letters
from events.envelope import CLIENT, Envelope
from events.errors import Undecodable
from events.event import Event
from events.log import Record
from events.registry import event_codec

logger = logging.getLogger(__name__)

SHOWN = 500
"""Characters that are kept of why a record cannot be read."""

REMEMBERED = 64
"""Ids of client commands that an aggregate remembers: a repeat within so many later ones is recognized."""

_ORIGIN = re.compile(r"(.+)/(\d{1,18})/(\d{1,18})", re.ASCII | re.DOTALL)

LOCAL = "owner"
"""The origin of a command that the partition's owner gives itself: an effect's answer, a deadline."""


class Entity(msgspec.Struct, frozen=True):
    """An aggregate: its state, its version (0: nothing happened), who asked last, and client command ids seen.

    `unreadable` names the record that nobody here can read, if there is one: where it lies in the partition, and why.
    Then nobody knows the state, and what stands for it leaves nothing to be done. `letters` wait for a person.
    `traceparent` is that of the last event: what the state asks for goes on from there.
    """

    state: Any
    version: int = 0
    correlation: str = ""
    causation: str = ""
    seen: tuple[str, ...] = ()
    unreadable: str = ""
    letters: Letters = NONE
    traceparent: str = ""


class Unhandled(Exception):
    """A command cannot be handled as things are; the text says why."""


class NotLoaded(Exception):
    """The stream is not in the hot set; a snapshot may have it."""

    def __init__(self, stream: str) -> None:
        self.stream = stream
        super().__init__(stream)


class Handled(msgspec.Struct):
    """The inputs that have been handled: the last command's offset, and the last origin per source partition."""

    position: int = -1
    origins: dict[str, tuple[int, int]] = {}

    def has(self, origin: str) -> bool:
        """Whether a command of this origin has been handled (reactions send in order, so the last one tells)."""
        source, place = split_origin(origin)
        return bool(place) and place <= self.origins.get(source, (-1, -1))

    def note(self, origin: str, position: int) -> None:
        """This input has been handled."""
        self.position = max(self.position, position)
        source, place = split_origin(origin)
        if place and place > self.origins.get(source, (-1, -1)):
            self.origins[source] = place


def split_origin(origin: str) -> tuple[str, tuple[int, int] | tuple[()]]:
    """`order.events/3/118/0` as (`order.events/3`, (118, 0)); an origin without a place has none."""
    found = _ORIGIN.fullmatch(origin)
    return (found[1], (int(found[2]), int(found[3]))) if found else (origin, ())


class Repository:
    """The hot set of one partition. `complete` says that a stream that is not here exists nowhere."""

    def __init__(self, decider: Decider, complete: bool = True) -> None:
        self.decider, self.complete = decider, complete
        self.entities: dict[str, Entity] = {}
        self.handled = Handled()
        self.dirty: set[str] = set()

    def get(self, stream: str) -> Entity:
        """An aggregate.

        Raises:
            NotLoaded: a snapshot may have it.
        """
        entity = self.entities.get(stream)
        if entity is None:
            if not self.complete:
                raise NotLoaded(stream)
            entity = Entity(self.decider.initial_of(stream))
        return entity

    def put(self, streams: Iterable[str], found: dict[str, Entity]) -> None:
        """Take in what snapshots had of these streams; what they had not does not exist."""
        for stream in streams:
            self.entities[stream] = found.get(stream) or Entity(self.decider.initial_of(stream))

    def fold(self, record: Record) -> None:
        """Take an effective record into account; if it cannot be read, the aggregate that it is about is unreadable.

        Raises:
            NotLoaded: nothing has been changed; put the stream, then fold again.
        """
        try:
            envelope = Envelope.read(record.headers)
        except Undecodable as error:
            self._fold_unread(record, error)
            return
        stream = envelope.subject
        if stream not in self.entities and not self.decider.has(stream):
            self.advance({}, [envelope])
            return
        entity = self.get(stream)
        # A snapshot may be newer than the resume point beside it, when a former owner flushed between our two reads.
        if not 0 < envelope.version <= entity.version:
            entity = self._folded(entity, envelope, record)
        self.advance({stream: entity}, [envelope])

    def _fold_unread(self, record: Record, error: Exception) -> None:
        stream = record.key.decode(errors="replace")  # all that is left to name it
        if self.decider.has(stream):
            self.advance({stream: self._lost(stream, self.get(stream), record, error)}, [])

    def _folded(self, entity: Entity, envelope: Envelope, record: Record) -> Entity:
        try:
            return self.after(entity, envelope, event_codec.decode(envelope.type, record.value))
        except Exception as error:
            # Of newer code, or of nobody: it would be unreadable every time, and others must not wait for its mending.
            if envelope.version:
                entity = self._lost(envelope.subject, entity, record, error)
            return _noted(entity, envelope, entity.state)

    def _lost(self, stream: str, entity: Entity, record: Record, error: Exception) -> Entity:
        logger.error("%s cannot be known: offset %d of its partition: %r", stream, record.offset, error)
        why = entity.unreadable or f"{record.offset}: {error!r}"[:SHOWN]
        return replace(entity, state=self.decider.initial_of(stream), unreadable=why)

    def after(self, entity: Entity, envelope: Envelope, event: Event) -> Entity:
        """An aggregate after an event; outcomes have no version and change only what has been seen."""
        if not envelope.version:
            letters = entity.letters.after(envelope, event)
            return _noted(
                entity if letters is entity.letters else replace(entity, letters=letters), envelope, entity.state
            )
        if entity.unreadable:
            return _noted(entity, envelope, entity.state)
        return _noted(entity, envelope, self.decider.evolve(entity.state, event))

    def advance(self, entities: dict[str, Entity], envelopes: Iterable[Envelope]) -> None:
        """What was decided is written: it is so."""
        self.entities.update(entities)
        self.dirty.update(entities)
        for envelope in envelopes:
            self.handled.note(envelope.origin, envelope.position)


def _noted(entity: Entity, envelope: Envelope, state: Any) -> Entity:
    """An aggregate in its new state, and who asked for it."""
    seen = entity.seen
    if envelope.origin == CLIENT and envelope.causation not in seen[-1:]:
        seen = (*seen, envelope.causation)[-REMEMBERED:]
    if not envelope.version:
        return replace(entity, seen=seen) if seen is not entity.seen else entity
    return Entity(
        state,
        envelope.version,
        envelope.correlation,
        envelope.id,
        seen,
        entity.unreadable,
        entity.letters,
        envelope.traceparent,
    )
