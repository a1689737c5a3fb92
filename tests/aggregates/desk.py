"""Desk is what a writer does with a command, without the log: stage it, and take in what was staged as written."""

from typing import Any

from aggregates.decider import Decider
from aggregates.order import DECIDER
from aggregates.repository import Repository
from aggregates.stage import Incoming, Stage
from events.envelope import CLIENT, Envelope
from events.event import Event
from events.fence import Fence
from events.fenced import Owner
from events.ids import derive
from events.log import Place, Record
from events.memory import MemoryLog
from events.registry import command_codec, event_codec
from events.topics import commands, events
from schemas.values import Command
from tests.builders.values import NOON

OWNER = Owner(MemoryLog(), Place(events("order"), 0), Fence(1, 1, "writer-1"))


def incoming(
    command: Command | None,
    name: str = "first",
    origin: str = CLIENT,
    offset: int = 0,
    subject: str = "",
    why: str = "",
) -> Incoming:
    """A command as the writer gets it; its id follows from the name."""
    command_id = derive("command", name)
    envelope = Envelope(
        id=command_id,
        type=command.tag if command else "",
        source="api",
        time=NOON.isoformat(),
        subject=subject or (command.stream if command else ""),
        correlation=command_id,
        causation=command_id,
        origin=origin,
    )
    body = command_codec.encode(command) if command else b"value"
    return Incoming(envelope, command, commands("order"), 0, offset, b"key", body, why)


class Desk:
    """One partition of a context: what is known, and everything that was recorded."""

    def __init__(self, decider: Decider = DECIDER) -> None:
        self.repository = Repository(decider)
        self.recorded: list[tuple[Envelope, bytes]] = []

    def staged(self, *several: Incoming) -> Stage:
        """Decide on a micro-batch."""
        stage = Stage(self.repository, OWNER, NOON)
        for one in several:
            stage.handle(one)
        return stage

    def written(self, stage: Stage) -> list[Event]:
        """The log has said yes; returns what was recorded."""
        self.repository.advance(stage.entities, (envelope for envelope, _ in stage.commit))
        self.recorded += stage.commit
        return [event_codec.decode(envelope.type, body) for envelope, body in stage.commit]

    def stage(self, *several: Incoming) -> list[Event]:
        """Decide on a micro-batch and count it as written; returns what was recorded."""
        return self.written(self.staged(*several))

    def state(self, stream: str) -> Any:
        return self.repository.get(stream).state

    def folded(self) -> Repository:
        """What a new owner knows after it has read the log."""
        repository = Repository(self.repository.decider)
        for offset, (envelope, body) in enumerate(self.recorded):
            repository.fold(Record(offset, envelope.subject.encode(), body, dict(envelope.headers()), 0))
        return repository
