"""Chance is all that is left to chance in one run: it follows from the seed, and counts the faults that it makes."""

from collections import Counter
from collections.abc import Callable, Sequence
from random import Random
from typing import TypeVar
from uuid import UUID

T = TypeVar("T")

LITTLE = (
    "append refused", "commit lost", "commit late", "commit unacked", "claim lost", "claim late", "claim unacked",
    "command lost", "command late", "command unacked", "read broken", "bounds broken", "position lost",
    "position unacked", "positions old", "database refused", "database unanswered", "provider down",
    "provider answer lost", "provider late", "provider slow", "mail down", "mail answer lost", "mail late", "mail slow",
)  # fmt: skip
"""Faults of single calls."""

Say = Callable[[str], None]


class Chance:
    """`rates` says how likely each little fault is; none happens any more once it is `calm`.

    `weather` names the great faults that there are to be, many of them; otherwise all there are, some of them.
    """

    def __init__(self, seed: int, say: Say | None = None, weather: Sequence[str] = ()) -> None:
        self.random, self.say, self.weather = Random(seed), say, weather
        self.counts: Counter[str] = Counter()
        self.calm = False
        self._slowness = self.random.choice((1, 1, 4, 12))
        usual = self.random.choice((0.0, 0.002, 0.01))
        self.rates = {what: usual * self.random.choice((0, 1, 1, 5)) for what in LITTLE}

    def happens(self, what: str) -> bool:
        """Whether this goes wrong now."""
        if self.calm or self.random.random() >= self.rates[what]:
            return False
        self.count(what)
        return True

    def count(self, what: str, about: str = "") -> None:
        """Something did go wrong."""
        self.counts[what] += 1
        if self.say:
            self.say(f"! {what} {about}".rstrip())

    def delay(self) -> float:
        """Seconds that a message is on its way: mostly a few milliseconds, sometimes a thousand times as much."""
        where = self.random.random()
        if self.calm or where < 0.7:
            return 0.001 * self.random.randint(1, 4)
        if where < 0.95:
            return 0.001 * self.random.randint(5, 40 * self._slowness)
        return 0.001 * self.random.randint(50, 200 * self._slowness)

    def between(self, low: float, high: float) -> float:
        """Seconds, to the millisecond."""
        return round(self.random.uniform(low, high), 3)

    def one_of(self, things: Sequence[T]) -> T:
        """Any one of these."""
        return self.random.choice(things)

    def maybe(self, share: float) -> bool:
        """True in so many of all cases."""
        return self.random.random() < share

    def uuid(self) -> UUID:
        """A new id."""
        return UUID(int=self.random.getrandbits(128), version=4)
