"""Stage holds what is decided and not yet written; it becomes the repository's state when the log has said yes."""

import base64
import logging
import traceback
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec

from aggregates.errors import Rejection
from aggregates.repository import LOCAL, Entity, NotLoaded, Repository, Unreadable, split_origin
from events.envelope import CLIENT, Envelope
from events.event import Event
from events.fenced import Owner
from events.ids import derive
from events.outcome import CommandRejected, CommandUnchanged, RecordParked
from events.registry import EVENTS, command_codec, event_codec
from schemas.parking import ParkRecord
from schemas.values import Command

logger = logging.getLogger(__name__)

SHOWN = 65_536
"""Bytes of a parked record's key and value that are kept; all of them lie where the event says."""

_OVERHEAD = 800
"""An upper bound of a record's bytes beside its body: headers, key, framing."""


class Incoming(msgspec.Struct, frozen=True):
    """A command as it came in: decoded, or else with the reason why not.

    `offset` is its place in the topic of commands; -1 for those that came another way, which have no bytes yet either.
    """

    envelope: Envelope
    command: Command | None
    topic: str
    partition: int
    offset: int = -1
    key: bytes = b""
    value: bytes = b""
    reason: str = ""

    def park(self, about: str, reason: str) -> RecordParked:
        """The event that sets it aside."""
        key, value = self.key, self.value
        if self.command is not None and not value:
            key, value = self.command.stream.encode(), command_codec.encode(self.command)
        return RecordParked(
            about=about,
            topic=self.topic,
            partition=self.partition,
            offset=self.offset,
            reason=reason,
            key=base64.b64encode(key[:SHOWN]).decode(),
            value=base64.b64encode(value[:SHOWN]).decode(),
        )


class Stage:
    """One micro-batch of decisions, each taken on what the ones before it left."""

    def __init__(self, repository: Repository, owner: Owner, now: datetime) -> None:
        self._repository, self._owner, self._now = repository, owner, now
        self._time = now.isoformat()
        self._origins: dict[str, tuple[int, int]] = {}
        self.entities: dict[str, Entity] = {}
        self.commit: list[tuple[Envelope, bytes]] = []
        self.size = 0

    def handle(self, incoming: Incoming) -> None:
        """Decide on one command and stage what is to be recorded; a repeat stages nothing.

        Raises:
            NotLoaded: nothing has been staged; put the stream into the repository, then try again.
        """
        envelope = incoming.envelope
        if self._repeated(envelope, incoming.command):
            return
        events = self._answer(incoming)
        for event in events:
            self._entity(event.stream)
        for index, event in enumerate(events):
            self._record(event, index, envelope, incoming.offset)
        source, place = split_origin(envelope.origin)
        if place:
            self._origins[source] = place

    def handled(self, position: int) -> None:
        """Record that commands up to this position are handled, where the last of them were repeats.

        Repeats leave no record; but once the topic's retention has taken them, the log alone must say where to go on.
        """
        if position > max((envelope.position for envelope, _ in self.commit), default=-1):
            context = self._repository.decider.context
            cause = derive(f"{context}.commands/{position}", self._owner.writer)
            envelope = Envelope(cause, "", context, self._time, "", cause, cause, LOCAL)
            self._record(CommandUnchanged(about=f"{context}-unknown"), 0, envelope, position)

    def _repeated(self, envelope: Envelope, command: Command | None) -> bool:
        if envelope.origin == CLIENT:
            if command is None or self._known(command.stream) != command.stream:
                return False  # it is going to be parked
            return envelope.id in self._entity(command.stream).seen
        source, place = split_origin(envelope.origin)
        staged = self._origins.get(source, (-1, -1))
        return self._repository.handled.has(envelope.origin) or bool(place and place <= staged)

    def _answer(self, incoming: Incoming) -> Sequence[Event]:
        command, envelope = incoming.command, incoming.envelope
        if command is None:
            return [incoming.park(self._known(envelope.subject), incoming.reason)]
        if isinstance(command, ParkRecord):
            return [RecordParked(**{**dict(command), "about": self._known(command.about)})]
        try:
            events = self._repository.decider.decide(command, self._state, self._now)
        except NotLoaded:
            raise
        except Unreadable as lost:
            return [incoming.park(self._known(envelope.subject), str(lost))]
        except Rejection as no:
            return [CommandRejected(about=command.stream, code=type(no).__name__, detail=no.detail)]
        except Exception:
            # A pure rule that raises would raise again: it is a bug, and others must not wait for its mending.
            logger.exception("bug in the rule for %s, correlation %s", command.tag, envelope.correlation)
            return [incoming.park(self._known(envelope.subject), traceback.format_exc(limit=-3))]
        if not events and envelope.origin != LOCAL:
            return [CommandUnchanged(about=command.stream)]
        return events

    def _known(self, stream: str) -> str:
        """The stream, if it is of a kind that we have; else one of ours for what has no home."""
        decider = self._repository.decider
        return stream if decider.has(stream) else f"{decider.context}-unknown"

    def _state(self, stream: str) -> Any:
        entity = self._entity(stream)
        if entity.unreadable:
            topic, partition = self._owner.place
            raise Unreadable(f"{stream} cannot be known: {topic}/{partition}/{entity.unreadable}")
        return entity.state

    def _entity(self, stream: str) -> Entity:
        return self.entities.get(stream) or self._repository.get(stream)

    def _record(self, event: Event, index: int, cause: Envelope, position: int) -> None:
        context, entity = self._repository.decider.context, self._entity(event.stream)
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


_COUNTED = {context: frozenset(classes) for context, classes in EVENTS.items()}
