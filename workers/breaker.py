"""Breaker is the circuit to a provider of payments or messages, and how an attempt to ask it can end."""

import time
from collections.abc import Callable

from events import circuit
from events.circuit import Answered, Circuit
from workers.provider import CircuitOpen


class Again(Exception):
    """An attempt that is worth another."""

    def __init__(self, why: str, retry_after: float = 0.0) -> None:
        super().__init__(why)
        self.retry_after = retry_after


class NoAnswer(Again, circuit.NoAnswer):
    """No answer, or a server's own fault: counts against the provider."""


class Busy(Again, Answered):
    """Not now: the first request with this key is under way, or there are too many. The provider is well."""


class Breaker(Circuit):
    """A call makes fewer attempts than the threshold, so that no single payment can open it."""

    def __init__(
        self,
        threshold: int = 5,
        seconds: float = 30.0,
        clock: Callable[[], float] = time.monotonic,
        name: str = "the provider",
    ) -> None:
        super().__init__(name, threshold, seconds, clock)

    def refused(self, seconds: float) -> CircuitOpen:
        """As Circuit.refused, for those who wait for a provider."""
        return CircuitOpen(seconds, "circuit open")
