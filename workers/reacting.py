"""Reacting is what a record makes a context ask of itself; ids and origins follow from it, so a repeat is known."""

import base64
import logging
import time
import traceback
from collections.abc import Mapping, Sequence

from aggregates.stage import Incoming
from events import topics, tracing
from events.envelope import Envelope
from events.errors import Undecodable
from events.ids import derive
from events.letter import LetterReleased, hearing
from events.log import Draft, Place, Record
from events.registry import command_codec, event_codec
from schemas.parking import ParkEvent, ParkRecord
from schemas.values import Command
from workers.policy import Reaction
from workers.traced import reacted

logger = logging.getLogger(__name__)

LARGEST = 150_000
"""Bytes of an event that can be set aside in order: twice, in base64, they must fit into half a batch. Ours do."""


def asked_by(context: str, place: Place, record: Record, reaction: Reaction) -> list[Incoming]:
    """The commands that a context gives itself because of a record: ids and origins follow from the record."""
    began = time.time_ns() if tracing.on() else 0
    cause, commands = reaction_of(context, place, record, reaction)
    if began:
        cause = reacted(context, place, record.offset, cause, commands, began, reaction)
    return [asked(context, place, record.offset, i, cause, command) for i, command in enumerate(commands)]


def reaction_of(context: str, place: Place, record: Record, reaction: Reaction) -> tuple[Envelope, Sequence[Command]]:
    """What a context asks of itself because of a record; what cannot be understood is asked to be set aside."""
    try:
        cause = Envelope.read(record.headers)
    except Undecodable as error:
        unread = Envelope.unread(f"{place.topic}/{place.partition}", record.offset, record.key)
        return unread, [park_of(context, place, record, str(error))]
    try:
        return cause, reaction.react(event_codec.decode(cause.type, record.value))
    except Exception as error:
        return cause, [park_event(context, place, record, cause, _why(context, cause, error))]


def _why(context: str, cause: Envelope, error: Exception) -> str:
    if isinstance(error, Undecodable):
        return str(error)
    logger.error(
        "bug in the reaction of %s to %s, correlation %s", context, cause.type, cause.correlation, exc_info=error
    )
    return "".join(traceback.format_exception(error, limit=-3))


def park_event(context: str, place: Place, record: Record, cause: Envelope, reason: str) -> ParkEvent | ParkRecord:
    """What a context is asked when it cannot react to an event, or, without a reason, not yet."""
    if len(record.value) > LARGEST:
        return park_of(context, place, record, reason or "too large to wait for its turn")
    return ParkEvent(
        about=hearing(context, cause.subject),
        letter="",
        type=cause.type,
        message=cause.id,
        subject=cause.subject,
        topic=place.topic,
        partition=place.partition,
        offset=record.offset,
        reason=reason,
        key=base64.b64encode(record.key).decode(),
        value=base64.b64encode(record.value).decode(),
        attempts=1 if reason else 0,
    )


def behind(context: str, place: Place, record: Record) -> Incoming:
    """The command that sets an event aside because one before it is."""
    try:
        cause = Envelope.read(record.headers)
    except Undecodable as error:
        unread = Envelope.unread(f"{place.topic}/{place.partition}", record.offset, record.key)
        return asked(context, place, record.offset, 0, unread, park_of(context, place, record, str(error)))
    return asked(context, place, record.offset, 0, cause, park_event(context, place, record, cause, ""))


def released_by(
    context: str, place: Place, record: Record, reactions: Mapping[bytes, Reaction], waits: bool = False
) -> list[Incoming]:
    """The commands that a context gives itself because of a letter that was released, or the one to set it aside again.

    `waits` says that one before it has been, of the same aggregate.
    """
    cause, letter = Envelope.read(record.headers), event_codec.decode(LetterReleased.tag, record.value)
    reaction = reactions.get(letter.type.encode()) if isinstance(letter, LetterReleased) else None
    if not isinstance(letter, LetterReleased) or reaction is None:
        return []
    commands: Sequence[Command]
    began = time.time_ns() if tracing.on() else 0
    try:
        heard = event_codec.decode(letter.type, base64.b64decode(letter.value))
        commands = [_again(letter, "")] if waits else reaction.react(heard)
    except Exception as error:
        commands = [_again(letter, _why(context, cause, error))]
    if began:
        cause = reacted(context, place, record.offset, cause, commands, began, reaction)
    return [asked(context, place, record.offset, i, cause, command) for i, command in enumerate(commands)]


def _again(letter: LetterReleased, reason: str) -> ParkEvent:
    kept = letter.model_dump(exclude={"consumer"})
    return ParkEvent(**{**kept, "reason": reason, "attempts": letter.attempts + bool(reason)})


def table_of(reactions: Sequence[Reaction]) -> dict[bytes, Reaction]:
    """Reactions by every tag that their event was ever recorded under: what lies in the log keeps its old ones."""
    return {tag.encode(): row for row in reactions for tag in event_codec.tags(row.event)}


def asked(context: str, place: Place, offset: int, index: int, cause: Envelope, command: Command) -> Incoming:
    """A command that follows from an event."""
    envelope = Envelope(
        id=derive(cause.id, f"{context}/{index}"),
        type=command.tag,
        source=context,
        time=cause.time,
        subject=command.stream,
        correlation=cause.correlation,
        causation=cause.id,
        origin=f"{place.topic}/{place.partition}/{offset}/{index}",
        traceparent=cause.traceparent,
    )
    return Incoming(envelope, command, topics.commands(context), topics.partition_asked(command))


def draft_of(one: Incoming) -> Draft:
    """A command, which must be there, as a record for its topic."""
    if one.command is None:
        raise ValueError("no command")
    return Draft(one.command.stream, command_codec.encode(one.command), one.envelope.headers())


def park_of(context: str, place: Place, record: Record, reason: str) -> ParkRecord:
    """What a context is asked when a record of another cannot be handled."""
    return ParkRecord(
        about=f"{context}-unknown",
        topic=place.topic,
        partition=place.partition,
        offset=record.offset,
        reason=reason,
        key=base64.b64encode(record.key).decode(),
        value=base64.b64encode(record.value).decode(),
    )
