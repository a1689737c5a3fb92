"""Seats are limited: so many live streams are open in one process at a time, and so many of one user."""

from collections import Counter

from api.problems import Problem

AGAIN = {"Retry-After": "10"}


class Seats:
    """How many are taken, in all and by whom; those inside are nobody, and are counted in all."""

    def __init__(self, limit: int, each: int) -> None:
        self._limit, self._each = limit, each
        self._taken: Counter[str] = Counter()

    def take(self, who: str) -> None:
        """Take one; leave it in the end.

        Raises:
            Problem: 429, for one user has enough; 503, for all are taken.
        """
        if who and self._taken[who] >= self._each:
            said = f"You follow {self._each} streams already; end one of them."
            raise Problem("TooManyStreams", said, headers=AGAIN)
        if self._taken.total() >= self._limit:
            raise Problem("Busy", "All live streams are taken.", headers=AGAIN)
        self._taken[who] += 1

    def leave(self, who: str) -> None:
        """Let somebody else have it."""
        self._taken[who] -= 1
        if not self._taken[who]:
            del self._taken[who]
