"""Bars show how far a rebuild is, partition by partition: for people in the terminal, for programs as JSON lines."""

import sys
import time
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from workers import rebuild
from workers.operator.terms import show_json

EVERY_SECONDS = 0.5
"""Between two JSON lines of a partition."""


class Bars:
    """A bar a partition: records read of those to read, records a second, time left."""

    def __init__(self, title: str, as_json: bool) -> None:
        self._title, self._json = title, as_json
        self._last: dict[int, float] = {}
        self._tasks: dict[int, TaskID] = {}
        self._drawn = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[rate]:>9,.0f}/s"),
            TimeRemainingColumn(),
            console=Console(stderr=True),
            disable=as_json or not sys.stderr.isatty(),
        )

    def __enter__(self) -> "Bars":
        self._drawn.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._drawn.stop()

    def say(self, words: str) -> None:
        """A line above the bars."""
        if not self._json:
            self._drawn.console.print(words)

    def tell(self, now: rebuild.Progress) -> None:
        """A partition has come further."""
        if self._json:
            done = now.next >= now.goal
            if done or time.monotonic() - self._last.get(now.partition, 0) > EVERY_SECONDS:
                self._last[now.partition] = time.monotonic()
                left = (now.goal - now.next) / now.rate if now.rate else None
                show_json(
                    {
                        "progress": self._title,
                        **{n: getattr(now, n) for n in now.__struct_fields__},
                        "seconds_left": left,
                    }
                )
            return
        if now.partition not in self._tasks:
            self._tasks[now.partition] = self._drawn.add_task(
                f"{self._title}/{now.partition}", total=now.goal, rate=0.0
            )
        self._drawn.update(self._tasks[now.partition], completed=now.next, total=now.goal, rate=now.rate)
