"""Parking is what any context can be asked: to record that something could not be handled, and what is to become of it.

A letter is what was set aside: a command, or an event that a reaction could not take. `about` is the stream whose
letters are kept in order, `partition` the one of the context's log that has them.
"""

from typing import Annotated, TypeAlias

from pydantic import Field

from schemas.values import OF_STAFF, SEALED_BEFORE, Command, Id, Ours, Text, Uuid

Partition = Annotated[int, Field(ge=-1, lt=2**31)]
Offset = Annotated[int, Field(ge=-1, lt=2**63)]
LONGEST = 100_000
"""Characters of a body that takes the place of another."""

Body = Annotated[str, Field(min_length=2, max_length=LONGEST), OF_STAFF]
"""What becomes of it must fit into half a batch with it."""


Bytes = Annotated[str, SEALED_BEFORE]
"""Of a record as it lies, base64."""


class ParkRecord(Command, tag="record.park"):
    """Record where a record lies, why it cannot be handled, and its bytes (base64); `about` is a stream of ours."""

    about: Id
    topic: Id
    partition: Partition
    offset: Offset
    reason: Ours
    key: Bytes
    value: Bytes

    @property
    def stream(self) -> str:
        return self.about


class ParkEvent(Command, tag="letter.park"):
    """Set aside an event that a reaction cannot take, or, without a reason, one that comes behind such a one.

    `letter` is empty unless it was a letter before, `attempts` counts the times that the reaction was tried. Key and
    value are base64.
    """

    about: Id
    letter: Id
    type: Id
    message: Id
    subject: Id
    topic: Id
    partition: Partition
    offset: Offset
    reason: Ours
    key: Bytes
    value: Bytes
    attempts: int

    @property
    def stream(self) -> str:
        return self.about

    @property
    def shelf(self) -> int:
        return self.partition


class _OfLetter(Command):
    about: Annotated[Id, Field(max_length=300)]
    letter: Uuid
    partition: Annotated[int, Field(ge=0, lt=2**31)]

    @property
    def stream(self) -> str:
        return self.about

    @property
    def shelf(self) -> int:
        return self.partition


class RetryLetter(_OfLetter, tag="letter.retry"):
    """Handle a letter as if it came now; if that goes well, those that wait behind it too, in their order."""


class EditLetter(_OfLetter, tag="letter.edit"):
    """Put another body (JSON) in the place of a letter's, which must fit its type, and retry it."""

    value: Body
    why: Annotated[Text, OF_STAFF]


class DiscardLetter(_OfLetter, tag="letter.discard"):
    """Set a letter aside for good; those that wait behind it are handled, in their order."""

    why: Annotated[Text, OF_STAFF]


OfLetter: TypeAlias = RetryLetter | EditLetter | DiscardLetter
EVERYWHERE: tuple[type[Command], ...] = (ParkRecord, ParkEvent, RetryLetter, EditLetter, DiscardLetter)
"""What every context can be asked."""
