"""States are what the model of the fenced log moves between: tuples of ints and of tuples, so that millions fit."""

from typing import NamedTuple, TypeAlias

Message: TypeAlias = tuple[int, ...]
"""(CLAIM, epoch, writer) or (COMMIT, epoch, writer, history decided on, history after)."""
Writer: TypeAlias = tuple[int, ...]
"""(IDLE,) | (CLAIMING, epoch, writer, history) | (OWNER, epoch, writer, history, cursor, fresh) |
(COMMITTING, epoch, writer, history, cursor, fresh, history after, cursor after). `fresh`: nothing was written since."""

CLAIM, COMMIT = 0, 1
IDLE, CLAIMING, OWNER, COMMITTING = range(4)
FRESH = 5


class State(NamedTuple):
    """What the effective records say, the messages that nobody waits for, and the writers.

    `group`: the consumer group's offset. `told`: refusals answered without a record, as a set of bits. `log`: every
    record written, where the model is asked to keep it.
    """

    epoch: int
    writer: int
    history: int
    claims: int
    group: int
    told: int
    late: tuple[Message, ...]
    writers: tuple[Writer, ...]
    log: tuple[Message, ...]


class Landing(NamedTuple):
    """What a written message makes of the partition."""

    epoch: int
    writer: int
    history: int
    log: tuple[Message, ...]
    broken: str
