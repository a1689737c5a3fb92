"""Given is what was asked of a partition, and what the rules made of it: its history, command by command.

A command is taken from where it lies: its topic, as long as that has it; else it is what a reaction makes of the event
that it names as its origin; else what its own events tell. Where none of these says, its events stand for it.
"""

from collections.abc import AsyncIterator, Iterator, Sequence
from datetime import datetime
from typing import Any

from msgspec import Struct

from aggregates.decider import Decider
from aggregates.repository import LOCAL, split_origin
from events import topics
from events.envelope import Envelope
from events.errors import Undecodable
from events.event import Event
from events.fence import Fence
from events.log import Log, Place, scan
from events.payment import PaymentLapsed
from events.product import ReservationLapsed
from events.registry import command_codec, event_codec
from events.sweep import Found, effective
from schemas.settings import CONTEXTS
from schemas.values import Command
from workers.analyst.inverse import INVERSE
from workers.policy import Reaction

TIMED = (ReservationLapsed, PaymentLapsed)
"""What follows when nobody says anything: a run lets its own clock say so."""


class Given(Struct, frozen=True):
    """One command and its recorded events. `offset` is the first event's; `timed` if it was the clock that asked.

    Without a `command`, nobody knows it any more, or it came from the world: its events stand for it.
    """

    number: int
    at: datetime
    place: Place
    offset: int
    stream: str
    command: Command | None
    events: Sequence[Event]
    timed: bool


class Source(Struct, frozen=True):
    """An event that others react to, and the request that began it."""

    correlation: str
    event: Event


class Sources:
    """Where a context's commands came from: its topic of commands, and what was recorded elsewhere."""

    def __init__(self, log: Log, decider: Decider, reactions: Sequence[Reaction]) -> None:
        self._log, self._decider = log, decider
        self._reactions = {reaction.event: reaction.react for reaction in reactions}
        self._asked: dict[Place, dict[int, tuple[str, str, bytes]]] = {}
        self._heard: dict[str, dict[int, Source]] = {}

    async def read(self) -> None:
        """Read the commands that are still there, and the events of other contexts that are reacted to."""
        for p in range(topics.PARTITIONS):
            await self._read_commands(Place(topics.commands(self._decider.context), p))
        tags = [tag for event in self._reactions for tag in event_codec.tags(event)]
        for context in CONTEXTS:
            known = {tag for tag in tags if context != self._decider.context}
            for p in range(topics.PARTITIONS) if known else ():
                place = Place(topics.events(context), p)
                _, end = await self._log.bounds(place)
                heard = self._heard.setdefault(f"{place.topic}/{p}", {})
                async for found in effective(self._log, place, Fence(), end, known):
                    heard |= {each.offset: source for each in found if (source := _source(each))}

    async def _read_commands(self, place: Place) -> None:
        first, end = await self._log.bounds(place)
        kept = self._asked.setdefault(place, {})
        async for records in scan(self._log, place, first, end):
            for record in records:
                said = record.headers
                if "ce_id" in said and "ce_type" in said:
                    names = (said["ce_id"].decode(errors="replace"), said["ce_type"].decode(errors="replace"))
                    kept[record.offset] = (*names, record.value)

    def command(self, envelope: Envelope, events: Sequence[Event], partition: int, state: Any) -> Command | None:
        """The command that these events followed from, as far as anything tells."""
        return self._by_topic(envelope, partition) or self._by_reaction(envelope) or _by_events(events, state)

    def _by_topic(self, envelope: Envelope, partition: int) -> Command | None:
        place = Place(topics.commands(self._decider.context), partition)
        name, tag, body = self._asked[place].get(envelope.position, ("", "", b""))
        if name != envelope.causation:
            return None
        try:
            return command_codec.fresh(tag, body)
        except Undecodable:
            return None

    def _by_reaction(self, envelope: Envelope) -> Command | None:
        name, at = split_origin(envelope.origin)
        source = self._heard.get(name, {}).get(at[0]) if at else None
        react = self._reactions.get(type(source.event)) if source else None
        if source is None or react is None or source.correlation != envelope.correlation:
            return None
        commands = react(source.event)
        return commands[at[1]] if at and at[1] < len(commands) else None


def _source(found: Found) -> Source | None:
    try:
        return Source(found.envelope.correlation, found.event())
    except Undecodable:
        return None


def _by_events(events: Sequence[Event], state: Any) -> Command | None:
    if not events:
        return None
    # Of a product's listing the first event tells; a reservation moves stock first, and is itself the last.
    told = INVERSE.get(type(events[0])) or INVERSE.get(type(events[-1]))
    return told(events, state) if told else None


async def givens(log: Log, decider: Decider, sources: Sources | None, place: Place, end: int) -> AsyncIterator[Given]:
    """A partition's history up to an offset, in order; without `sources`, its events alone.

    Raises:
        Unreadable: naming the record.
    """
    states: dict[str, Any] = {}
    group: list[tuple[Found, Envelope]] = []
    number = 0
    async for found in effective(log, place, Fence(), end):
        for each in found:
            try:
                envelope = each.envelope
            except Undecodable as lost:
                raise Unreadable(place, each.offset, str(lost)) from None
            if group and envelope.causation != group[-1][1].causation:
                number += 1
                yield _given(number, place, group, decider, sources, states)
                group = []
            group.append((each, envelope))
    if group:
        yield _given(number + 1, place, group, decider, sources, states)


def _given(
    number: int,
    place: Place,
    group: Sequence[tuple[Found, Envelope]],
    decider: Decider,
    sources: Sources | None,
    states: dict[str, Any],
) -> Given:
    first, envelope = group[0]
    events = list(_events(place, group))
    command = None
    # A reservation moves stock first; its own stream is the one that was asked.
    stream = events[-1].stream if events else envelope.subject
    if sources is not None:
        state = states.get(stream, decider.initial_of(stream)) if decider.has(stream) else None
        command = sources.command(envelope, events, place.partition, state)
        for event in events:
            before = states.get(event.stream)
            states[event.stream] = decider.evolve(decider.initial_of(event.stream) if before is None else before, event)
    timed = envelope.origin == LOCAL and any(isinstance(event, TIMED) for event in events)
    asked = command.stream if command else stream
    return Given(number, envelope.at, place, first.offset, asked, command, events, timed)


def _events(place: Place, group: Sequence[tuple[Found, Envelope]]) -> Iterator[Event]:
    """Those that changed something."""
    for found, envelope in group:
        if envelope.version:
            try:
                yield found.event()
            except Undecodable as lost:
                raise Unreadable(place, found.offset, str(lost)) from None


class Unreadable(Exception):
    """A record of history cannot be read."""

    def __init__(self, place: Place, offset: int, why: str) -> None:
        super().__init__(f"{place.topic}/{place.partition}, offset {offset}: {why}")
