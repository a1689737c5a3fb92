"""Retry says what becomes of letters: they are handled in their order, until one fails again.

A retried command is a new one: it follows from the event that says so, and has no origin. Under its old origin it would
be taken for a repeat, for what came after it has been handled (docs/fenced-log.md, rule 5).
"""

import base64
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from msgspec.structs import replace

from aggregates.errors import LetterUnfit, LetterUnknown, LetterWaits, Rejection
from aggregates.letters import Letter, Letters
from aggregates.repository import LOCAL, Unhandled
from events.envelope import Envelope
from events.errors import Undecodable
from events.event import Event
from events.ids import derive
from events.letter import (
    LetterDiscarded,
    LetterEdited,
    LetterParked,
    LetterReleased,
    LetterRetried,
    hearing,
    is_heard,
)
from events.outcome import RecordParked
from events.registry import COMMANDS, command_codec, event_codec
from events.topics import partition_asked
from schemas.parking import DiscardLetter, EditLetter, OfLetter, ParkEvent
from schemas.values import Command

if TYPE_CHECKING:
    from aggregates.stage import Stage


BEFORE = 30_000
"""Bytes of a body that are told again when there is another; all of them lie where the letter was parked."""


class Cause(NamedTuple):
    """What the next event follows from: a message, the event's place among those that do, and the command's offset."""

    envelope: Envelope
    nth: int
    position: int


class Answer(NamedTuple):
    """What came of trying a command once more."""

    became: str
    events: Sequence[Event] = ()
    code: str = ""
    detail: str = ""


class Retry:
    """What one command asks of letters, on a stage."""

    def __init__(self, stage: "Stage", asked: Envelope, position: int) -> None:
        self._stage, self._cause = stage, Cause(asked, 0, position)

    def do(self, command: OfLetter | ParkEvent) -> None:
        """Stage it.

        Raises:
            Rejection, NotLoaded: what was staged on the way must not stay.
        """
        if isinstance(command, ParkEvent):
            self._park(command)
        elif isinstance(command, DiscardLetter):
            self._discard(command)
        else:
            self._retry(command)

    def _park(self, command: ParkEvent) -> None:
        about, asked = command.about, self._cause.envelope
        said = command.model_dump(exclude={"about", "letter", "reason"})
        if self._stage.known(about) != about or about != hearing(self._stage.context, command.subject):
            # Nobody can make an aggregate wait by asking for it: only what a reaction hears has such a stream.
            self._record(RecordParked(**said, about=self._stage.known(about), reason=command.reason))
            return
        head = self._stage.entity(about).letters.head
        self._record(
            LetterParked(
                **said,
                about=about,
                letter=command.letter or derive(asked.id, "0"),
                consumer=f"{self._stage.context}.reactions",
                reason=command.reason or f"waits behind {head.id if head else 'one that has just gone'}",
                behind=head.id if head else "",
                blocks=True,
            )
        )
        if not command.reason and head is None:
            # What it was to wait for has been released since the reactor looked: it goes after that, the same way.
            self._next(about)

    def _discard(self, command: DiscardLetter) -> None:
        letters = self._letters(command.about)
        letter, head = letters.find(command.letter), letters.head
        said = letter.command if letter else ""
        told = self._record(
            LetterDiscarded(about=command.about, letter=command.letter, why=command.why, command=said), letter
        )
        if letter is not None and letter == head:
            self._follow(told, 0)
            self._next(command.about)

    def _retry(self, command: OfLetter) -> None:
        letters = self._letters(command.about)
        letter = letters.find(command.letter)
        if letter is None:
            raise LetterUnknown
        if letter.blocks and letters.head is not None and letter.id != letters.head.id:
            raise LetterWaits(f"It waits behind {letters.head.id}.")
        if isinstance(command, EditLetter):
            letter = self._edit(command, letter)
        if self._try(command.about, letter) and letter.blocks:
            self._next(command.about)

    def _letters(self, about: str) -> Letters:
        if self._stage.known(about) != about:
            raise LetterUnknown
        return self._stage.entity(about).letters

    def _edit(self, command: EditLetter, letter: Letter) -> Letter:
        edited = replace(letter, value=command.value.encode())
        if unfit := self._unfit(command.about, edited):
            raise LetterUnfit(unfit)
        value, before = (base64.b64encode(each).decode() for each in (edited.value, letter.value[:BEFORE]))
        told = self._record(
            LetterEdited(about=command.about, letter=letter.id, value=value, before=before, why=command.why), letter
        )
        self._follow(told, 0)
        return edited

    def _next(self, about: str) -> None:
        """Those that waited, one after the other; what does not fit into this batch stays open, in its place."""
        while (head := self._stage.entity(about).letters.head) and not self._stage.full:
            if not self._try(about, head):
                return

    def _try(self, about: str, letter: Letter) -> bool:
        """Handle a letter; whether it is one no more."""
        if is_heard(letter.consumer):
            fields = {name: getattr(letter, name) for name in LetterReleased.model_fields if hasattr(letter, name)}
            key, value = (base64.b64encode(each).decode() for each in (letter.key, letter.value))
            told = self._record(
                LetterReleased(**{**fields, "about": about, "letter": letter.id, "key": key, "value": value}), letter
            )
            self._follow(told, 0)
            return True
        became, events, code, detail = self._answer(about, letter)
        told = self._record(
            LetterRetried(
                about=about,
                letter=letter.id,
                attempts=letter.attempts + 1,
                became=became,
                code=code,
                detail=detail,
                command=letter.command,
            ),
            letter,
        )
        self._follow(told, 0)
        self._stage.put(events, self._cause.envelope, -1)
        self._follow(told, len(events))
        return became != "parked"

    def _answer(self, about: str, letter: Letter) -> Answer:
        if unfit := self._unfit(about, letter):
            return Answer("parked", code="Parked", detail=unfit)
        try:
            events = self._stage.decided(command_codec.decode(letter.type, letter.value), letter.correlation)
        except Unhandled as why:
            return Answer("parked", code="Parked", detail=str(why))
        except Rejection as no:
            return Answer("rejected", code=type(no).__name__, detail=no.detail)
        return Answer("accepted" if events else "unchanged", events)

    def _unfit(self, about: str, letter: Letter) -> str:
        """Why a letter's body is nothing that this stream can be asked, or has heard."""
        try:
            if is_heard(letter.consumer):
                heard = event_codec.decode(letter.type, letter.value).stream
                return "" if heard == letter.subject else f"it is about {heard}, not {letter.subject}"
            return self._misplaced(about, command_codec.decode(letter.type, letter.value))
        except Undecodable as error:
            return str(error)

    def _misplaced(self, about: str, command: Command) -> str:
        if not isinstance(command, COMMANDS[self._stage.context]):
            return f"{command.tag} is not for {self._stage.context}"
        if command.stream != about:
            return f"it is about {command.stream}, not {about}"
        asked = partition_asked(command)
        return "" if asked == self._stage.place.partition else f"{about} lives in partition {asked}"

    def _record(self, event: Event, letter: Letter | None = None) -> Envelope:
        """Record what became of a letter, as a part of the story that the letter belongs to."""
        cause = self._cause.envelope
        if letter is not None:
            cause = replace(cause, correlation=letter.correlation, traceparent=letter.traceparent)
        return self._stage.record(event, self._cause.nth, cause, self._cause.position)

    def _follow(self, told: Envelope, nth: int) -> None:
        """What is recorded next follows from this event."""
        self._cause = Cause(replace(told, origin=LOCAL), nth, -1)
