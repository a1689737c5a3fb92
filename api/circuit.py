"""Circuit keeps requests from a context that does not answer, and lets one at a time try whether it does again."""

import logging
import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from purgatory.domain.model import Context, HalfOpenedState

logger = logging.getLogger(__name__)


class NoAnswer(Exception):
    """No answer, or that of something in between: counts against the context."""


class Open(Exception):
    """The context is not asked; `seconds` until it is again."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"not asked for another {seconds:.0f} s")
        self.seconds = seconds


class Circuit:
    """A breaker over purgatory's state, with a steady clock and one probe at a time when half open."""

    def __init__(
        self, name: str, threshold: int = 5, seconds: float = 5.0, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._circuit = Context(name, threshold, math.inf)
        self._name, self._seconds, self._clock = name, seconds, clock
        self._opened_at = 0.0
        self._probing = False

    @property
    def probe_in(self) -> float:
        """Seconds until a probe is let through; 0 unless open."""
        opened = self._circuit.state == "opened"
        return max(0.0, self._opened_at + self._seconds - self._clock()) if opened else 0.0

    @contextmanager
    def attempt(self) -> Iterator[None]:
        """Let one request through, and count how it ends.

        Raises:
            Open: if it is open, or half open with a probe under way.
        """
        probe = self._admit()
        try:
            yield
        except NoAnswer as fault:
            self._failed(fault)
            raise
        else:
            self._circuit.handle_end_request()
        finally:
            # A cancelled probe has told nothing: the next request is the probe.
            self._probing = self._probing and not probe
            self._circuit.messages.clear()

    def _admit(self) -> bool:
        if self._circuit.state == "closed":
            return False
        if self.probe_in or self._probing:
            raise Open(self.probe_in or 1.0)
        self._circuit.set_state(HalfOpenedState())
        self._probing = True
        return True

    def _failed(self, fault: NoAnswer) -> None:
        was = self._circuit.state
        self._circuit.handle_exception(fault)
        if self._circuit.state == "opened" and was != "opened":
            self._opened_at = self._clock()
            logger.warning("%s is asked no more for %.0f s: %s", self._name, self._seconds, fault)
