"""Letters are what an aggregate has that wait for a person, in order: a part of the fold, so that any owner knows them.

Taking a record in twice changes nothing, for a snapshot may be newer than the place it is folded on from.
"""

import base64

import msgspec
from msgspec.structs import replace

from events.envelope import CLIENT, Envelope
from events.event import Event
from events.letter import LetterDiscarded, LetterEdited, LetterParked, LetterReleased, LetterRetried, is_heard

LOOSE = 100
"""Letters that block nobody, which an aggregate keeps open: whoever floods it with garbage fills the log alone."""


class Letter(msgspec.Struct, frozen=True):
    """One that is open: what was set aside, as LetterParked has it, and the circumstances it goes on with."""

    id: str
    consumer: str
    type: str
    message: str
    subject: str
    topic: str
    partition: int
    offset: int
    key: bytes
    value: bytes
    attempts: int
    blocks: bool
    command: str
    correlation: str
    traceparent: str


class Letters(msgspec.Struct, frozen=True):
    """The open letters of one stream, in order; `heard` are the origins under which events were ever set aside."""

    open: tuple[Letter, ...] = ()
    heard: tuple[str, ...] = ()

    @property
    def head(self) -> Letter | None:
        """The one that all later ones wait for."""
        return next((letter for letter in self.open if letter.blocks), None)

    def find(self, letter: str) -> Letter | None:
        """An open one by its id."""
        return next((each for each in self.open if each.id == letter), None)

    def after(self, envelope: Envelope, event: Event) -> "Letters":
        """What is open after an event."""
        match event:
            case LetterParked():
                return self._parked(envelope, event)
            case LetterRetried(became="parked"):
                return self._changed(event.letter, attempts=event.attempts)
            case LetterEdited():
                return self._changed(event.letter, value=base64.b64decode(event.value))
            case LetterRetried() | LetterReleased() | LetterDiscarded():
                return replace(self, open=tuple(each for each in self.open if each.id != event.letter))
            case _:
                return self

    def _parked(self, envelope: Envelope, event: LetterParked) -> "Letters":
        heard = self.heard
        if is_heard(event.consumer) and envelope.origin not in heard:
            heard = (*heard, envelope.origin)
        known = self.find(event.letter)
        return Letters(self.open if known else (*self.open, _letter(envelope, event)), heard)

    def _changed(self, letter: str, **fields: object) -> "Letters":
        return replace(self, open=tuple(replace(e, **fields) if e.id == letter else e for e in self.open))


NONE = Letters()


def _letter(envelope: Envelope, event: LetterParked) -> Letter:
    return Letter(
        id=event.letter,
        consumer=event.consumer,
        type=event.type,
        message=event.message,
        subject=event.subject,
        topic=event.topic,
        partition=event.partition,
        offset=event.offset,
        key=base64.b64decode(event.key),
        value=base64.b64decode(event.value),
        attempts=event.attempts,
        blocks=event.blocks,
        command=envelope.causation if envelope.origin == CLIENT else "",
        correlation=envelope.correlation,
        traceparent=envelope.traceparent,
    )
