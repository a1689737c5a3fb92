"""Bridge leads to the log from code that is not asynchronous, such as the `eventsourcing` library's."""

import asyncio
from collections.abc import Coroutine
from concurrent.futures import CancelledError, Future
from threading import Lock, Thread
from typing import Any, TypeVar

from eventsourcing.persistence import DataError, InterfaceError, OperationalError

from events.errors import LogError, TooLarge
from events.kafka import KafkaLog
from events.log import Log

T = TypeVar("T")


class Bridge:
    """A log, and the thread whose event loop talks to it for callers that are not asynchronous; close it."""

    def __init__(self, log: Log) -> None:
        self.log = log
        self._loop = asyncio.new_event_loop()
        self._tasks: set[asyncio.Task[Any]] = set()
        self._gate, self._closed = Lock(), False
        self._thread = Thread(target=self._loop.run_forever, name="log", daemon=True)
        self._thread.start()

    def start(self, work: Coroutine[Any, Any, T]) -> "Future[T]":
        """Begin some work.

        Raises:
            InterfaceError: the bridge is closed.
        """
        with self._gate:
            if not self._closed:
                return asyncio.run_coroutine_threadsafe(self._tracked(work), self._loop)
        work.close()
        raise InterfaceError("the log is closed")

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Do some work and return its result; the log's errors become the library's."""
        try:
            return self.start(work).result()
        except CancelledError:
            raise InterfaceError("the log was closed meanwhile") from None
        except TooLarge as error:
            raise DataError(str(error)) from error
        except LogError as error:
            raise OperationalError(str(error)) from error

    def close(self) -> None:
        """Let go of the log and of the thread; whoever waits for an answer is told."""
        with self._gate:
            if self._closed:
                return
            self._closed = True
        # What was begun before the gate closed runs before this, and is found among the tasks.
        asyncio.run_coroutine_threadsafe(self._let_go(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _tracked(self, work: Coroutine[Any, Any, T]) -> T:
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - for mypy: we are in one
        self._tasks.add(task)
        try:
            return await work
        finally:
            self._tasks.discard(task)

    async def _let_go(self) -> None:
        others = list(self._tasks)
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        if isinstance(self.log, KafkaLog):
            await self.log.close()
