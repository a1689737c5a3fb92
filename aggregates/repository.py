"""Repository is what the owner of one partition knows: its aggregates, and which inputs have been handled.

All of it is a fold of the partition's effective records, so it can be forgotten at any time.
"""

import re
from collections.abc import Iterable
from typing import Any

import msgspec
from msgspec.structs import replace

from aggregates.decider import Decider
from events.envelope import CLIENT, Envelope
from events.event import Event
from events.log import Record
from events.registry import event_codec

REMEMBERED = 64
"""Ids of client commands that an aggregate remembers: a repeat within so many later ones is recognized."""

_ORIGIN = re.compile(r"(.+)/(\d{1,18})/(\d{1,18})", re.ASCII | re.DOTALL)

LOCAL = "owner"
"""The origin of a command that the partition's owner gives itself: an effect's answer, a deadline."""


class Entity(msgspec.Struct, frozen=True):
    """An aggregate: its state, its version (0: nothing happened), who asked last, and client command ids seen."""

    state: Any
    version: int = 0
    correlation: str = ""
    causation: str = ""
    seen: tuple[str, ...] = ()


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
        """Take an effective record into account.

        Raises:
            NotLoaded: nothing has been changed; put the stream, then fold again.
        """
        envelope = Envelope.read(record.headers)
        event = event_codec.decode(envelope.type, record.value)
        entity = self.get(envelope.subject)
        # A snapshot may be newer than the resume point beside it, when a former owner flushed between our two reads.
        if not 0 < envelope.version <= entity.version:
            entity = self.after(entity, envelope, event)
        self.advance({envelope.subject: entity}, [envelope])

    def after(self, entity: Entity, envelope: Envelope, event: Event) -> Entity:
        """An aggregate after an event; outcomes have no version and change only what has been seen."""
        seen = entity.seen
        if envelope.origin == CLIENT and envelope.causation not in seen[-1:]:
            seen = (*seen, envelope.causation)[-REMEMBERED:]
        if not envelope.version:
            return replace(entity, seen=seen) if seen is not entity.seen else entity
        return Entity(
            self.decider.evolve(entity.state, event), envelope.version, envelope.correlation, envelope.id, seen
        )

    def advance(self, entities: dict[str, Entity], envelopes: Iterable[Envelope]) -> None:
        """What was decided is written: it is so."""
        self.entities.update(entities)
        self.dirty.update(entities)
        for envelope in envelopes:
            self.handled.note(envelope.origin, envelope.position)
