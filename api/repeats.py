"""Repeats are commands under a key that came before: what this process knows of them, and the no to what is none."""

from collections.abc import Iterator
from contextlib import contextmanager

from api.problems import Problem
from events.ids import key_of

REMEMBERED = 10_000


class Keys:
    """The keys that this process is answering under, and those whose command it has lately seen durable.

    They spare the log repeats, no more: another process, or this one after a crash, sends the command again, and its
    writer drops it.
    """

    def __init__(self) -> None:
        self._running: dict[str, str] = {}
        self._durable: dict[str, str] = {}

    @contextmanager
    def held(self, command_id: str) -> Iterator[bool]:
        """Answer under a key; whether its command is known to be durable.

        Raises:
            Problem: 409, if another request does so; 422, if one has done so for something else.
        """
        key = key_of(command_id)
        if (other := self._running.get(key)) is not None:
            refuse_other(command_id, other)
            raise Problem("KeyRunning", headers={"Retry-After": "1"}, command_id=command_id)
        if (other := self._durable.get(key)) is not None:
            refuse_other(command_id, other)
        self._running[key] = command_id
        try:
            yield other is not None
        finally:
            del self._running[key]

    def note(self, command_id: str) -> None:
        """The command is durable."""
        self._durable[key_of(command_id)] = command_id
        if len(self._durable) > REMEMBERED:
            del self._durable[next(iter(self._durable))]


def refuse_other(command_id: str, other: str) -> None:
    """Refuse what is sent under the key of another command.

    Raises:
        Problem: 422.
    """
    if other != command_id:
        raise Problem("KeyReused", command_id=other)
