"""Laws hold for every history that the rules can make; each context's tests feed them their own commands."""

from collections.abc import Iterable

import msgspec
from hypothesis import HealthCheck, settings

from aggregates.decider import Decider
from events.registry import event_codec
from schemas.values import Command
from tests.spec import Life, said

moderately = settings(
    max_examples=150, derandomize=True, deadline=None, database=None, suppress_health_check=[HealthCheck.too_slow]
)


def lived(decider: Decider, commands: Iterable[Command]) -> Life:
    """A life in which these commands were asked, one after the other."""
    life = Life(decider)
    for command in commands:
        life.ask(command)
    return life


def asking_twice_changes_nothing_more(life: Life, command: Command) -> None:
    life.ask(command)
    before = dict(life.states)
    again = life.ask(command)
    assert [said(event) for event in again] == []
    assert life.states == before


def replaying_equals_living(life: Life) -> None:
    """What was recorded, read back from its bytes, leads to the same states."""
    replayed = Life(life.decider)
    replayed.record(event_codec.decode(event.tag, event_codec.encode(event)) for event in life.history)
    assert replayed.states == life.states


def a_snapshot_forgets_nothing(life: Life) -> None:
    for stream, state in life.states.items():
        kept = msgspec.json.decode(msgspec.json.encode(state), type=type(life.decider.initial_of(stream)))
        assert kept == state


def every_law_of_history(life: Life) -> None:
    replaying_equals_living(life)
    a_snapshot_forgets_nothing(life)
