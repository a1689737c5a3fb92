"""Bar shows on stderr how far reading is: records, events, events a second, time left."""

import sys
import time
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from workers.analyst.export import Progress as Come


class Bar:
    """One bar, where stderr is a terminal; a `passing` one goes when paused, or at the end."""

    def __init__(self, title: str, quiet: bool = False, passing: bool = False) -> None:
        self._began = time.perf_counter()
        self._drawn = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[events]:,} events {task.fields[rate]:>9,.0f}/s"),
            TimeRemainingColumn(),
            console=Console(stderr=True),
            transient=passing,
            disable=quiet or not sys.stderr.isatty(),
        )
        self._task = self._drawn.add_task(title, total=None, events=0, rate=0.0)

    def __enter__(self) -> "Bar":
        self._drawn.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._drawn.stop()

    def tell(self, now: Come) -> None:
        """It has come further."""
        rate = now.events / max(time.perf_counter() - self._began, 1e-9)
        self._drawn.update(self._task, completed=now.read, total=now.goal, events=now.events, rate=rate)

    def pause(self) -> None:
        """Lines come now."""
        if self._drawn.live.transient:
            self._drawn.stop()
