"""Pausing is what a consumer does that is set to stop at the first failure: its partition stands still, others go on.

Nothing is set aside, so nothing can come out of order; it is tried again and again, until it or the setting is mended.
"""

import asyncio
import logging
import time
from typing import NoReturn

from aggregates.stage import Paused

logger = logging.getLogger(__name__)

FIRST, LONGEST = 1.0, 60.0
"""Seconds between two attempts."""


class TryAgain(Exception):
    """The time has come to look whether what stood still can go on."""


class Pauses:
    """The partitions of one consumer that stand still, each with the reason; `on` if it pauses at all."""

    def __init__(self, consumer: str, on: bool = False) -> None:
        self.consumer, self.on = consumer, on
        self.why: dict[int, str] = {}
        self._pause, self._until = FIRST, 0.0
        self._last: tuple[int, str] | None = None

    def stop(self, stopped: Paused) -> None:
        """A partition stands still; the same failure again is waited for longer."""
        self._pause = min(2 * self._pause, LONGEST) if self._last == (stopped.partition, stopped.reason) else FIRST
        self._last = stopped.partition, stopped.reason
        self._until = max(self._until, time.monotonic() + self._pause)
        self.why[stopped.partition] = stopped.reason
        logger.critical(
            "%s stands still in partition %d, and tries again in %.0f s: %s",
            self.consumer, stopped.partition, self._pause, stopped.reason,
        )  # fmt: skip

    def begin_again(self) -> None:
        """Whoever stood still is tried once more."""
        self.why = {}

    def told(self) -> str:
        """What stands still and why, in one line; empty if nothing does."""
        return "; ".join(f"partition {p}: {why.strip().rpartition(chr(10))[2]}" for p, why in sorted(self.why.items()))

    async def due(self) -> NoReturn:
        """Wait until it is time to try again.

        Raises:
            TryAgain: it is.
        """
        await asyncio.sleep(max(0.1, self._until - time.monotonic()))
        raise TryAgain

    def check(self) -> None:
        """Nothing, before it is time to try again.

        Raises:
            TryAgain: it is.
        """
        if self.why and time.monotonic() >= self._until:
            raise TryAgain
