"""Outcome events say what became of a command that changed nothing: the log alone knows what has been handled."""

from typing import TypeAlias

from events.event import Event


class _Outcome(Event):
    about: str

    @property
    def stream(self) -> str:
        return self.about


class CommandRejected(_Outcome, tag="command.rejected.v1"):
    """A rule said no; only the caller cares. `about` is the stream asked."""

    code: str
    detail: str


class CommandUnchanged(_Outcome, tag="command.unchanged.v1"):
    """What was asked for is so already."""


class RecordParked(_Outcome, tag="record.parked.v1"):
    """A record that cannot be handled: where it lies, why, and its bytes (base64)."""

    topic: str
    partition: int
    offset: int
    reason: str
    key: str
    value: str


Outcome: TypeAlias = CommandRejected | CommandUnchanged | RecordParked
