"""Breaker keeps requests from a provider that does not answer, and lets one at a time try whether it does again."""

import logging
import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Literal, TypeAlias

from purgatory.domain.model import Context, HalfOpenedState

from workers.provider import CircuitOpen, ProviderMisused

logger = logging.getLogger(__name__)

BreakerState: TypeAlias = Literal["closed", "open", "half-open"]


class Again(Exception):
    """An attempt that is worth another."""

    def __init__(self, why: str, retry_after: float = 0.0) -> None:
        super().__init__(why)
        self.retry_after = retry_after


class NoAnswer(Again):
    """No answer, or a server's own fault: counts against the provider."""


class Busy(Again):
    """Not now: the first request with this key is under way, or there are too many. The provider is well."""


class Breaker:
    """A circuit breaker over purgatory's, with a clock of our own and one probe at a time when half open.

    It counts attempts, not calls: `threshold` requests in a row without an answer open it, and retries ask it before
    each attempt, so an outage is noticed early and a probe is exactly one request. A call makes fewer attempts than
    the threshold, so that no single payment can open it.
    """

    def __init__(self, threshold: int = 5, seconds: float = 30.0, clock: Callable[[], float] = time.monotonic) -> None:
        # Purgatory reads the wall clock, which can be set back: it never lapses by itself here.
        self._circuit = Context("payment-provider", threshold, math.inf)
        self._seconds, self._clock = seconds, clock
        self._opened_at = 0.0
        self._probing = False

    @property
    def state(self) -> BreakerState:
        """Closed, open, or half-open: then a probe is under way or due."""
        if self._circuit.state == "closed":
            return "closed"
        return "open" if self.probe_in > 0 else "half-open"

    @property
    def probe_in(self) -> float:
        """Seconds until a probe is let through; 0 unless open."""
        if self._circuit.state != "opened":
            return 0.0
        return max(0.0, self._opened_at + self._seconds - self._clock())

    @contextmanager
    def attempt(self) -> Iterator[None]:
        """Let one request through, and count how it ends.

        Raises:
            CircuitOpen: if it is open, or half open with a probe under way.
        """
        probe = self._admit()
        try:
            yield
        except NoAnswer as fault:
            self._failed(fault)
            raise
        except (Busy, ProviderMisused):
            self._circuit.handle_end_request()
            raise
        else:
            self._circuit.handle_end_request()
        finally:
            # A cancelled probe has told nothing: the next request is the probe.
            self._probing = self._probing and not probe
            self._circuit.messages.clear()

    def _admit(self) -> bool:
        state = self.state
        if state == "open" or (state == "half-open" and self._probing):
            raise CircuitOpen(self.probe_in or 1.0, "circuit open")
        if state == "half-open":
            self._circuit.set_state(HalfOpenedState())
            self._probing = True
        return state == "half-open"

    def _failed(self, fault: BaseException) -> None:
        was = self._circuit.state
        self._circuit.handle_exception(fault)
        if self._circuit.state == "opened" and was != "opened":
            self._opened_at = self._clock()
            logger.warning("the provider is asked no more for %.0f s: %s", self._seconds, fault)
