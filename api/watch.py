"""Watch lets many requests wait for rows to appear: one question for all of them, asked again while anyone waits."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from projections.postgres import DatabaseUnavailable

Row = dict[str, Any]
Ask = Callable[[list[str]], Awaitable[list[Row]]]
"""The rows there are for these keys."""

_LATER = 0.25


class Watch:
    """Rows by the column `key`; `pause` is how many seconds lie between two questions."""

    def __init__(self, ask: Ask, key: str, pause: float = 0.01) -> None:
        self._ask, self._key, self._pause = ask, key, pause
        self._waiting: dict[str, set[asyncio.Future[Row]]] = {}
        self._task: asyncio.Task[None] | None = None

    async def within(self, key: str, seconds: float) -> Row | None:
        """The row, as soon as it is there; None when the time is over."""
        future: asyncio.Future[Row] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(key, set()).add(future)
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._run())
        try:
            async with asyncio.timeout(seconds):
                return await future
        except TimeoutError:
            return None
        finally:
            self._leave(key, future)

    async def close(self) -> None:
        """Stop asking."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        while self._waiting:
            try:
                self._tell(await self._ask(list(self._waiting)))
                await asyncio.sleep(self._pause)
            except DatabaseUnavailable:
                await asyncio.sleep(_LATER)
            except Exception as bug:
                self._fail(bug)

    def _tell(self, rows: list[Row]) -> None:
        for row in rows:
            for future in self._waiting.pop(row[self._key], ()):
                if not future.done():
                    future.set_result(row)

    def _fail(self, bug: Exception) -> None:
        waiting, self._waiting = self._waiting, {}
        for future in (future for futures in waiting.values() for future in futures if not future.done()):
            future.set_exception(bug)

    def _leave(self, key: str, future: asyncio.Future[Row]) -> None:
        futures = self._waiting.get(key, set())
        futures.discard(future)
        if not futures:
            self._waiting.pop(key, None)
