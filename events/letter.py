"""Letter events say what was set aside, in which order, and what became of it: dead letters are a fold of the log.

None of them has a version: they change no state that a rule decides upon, only what waits for a person.
"""

from typing import TypeAlias

from events.event import Event


class _OfLetter(Event):
    about: str
    letter: str

    @property
    def stream(self) -> str:
        return self.about


class LetterParked(_OfLetter, tag="letter.parked.v1"):
    """A command or an event waits for a person, or behind one that does; key and value are base64.

    `type` and `message` are the tag and the id of what was set aside, `subject` is its stream. `behind` names the
    letter that it waits for. While a letter that `blocks` is open, what comes later for its stream waits behind it.
    """

    consumer: str
    type: str
    message: str
    subject: str
    topic: str
    partition: int
    offset: int
    reason: str
    key: str
    value: str
    attempts: int
    behind: str
    blocks: bool


class LetterRetried(_OfLetter, tag="letter.retried.v1"):
    """A command was handled once more: it became `accepted`, `unchanged`, `rejected`, or is `parked` still.

    `command` is the id under which its client asks for the outcome; empty if it came from no client.
    """

    attempts: int
    became: str
    code: str
    detail: str
    command: str


class LetterReleased(_OfLetter, tag="letter.released.v1"):
    """An event goes back to the reactions that could not take it; they read it here, in the order of this log."""

    consumer: str
    type: str
    message: str
    subject: str
    topic: str
    partition: int
    offset: int
    key: str
    value: str
    attempts: int


class LetterEdited(_OfLetter, tag="letter.edited.v1"):
    """A person has put another body in the place of a letter's; `before` is what it was (base64)."""

    value: str
    before: str
    why: str


class LetterDiscarded(_OfLetter, tag="letter.discarded.v1"):
    """A person has decided that a letter is not to be handled."""

    why: str
    command: str


LetterEvent: TypeAlias = LetterParked | LetterRetried | LetterReleased | LetterEdited | LetterDiscarded

_HEARS = "-hears-"


def is_heard(consumer: str) -> bool:
    """Whether a consumer of letters is a context's reactions, to which they are given back."""
    return consumer.endswith(".reactions")


def hearing(context: str, stream: str) -> str:
    """The stream that has the letters of a context's reactions to a stream of another."""
    return f"{context}{_HEARS}{stream}"


def subject_of(about: str) -> str:
    """The stream that such a one hears."""
    return about.partition(_HEARS)[2]
