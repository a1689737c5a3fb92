"""Effects are a to-do list read from state: whatever a state says is pending is done by the partition's owner.

Nothing is remembered about an attempt. A new owner finds the same list, and asks again with the same keys.
"""

import asyncio
import heapq
import logging
import random
from collections.abc import Awaitable, Callable, Mapping
from contextlib import nullcontext, suppress
from datetime import UTC, datetime
from typing import Any

from aggregates.decider import Decider, Todo
from aggregates.repository import Entity
from events.errors import Fenced
from projections.postgres import DatabaseUnavailable
from schemas.values import Command
from workers import traced
from workers.channel import MailUnavailable
from workers.provider import CircuitOpen, ProviderUnavailable

logger = logging.getLogger(__name__)

Effect = Callable[[str, Any, Todo], Awaitable[Command]]
Answer = Callable[[str, Todo, Command], Awaitable[None]]
"""Takes the answer of an effect on a stream back to the rules."""

AT_ONCE = 64
"""Effects under way at the same time, per context."""

TICK = 0.1
"""Seconds by which a deadline may be noticed late."""

LOOK_AGAIN = 1.0
"""Seconds after which an open circuit is looked at again."""

_Key = tuple[str, str]


class Effects:
    """The effects of the partitions that one writer owns."""

    def __init__(self, decider: Decider, handlers: Mapping[str, Effect], answer: Answer) -> None:
        self._decider, self._handlers, self._answer = decider, handlers, answer
        self._running: dict[_Key, asyncio.Task[None]] = {}
        self._later: dict[_Key, tuple[Entity, Todo]] = {}
        self._deadlines: list[tuple[datetime, _Key]] = []
        self._streams: dict[str, set[str]] = {}
        self._free = asyncio.Semaphore(AT_ONCE)

    def look(self, stream: str, entity: Entity) -> bool:
        """Start what a state now asks for, stop what it asks for no more; True if anything is pending."""
        found = self._decider.todos(entity.state)
        running = self._streams.get(stream)
        if not found and not running:
            return False
        todos = {todo.key or todo.step: todo for todo in found}
        running = running or set()
        for key in running - todos.keys():
            self._end(stream, key)
        for key in todos.keys() - running:
            self._begin(stream, key, entity, todos[key])
        if todos:
            self._streams[stream] = set(todos)
        else:
            del self._streams[stream]
        return bool(todos)

    async def keep_time(self) -> None:
        """Start what is due, until cancelled."""
        while True:
            now = datetime.now(UTC)
            while self._deadlines and self._deadlines[0][0] <= now:
                _, key = heapq.heappop(self._deadlines)
                if waiting := self._later.pop(key, None):
                    self._start(key, *waiting)
            await asyncio.sleep(TICK)

    def _begin(self, stream: str, key: str, entity: Entity, todo: Todo) -> None:
        if todo.due is None:
            self._start((stream, key), entity, todo)
        else:  # nearly every deadline is taken back, so it must cost next to nothing
            self._later[stream, key] = entity, todo
            heapq.heappush(self._deadlines, (todo.due, (stream, key)))

    def _start(self, key: _Key, entity: Entity, todo: Todo) -> None:
        self._running[key] = asyncio.get_running_loop().create_task(self._run(key[0], entity, todo))

    def _end(self, stream: str, key: str) -> None:
        self._later.pop((stream, key), None)
        if task := self._running.pop((stream, key), None):
            task.cancel()

    def stop(self) -> None:
        """Start nothing more, and forget what is under way: the next owner asks again."""
        for waiting in self._running.values():
            waiting.cancel()
        self._running, self._streams, self._later, self._deadlines = {}, {}, {}, []

    async def _run(self, stream: str, entity: Entity, todo: Todo) -> None:
        with traced.effect(self._decider.context, stream, entity, todo) as span:
            command = await self._done(stream, entity, todo)
            span.note(answer=command.tag)
            with suppress(Fenced):  # the next owner finds it on its list, and asks again
                await self._answer(stream, todo, command)

    async def _done(self, stream: str, entity: Entity, todo: Todo) -> Command:
        """What came of it, however often one has to try."""
        attempt = 0
        while True:
            attempt += 1
            try:
                async with self._free if todo.due is None else nullcontext():  # a deadline waits for nobody's answer
                    return await self._asked(stream, entity, todo)
            except ProviderUnavailable as error:
                pause = error.retry_after_seconds
                logger.info("%s of %s waits: %s", todo.step, stream, error)
            except (MailUnavailable, DatabaseUnavailable) as error:
                pause = min(0.5 * 2**attempt, 30.0)
                logger.info("%s of %s waits: %s", todo.step, stream, error)
            except Exception:
                # Neither lost nor hammered: it stays on the list, and whoever mends the bug finds it there.
                pause = min(2.0**attempt, 60.0)
                say = logger.exception if attempt == 1 else logger.error
                say("bug in the effect %s of %s, correlation %s", todo.step, stream, entity.correlation)
            await asyncio.sleep(pause * random.uniform(0.75, 1.25))

    async def _asked(self, stream: str, entity: Entity, todo: Todo) -> Command:
        """What the world answers; while nobody can be asked, this waits in its place among those at once.

        Would it make room, all that is pending would come round every second, and thousands of them leave the one
        that probes too little time to be answered: the circuit would never close again.
        """
        while True:
            try:
                return await self._handlers[todo.step](stream, entity.state, todo)
            except CircuitOpen as closed:
                pause = min(closed.retry_after_seconds, LOOK_AGAIN)
            await asyncio.sleep(pause * random.uniform(0.75, 1.25))
