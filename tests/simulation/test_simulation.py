"""Two hundred seeds of the whole system: whatever goes wrong in them, all laws hold, and enough does go wrong."""

from collections import Counter

import pytest

from tests.simulation.chance import LITTLE
from tests.simulation.many import Tally, play_all, told
from tests.simulation.run import play

SEEDS = range(200)
GREAT = (
    "brokers down", "clock put", "cut off", "database crashed", "database down", "killed", "paused", "poison",
    "positions deleted", "rebalanced", "request repeated", "snapshots spoiled", "stopped", "storm on acks",
    "storm on commands", "storm on databases", "storm on mail", "storm on provider", "storm on reads", "stranger",
    "views deleted",
)  # fmt: skip
"""Faults that befall more than a single call."""

WINDOWS = {
    "appends of stale writers": 30,
    "authorize asked again": 3,
    "authorizations renewed": 10,
    "authorized after the end": 5,
    "captures refused": 2,
    "claims": 2000,
    "claims that lost": 30,
    "commands that came again": 300,
    "compensated by a refund": 10,
    "compensated by a void": 10,
    "mails handed over again": 10,
    "orders cancelled": 50,
    "orders confirmed": 150,
    "orders refused for want of stock": 150,
    "orders shipped": 40,
    "other cards tried": 20,
    "payments declined": 10,
    "refunded": 30,
    "reservations lapsed": 20,
    "shipments paid for": 10,
}
"""How often each interesting moment must be hit at least."""


@pytest.fixture(scope="module")
def tally() -> Tally:
    return play_all(SEEDS, 2, lambda _: None)


def test_all_laws_hold_in_every_seed(tally: Tally) -> None:
    print(tally, tally.counts())
    assert tally.seeds == len(SEEDS)
    assert not tally.failures, told(tally.failures[0])


def test_every_fault_and_every_window_was_hit_often_enough_to_tell(tally: Tally) -> None:
    assert _too_few(tally.faults, dict.fromkeys(GREAT, 10)) == {}
    assert _too_few(tally.faults, dict.fromkeys(LITTLE, 1)) == {}
    assert _too_few(tally.windows, WINDOWS) == {}


@pytest.mark.parametrize("seed", [3, 14, 159])
def test_a_seed_goes_the_same_way_each_time(seed: int) -> None:
    first, again = play(seed), play(seed, tell=True)

    assert again._replace(trace=[]) == first
    assert again.trace


def _too_few(found: Counter[str], wanted: dict[str, int]) -> dict[str, int]:
    return {what: found[what] for what, least in wanted.items() if found[what] < least}
