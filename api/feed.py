"""Feed is what everybody who follows orders in this process hears: one question to the read model for all of them.

It asks where the history ends, many times a second and cheaply; where that has moved, it asks once for what is new of
all that is followed. Where it stands is no promise to anybody: each listener drops what it has heard already, so the
feed may go back whenever in doubt, as when a database has lost its last moments and has them again from the log.
"""

import asyncio
import heapq
import logging
import operator
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from itertools import groupby
from typing import Any

from api.watch import Row
from events.topics import PARTITIONS
from projections.following import HEADS, SINCE
from projections.postgres import DatabaseUnavailable

logger = logging.getLogger(__name__)

Ask = Callable[[str, Mapping[str, Any]], Awaitable[list[Row]]]

PAUSE = 0.05
"""Seconds between two looks at where the history ends."""
LATER = 0.25
"""The same, while the database is away."""
STRIDE = 2000
"""Positions of one partition that one question is about."""
ROOM = 256
"""Events that wait for one listener; one that falls further behind is let go, and resumes where it was."""


class Listener:
    """Whoever follows one key, an order's stream or a customer; `since` is where the history ended when it joined."""

    def __init__(self, key: str) -> None:
        self.key = key
        self.since: list[int] = []
        self.ended = False
        self._waiting: deque[Row] = deque()
        self._news = asyncio.Event()

    def hear(self, row: Row) -> None:
        """Keep an event for when the listener has time."""
        if len(self._waiting) >= ROOM:
            self.end()
        if not self.ended:
            self._waiting.append(row)
            self._news.set()

    def end(self) -> None:
        """Nothing more is heard; what waits is forgotten."""
        self.ended = True
        self._waiting.clear()
        self._news.set()

    async def news(self, seconds: float) -> list[Row]:
        """What has come, at least one event unless the time is over or this has ended."""
        try:
            async with asyncio.timeout(seconds):
                await self._news.wait()
        except TimeoutError:
            return []
        rows = list(self._waiting)
        self._waiting.clear()
        if not self.ended:
            self._news.clear()
        return rows


class Feed:
    """The listeners of one process; `pause` is how many seconds lie between two looks."""

    def __init__(self, ask: Ask, pause: float = PAUSE) -> None:
        self._ask, self._pause = ask, pause
        self._listening: dict[str, set[Listener]] = {}
        self._next: list[int] = []
        self._task: asyncio.Task[None] | None = None
        self.ended = False

    async def join(self, listener: Listener, together: bool = False) -> None:
        """Hear what happens from now on; what has happened before must be asked for. Leave in the end.

        Raises:
            DatabaseUnavailable: the read model cannot be asked; `together`, or shows orders as of another position.
        """
        self._listening.setdefault(listener.key, set()).add(listener)
        found = await self._ask(HEADS, {"last": PARTITIONS - 1})
        if together and not found[0]["together"]:
            raise DatabaseUnavailable("a rebuilt read model waits for a worker with its code")
        listener.since = [row["next"] for row in found]
        self._next = list(map(min, self._next or listener.since, listener.since))
        if self.ended:
            listener.end()
        elif self._task is None or self._task.done():
            self._task = asyncio.create_task(self._run())

    def leave(self, listener: Listener) -> None:
        """Hear no more."""
        listeners = self._listening.get(listener.key, set())
        listeners.discard(listener)
        if not listeners:
            self._listening.pop(listener.key, None)

    def end(self) -> None:
        """Let every listener go, and take no other: the process is about to end."""
        self.ended = True
        for listener in self._all():
            listener.end()

    async def close(self) -> None:
        """Stop asking."""
        self.end()
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def _all(self) -> Iterator[Listener]:
        yield from [listener for listeners in self._listening.values() for listener in listeners]

    async def _run(self) -> None:
        while self._listening:
            pause = self._pause
            try:
                if await self._step():
                    pause = 0
            except DatabaseUnavailable:
                pause = LATER
            except Exception:
                logger.exception("bug in the feed of live streams; everybody who listens must resume")
                for listener in self._all():
                    listener.end()
                pause = LATER
            await asyncio.sleep(pause)
        self._next = []

    async def _step(self) -> bool:
        """Hand on what is new; whether there is more already."""
        heads = [row["next"] for row in await self._ask(HEADS, {"last": PARTITIONS - 1})]
        froms = list(self._next)
        upto = [min(head, first + STRIDE) for head, first in zip(heads, froms, strict=True)]
        moved = [p for p in range(PARTITIONS) if upto[p] > froms[p]]
        if moved:
            spans = {"partitions": moved, "froms": [froms[p] for p in moved], "upto": [upto[p] for p in moved]}
            for row in in_time_order(await self._ask(SINCE, {**spans, **self._keys(), "stride": STRIDE})):
                self._hand_on(row)
        for p in moved:
            if self._next[p] == froms[p]:  # nobody has joined meanwhile, before whom the feed had to go back
                self._next[p] = upto[p]
        return any(upto[p] < heads[p] for p in moved)

    def _keys(self) -> dict[str, list[str]]:
        streams = [key for key in self._listening if key.startswith("order-")]
        customers = [key.removeprefix("customer-") for key in self._listening if key.startswith("customer-")]
        return {"streams": streams, "customers": customers}

    def _hand_on(self, row: Row) -> None:
        customer_id = row.pop("customer_id")
        for key in (row["stream"], f"customer-{customer_id}"):
            for listener in self._listening.get(key, ()):
                listener.hear(row)


def in_time_order(rows: Iterable[Row]) -> Iterator[Row]:
    """Rows sorted by partition and position, as they happened; those of one partition stay in its order."""
    several = [list(group) for _, group in groupby(rows, operator.itemgetter("partition"))]
    return heapq.merge(*several, key=operator.itemgetter("at"))
