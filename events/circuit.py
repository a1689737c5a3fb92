"""Circuit keeps requests from a service that does not answer, and lets one at a time try whether it does again."""

import logging
import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Literal, TypeAlias

from purgatory.domain.model import Context, HalfOpenedState

logger = logging.getLogger(__name__)

CircuitState: TypeAlias = Literal["closed", "open", "half-open"]


class NoAnswer(Exception):
    """No answer, or that of something in between: counts against the service."""


class Answered(Exception):
    """An answer that cannot be used: the service is well."""


class Open(Exception):
    """The service is not asked; `seconds` until it is again."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"not asked for another {seconds:.0f} s")
        self.seconds = seconds


class Circuit:
    """A breaker over purgatory's, with a clock of our own and one probe at a time when half open.

    It counts attempts, not calls: `threshold` requests in a row without an answer open it, for so many seconds. Retries
    ask it before each attempt, so an outage is noticed early and a probe is exactly one request.
    """

    def __init__(
        self, name: str, threshold: int = 5, seconds: float = 5.0, clock: Callable[[], float] = time.monotonic
    ) -> None:
        # Purgatory reads the wall clock, which can be set back: it never lapses by itself here.
        self._circuit = Context(name, threshold, math.inf)
        self._name, self._seconds, self._clock = name, seconds, clock
        self._opened_at = 0.0
        self._probing = False

    @property
    def state(self) -> CircuitState:
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
            Open, or what `refused` makes of it: if it is open, or half open with a probe under way.
        """
        probe = self._admit()
        try:
            yield
        except NoAnswer as fault:
            self._failed(fault)
            raise
        except Answered:
            self._circuit.handle_end_request()
            raise
        else:
            self._circuit.handle_end_request()
        finally:
            # A cancelled probe has told nothing: the next request is the probe.
            self._probing = self._probing and not probe
            self._circuit.messages.clear()

    def refused(self, seconds: float) -> Exception:
        """What is raised instead of asking."""
        return Open(seconds)

    def _admit(self) -> bool:
        state = self.state
        if state == "open" or (state == "half-open" and self._probing):
            raise self.refused(self.probe_in or 1.0)
        if state == "half-open":
            self._circuit.set_state(HalfOpenedState())
            self._probing = True
        return state == "half-open"

    def _failed(self, fault: NoAnswer) -> None:
        was = self._circuit.state
        self._circuit.handle_exception(fault)
        if self._circuit.state == "opened" and was != "opened":
            self._opened_at = self._clock()
            logger.warning("%s is asked no more for %.0f s: %s", self._name, self._seconds, fault)
