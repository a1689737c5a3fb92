"""The breaker, by a clock that stands still until it is moved."""

from contextlib import suppress

import pytest

from workers.breaker import Breaker, NoAnswer
from workers.provider import ProviderMisused, ProviderUnavailable


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def attempt(breaker: Breaker, fault: BaseException | None = None) -> None:
    with suppress(NoAnswer, ProviderMisused, KeyboardInterrupt), breaker.attempt():
        if fault:
            raise fault


def opened(clock: Clock) -> Breaker:
    breaker = Breaker(clock=clock)
    for _ in range(5):
        attempt(breaker, NoAnswer("down"))
    return breaker


def test_it_stays_closed_when_an_answer_comes_between_faults() -> None:
    breaker = Breaker()
    for _ in range(4):
        attempt(breaker, NoAnswer("down"))
    attempt(breaker)
    for _ in range(4):
        attempt(breaker, NoAnswer("down"))
    assert breaker.state == "closed"


def test_an_answer_that_we_cannot_use_is_an_answer() -> None:
    breaker = Breaker(threshold=1)
    attempt(breaker, ProviderMisused("bad"))
    assert breaker.state == "closed"


def test_it_opens_at_the_fifth_fault_and_says_when_a_probe_is_due() -> None:
    clock = Clock()
    breaker = opened(clock)
    clock.now += 10

    assert (breaker.state, breaker.probe_in) == ("open", 20.0)
    with pytest.raises(ProviderUnavailable) as unavailable:
        attempt(breaker)
    assert unavailable.value.retry_after_seconds == 20.0


def test_a_probe_that_fails_opens_it_for_as_long_again() -> None:
    clock = Clock()
    breaker = opened(clock)
    clock.now += 30
    assert breaker.state == "half-open"

    attempt(breaker, NoAnswer("still down"))
    assert (breaker.state, breaker.probe_in) == ("open", 30.0)


def test_a_probe_that_is_answered_closes_it() -> None:
    clock = Clock()
    breaker = opened(clock)
    clock.now += 30

    attempt(breaker)
    assert (breaker.state, breaker.probe_in) == ("closed", 0.0)


def test_only_one_probe_is_under_way() -> None:
    clock = Clock()
    breaker = opened(clock)
    clock.now += 30

    with breaker.attempt(), pytest.raises(ProviderUnavailable):
        attempt(breaker)
    assert breaker.state == "closed"


def test_a_probe_that_is_cut_short_tells_nothing_and_the_next_request_is_the_probe() -> None:
    clock = Clock()
    breaker = opened(clock)
    clock.now += 30

    attempt(breaker, KeyboardInterrupt())
    assert breaker.probe_in == 0.0
    attempt(breaker)
    assert breaker.state == "closed"
