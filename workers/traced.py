"""Traced says what workers tell a trace: of decisions, appends, reactions, effects and views.

Names are OpenTelemetry's for messaging: what is done, and to which topic. Where tracing is off, nothing here is called
once per message.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from msgspec.structs import replace

from aggregates.decider import Todo
from aggregates.repository import Entity
from aggregates.stage import Incoming, Stage
from events import tracing
from events.envelope import CLIENT, Envelope
from events.letter import LetterParked
from events.log import Place
from events.outcome import CommandRejected, CommandUnchanged, RecordParked
from events.tracing import Fact, Span, joint, span
from projections.recorded import Step
from schemas.parking import ParkEvent, ParkRecord
from schemas.values import Command
from workers.policy import Reaction

OUTCOMES = {
    CommandRejected.tag: "rejected",
    CommandUnchanged.tag: "unchanged",
    RecordParked.tag: "parked",
    LetterParked.tag: "parked",
}
"""What became of a command, where the first event that it led to is one of these; else it was accepted."""


def messaging(operation: str, kind: str, place: Place, offset: int = -1) -> dict[str, Fact]:
    """What is done with which topic; `kind` is OpenTelemetry's word for such operations: send, process or settle."""
    facts: dict[str, Fact] = {
        "messaging.system": "kafka",
        "messaging.operation.name": operation,
        "messaging.operation.type": kind,
        "messaging.destination.name": place.topic,
        "messaging.destination.partition.id": str(place.partition),
    }
    return facts if offset < 0 else {**facts, "messaging.kafka.offset": offset}


class Decisions:
    """The spans of one commit: one a command, which lasts until its outcome is in the log, and one of the append."""

    def __init__(self, context: str, place: Place, stage: Stage) -> None:
        self._context, self._place, self._stage = context, place, stage
        self._spans: list[Span] = []
        self._staged = 0

    def begin(self, one: Incoming) -> Incoming:
        """Begin a decision; what is recorded because of the command returned follows from it."""
        envelope, before = one.envelope, self._before(one)
        # A later request begins a trace of its own: a link leads from it to what had happened to the aggregate so far.
        elsewhere = tracing.trace_of(before) != tracing.trace_of(envelope.traceparent)
        deciding = span(
            self._context,
            f"decide {one.topic}",
            "consumer",
            envelope.traceparent,
            (before,) if elsewhere else (),
            _facts_of(one),
        )
        self._spans.append(deciding)
        self._staged = len(self._stage.commit)
        return replace(one, envelope=replace(envelope, traceparent=deciding.traceparent))

    def decided(self, one: Incoming) -> None:
        """Say what came of it."""
        types = [envelope.type for envelope, _ in self._stage.commit[self._staged :]]
        outcome = OUTCOMES.get(types[0], "accepted") if types else "repeated"
        deciding = self._spans[-1]
        deciding.note(outcome=outcome, events=types, **_money(self._stage, one.command))
        if outcome == "parked":
            deciding.failed("parked")

    def paused(self) -> None:
        """Nothing came of the last one: the writer stands still."""
        self._spans[-1].failed("Paused")

    def append(self) -> Span:
        """The span of the append; linked to the decisions whose outcomes it brings into the log."""
        facts = messaging("append", "send", self._place)
        facts["messaging.batch.message_count"] = len(self._stage.commit)
        members = [envelope.traceparent for envelope, _ in self._stage.commit]
        return joint(self._context, f"append {self._place.topic}", "producer", members, facts)

    def __enter__(self) -> "Decisions":
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        for deciding in self._spans:
            if kind is not None:  # not recorded, so it has not happened: whoever owns the partition next decides anew
                deciding.failed(kind.__name__)
            deciding.end()

    def _before(self, one: Incoming) -> str:
        if one.command is None:
            return ""
        staged, kept = self._stage.entities, self._stage.kept
        entity = staged.get(one.command.stream) or kept.get(one.command.stream)
        return entity.traceparent if entity else ""


def _facts_of(one: Incoming) -> dict[str, Fact]:
    envelope = one.envelope
    facts = messaging("decide", "process", Place(one.topic, one.partition), one.offset)
    facts["messaging.message.id"] = envelope.id
    facts["messaging.message.conversation_id"] = envelope.correlation
    facts["orderlog.command"] = envelope.type
    facts["orderlog.by"] = "client" if envelope.origin == CLIENT else envelope.source
    if one.command is not None:
        facts["orderlog.stream"] = one.command.stream
        facts |= _order(one.command)
    return facts


def _order(said: Any) -> dict[str, Fact]:
    """The order that a command, an event or a state is about, if it says so."""
    found = getattr(said, "order_id", "") or (getattr(said, "params", None) or {}).get("order_id", "")
    return {"orderlog.order_id": found} if found else {}


def _money(stage: Stage, command: Command | None) -> dict[str, Fact]:
    """What the order, or its payment, comes to as it is now, in minor units."""
    entity = stage.entities.get(command.stream) if command is not None else None
    amount, currency = getattr(entity and entity.state, "amount", 0), getattr(entity and entity.state, "currency", "")
    return {"total": amount, "currency": currency} if currency else {}


def reacted(
    context: str,
    place: Place,
    offset: int,
    cause: Envelope,
    commands: Sequence[Command],
    began: int,
    reaction: Reaction | None = None,
) -> Envelope:
    """Tell of a reaction; the cause as those commands are to have it that follow from the reaction."""
    facts = messaging("react", "process", place, offset)
    facts["messaging.consumer.group.name"] = f"{context}.reactions"
    facts["messaging.message.id"] = cause.id
    facts["messaging.message.conversation_id"] = cause.correlation
    facts["orderlog.event"] = cause.type
    facts["orderlog.commands"] = [command.tag for command in commands]
    if reaction is not None:
        facts["orderlog.reaction"] = reaction.react.__name__
    for command in commands[:1]:
        facts |= _order(command)
    reacting = span(context, f"react {place.topic}", "consumer", cause.traceparent, facts=facts, began=began)
    if any(isinstance(command, ParkEvent | ParkRecord) for command in commands):
        reacting.failed("parked")
    reacting.end()
    return replace(cause, traceparent=reacting.traceparent)


def effect(context: str, stream: str, entity: Entity, todo: Todo) -> Span:
    """The span of an effect: from when a state asked for it until the answer is on its way to the rules."""
    if not tracing.on():
        return Span(entity.traceparent)
    facts: dict[str, Fact] = {"orderlog.stream": stream, "orderlog.step": todo.step}
    facts |= _order(entity.state)
    if stream.startswith("payment-"):
        facts["orderlog.order_id"] = stream.removeprefix("payment-")
    if template := getattr(entity.state, "template", ""):
        facts["orderlog.template"] = template
    return span(context, f"{todo.step} {context}", "internal", entity.traceparent, facts=facts)


def view(context: str, topic: str, steps: Iterable[Step]) -> Span:
    """The span of one commit of read models and checkpoints; linked to what was recorded in all the traces it joins."""
    if not tracing.on():
        return Span("")
    items = [item for step in steps for item in step.batch]
    facts: dict[str, Fact] = {
        "messaging.system": "kafka",
        "messaging.operation.name": "project",
        "messaging.operation.type": "process",
        "messaging.destination.name": topic,
        "messaging.batch.message_count": len(items),
        "db.system.name": "postgresql",
        "db.namespace": f"orderlog_{context}",
    }
    members = (item.envelope.traceparent for item in items if item.envelope is not None)
    return joint(context, f"project {topic}", "consumer", members, facts)
