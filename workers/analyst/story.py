"""Story is what one request led to, step by step: commands, events, rejections, attempts, messages, and their causes.

What clients asked lies in the topics of commands for a week. What reactions asked follows from the events that they
heard, so it is worked out anew here, by the same pure functions, and needs no record of its own.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from aggregates.repository import LOCAL
from events import topics
from events.envelope import CLIENT, Envelope
from events.errors import Undecodable
from events.event import Event
from events.letter import LetterReleased
from events.log import Place, Record
from events.outcome import CommandRejected, CommandUnchanged, RecordParked
from events.registry import command_codec, event_codec
from schemas.mark import person_of
from schemas.values import Command
from workers import notification, order, payment, product
from workers.reacting import asked, released_by, table_of

REACTIONS = {
    "order": table_of(order.REACTIONS),
    "product": table_of(product.REACTIONS),
    "payment": table_of(payment.REACTIONS),
    "notification": table_of(notification.REACTIONS),
}
LONGEST = 100
"""Characters of what a step says."""

Lying = tuple[Place, Record]


class Step(Struct, frozen=True):
    """One thing that happened. `kind` is command, event, rejection, attempt or message.

    id: of the message; cause: that of the message before. by: who asked, or the context that reacted, or the owner
    of the partition itself. says: the point of it, in a few words. place: partition and offset, where it is recorded.
    after, since: from the step before, and from the first. number: its place in the story, from 1.
    """

    at: datetime
    kind: str
    context: str
    type: str
    stream: str
    version: int
    by: str
    says: str
    id: str
    cause: str
    correlation: str
    place: str
    after: timedelta = timedelta()
    since: timedelta = timedelta()
    number: int = 0


def steps(events: Iterable[Lying], commands: Iterable[Lying]) -> list[Step]:
    """What these effective events and recorded commands tell, in the order of time, each after its cause."""
    told: dict[str, Step] = {}
    answered: set[str] = set()
    for place, record in events:
        envelope, event = _read(record)
        if envelope is None:
            continue
        told[envelope.id] = _of_event(place, record, envelope, event)
        answered.add(envelope.causation)
        for step in _reacted(place, record, envelope, event):
            told.setdefault(step.id, step)
    for place, record in commands:
        if (given := _of_command(place, record)) is not None:
            told[given.id] = given
    waiting = [_waits(step) if step.kind == "command" and step.id not in answered else step for step in told.values()]
    return _timed(
        sorted(
            waiting,
            key=lambda step: (step.at, _generation(step, told), step.context, step.stream, step.version, step.place),
        )
    )


def asked_at(events: Iterable[Lying]) -> set[tuple[Place, int]]:
    """Where the commands lie that these events follow from, as far as clients sent them."""
    found = set()
    for place, record in events:
        envelope, _ = _read(record)
        if envelope is not None and envelope.origin == CLIENT and envelope.position >= 0:
            found.add((Place(topics.commands(envelope.source), place.partition), envelope.position))
    return found


def together(told: Sequence[Step]) -> list[list[Step]]:
    """Steps in groups: those that only repeat the one before for another stream are with it."""
    kept: list[list[Step]] = []
    for step in told:
        before = kept[-1][0] if kept else None
        same = before is not None and (step.kind, step.type, step.context, step.cause, step.at) == (
            before.kind, before.type, before.context, before.cause, before.at)  # fmt: skip
        if same:
            kept[-1].append(step)
        else:
            kept.append([step])
    return kept


def _read(record: Record) -> tuple[Envelope | None, Event | None]:
    try:
        envelope = Envelope.read(record.headers)
    except Undecodable:
        return None, None
    try:
        return envelope, event_codec.decode(envelope.type, record.value)
    except Undecodable:
        return envelope, None


def _of_event(place: Place, record: Record, envelope: Envelope, event: Event | None) -> Step:
    return Step(
        at=envelope.at,
        kind=_kind(envelope.type),
        context=place.topic.partition(".")[0],
        type=envelope.type,
        stream=envelope.subject,
        version=envelope.version,
        by="owner" if envelope.origin == LOCAL else "client" if envelope.origin == CLIENT else "reaction",
        says=_said(event) if event is not None else "cannot be read",
        id=envelope.id,
        cause=envelope.causation,
        correlation=envelope.correlation,
        place=f"{place.topic}/{place.partition}/{record.offset}",
    )


def _reacted(place: Place, record: Record, envelope: Envelope, event: Event | None) -> Iterable[Step]:
    """The commands that contexts gave themselves when they heard this."""
    own = place.topic.partition(".")[0]
    for context, table in REACTIONS.items():
        if event is not None and (row := table.get(envelope.type.encode())) is not None:
            try:
                commands = row.react(event)
            except Exception:  # noqa: S112
                continue  # it was set aside; the letter tells
            incoming = [asked(context, place, record.offset, i, envelope, one) for i, one in enumerate(commands)]
        elif context == own and isinstance(event, LetterReleased):
            incoming = released_by(context, place, record, table)
        else:
            continue
        for one in incoming:
            yield _command_step(context, one.envelope, one.command, "reaction", "")


def _of_command(place: Place, record: Record) -> Step | None:
    try:
        envelope = Envelope.read(record.headers)
    except Undecodable:
        return None
    try:
        command = command_codec.decode(envelope.type, record.value)
    except Undecodable:
        command = None
    by = "client" if envelope.origin == CLIENT else "reaction"
    where = f"{place.topic}/{place.partition}/{record.offset}"
    return _command_step(place.topic.partition(".")[0], envelope, command, by, where)


def _command_step(context: str, envelope: Envelope, command: Command | None, by: str, place: str) -> Step:
    return Step(
        at=envelope.at,
        kind="command",
        context=context,
        type=envelope.type,
        stream=envelope.subject,
        version=0,
        by=by,
        says=_said(command) if command is not None else "cannot be read",
        id=envelope.id,
        cause=envelope.causation,
        correlation=envelope.correlation,
        place=place,
    )


def _waits(step: Step) -> Step:
    return replace(step, says=f"no answer is recorded yet  {step.says}".rstrip())


def _kind(tag: str) -> str:
    """What sort of step an event is."""
    if tag.startswith("letter."):
        return "attempt"
    if tag in (CommandRejected.tag, RecordParked.tag, CommandUnchanged.tag):
        return "rejection" if tag != CommandUnchanged.tag else "event"
    return "message" if tag.startswith("notification.") else "event"


SHOWN = ("code", "detail", "reason", "became", "template", "recipient", "name", "sku", "quantity", "tracking", "why")


def _said(message: Event | Command) -> str:
    """The point of a message: amounts with their currency, reasons, whom it goes to, how many lines or SKUs."""
    fields: Mapping[str, Any] = dict(message)
    words = [_shown(name, fields[name]) for name in SHOWN if fields.get(name) not in (None, "")]
    amount = next((fields[name] for name in ("total", "amount", "price") if isinstance(fields.get(name), int)), None)
    if amount is not None:
        words.insert(0, f"{amount / 100:,.2f} {fields.get('currency', '')}".rstrip())
    if attempts := fields.get("attempts"):
        words.insert(0, f"attempt {attempts}:")
    words += [_counted(len(fields[name]), name) for name in ("lines", "items", "skus") if fields.get(name)]
    text = " ".join(", ".join(words).replace(":,", ":").split())
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"


def _shown(name: str, said: object) -> str:
    """The text, or whose field it is that is sealed."""
    text = str(said)
    return text if person_of(text) is None else f"{name} sealed"


def _counted(count: int, name: str) -> str:
    return f"{count} {name if count > 1 else name[:-1]}"


def causes(told: Sequence[Step]) -> dict[str, str]:
    """The step that each follows from, by their ids, as far as both are told.

    What the owner of a partition tells itself is recorded nowhere; its event follows from the one before in its stream.
    """
    ids = {step.id for step in told}
    lives = {(step.stream, step.version): step.id for step in told if step.version}
    found = {step.id: step.cause if step.cause in ids else lives.get((step.stream, step.version - 1), "")
             for step in told}  # fmt: skip
    return {step: cause for step, cause in found.items() if cause not in ("", step)}


def _generation(step: Step, told: Mapping[str, Step]) -> int:
    """How many causes of it are part of the story; of two at the same time, the cause comes first."""
    seen: Collection[str] = {step.id}
    generation = 0
    while step.cause in told and step.cause not in seen:
        step = told[step.cause]
        seen = {*seen, step.id}
        generation += 1
    return generation


def _timed(told: Sequence[Step]) -> list[Step]:
    return [
        replace(step, after=step.at - told[max(i - 1, 0)].at, since=step.at - told[0].at, number=i + 1)
        for i, step in enumerate(told)
    ]
