"""Mapper turns the project's events into the `eventsourcing` library's stored events and back.

A topic is a tag, looked up in the closed registry and never imported; old tags are upcast as everywhere else.
"""

from typing import ClassVar

import msgspec
from eventsourcing.domain import DomainEventProtocol
from eventsourcing.persistence import Mapper, MapperDeserialisationError, ProgrammingError, StoredEvent

from events.codec import Codec
from events.errors import Undecodable
from events.event import Event
from events.registry import event_codec


class Recorded(msgspec.Struct, frozen=True):
    """An event at its place: the stream it happened to, and the version it made (gapless from 1)."""

    originator_id: str
    originator_version: int
    event: Event


class PydanticMapper(Mapper[str]):
    """Recorded ⇄ StoredEvent, by a codec."""

    codec: ClassVar[Codec[Event]] = event_codec

    def to_stored_event(self, domain_event: DomainEventProtocol[str]) -> StoredEvent:
        """As the log holds it."""
        if not isinstance(domain_event, Recorded):
            raise ProgrammingError(f"{type(domain_event).__name__} is not Recorded")
        state = self.codec.encode(domain_event.event)
        if self.compressor:
            state = self.compressor.compress(state)
        if self.cipher:
            state = self.cipher.encrypt(state)
        return StoredEvent(domain_event.originator_id, domain_event.originator_version, domain_event.event.tag, state)

    def to_domain_event(self, stored_event: StoredEvent) -> Recorded:
        """As today's code knows it.

        Raises:
            MapperDeserialisationError: the tag is unknown, or the body does not fit it.
        """
        state = stored_event.state
        if self.cipher:
            state = self.cipher.decrypt(state)
        if self.compressor:
            state = self.compressor.decompress(state)
        try:
            event = self.codec.decode(stored_event.topic, state)
        except Undecodable as error:
            where = f"{stored_event.originator_id}, version {stored_event.originator_version}"
            raise MapperDeserialisationError(f"{where}: {error}") from error
        return Recorded(str(stored_event.originator_id), stored_event.originator_version, event)
