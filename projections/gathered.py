"""Gathered asks for many what each of them wants: those that come while others are asked for are asked for next."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Generic, TypeVar

V = TypeVar("V")


class Gathered(Generic[V]):
    """One question at a time, by key; what is not found is not there."""

    def __init__(self, ask: Callable[[list[str]], Awaitable[Mapping[str, V]]]) -> None:
        self._ask = ask
        self._waiting: dict[str, asyncio.Future[Mapping[str, V]]] = {}
        self._task: asyncio.Task[None] | None = None

    async def __call__(self, wanted: Iterable[str]) -> dict[str, V]:
        """What was found of these; an error of the question is everybody's who waits for it."""
        loop = asyncio.get_running_loop()
        futures = [self._waiting.setdefault(key, loop.create_future()) for key in wanted]
        if self._task is None or self._task.done():
            self._task = loop.create_task(self._run())
        found: dict[str, V] = {}
        for part in await asyncio.gather(*map(asyncio.shield, futures)):
            found |= part
        return found

    async def _run(self) -> None:
        while self._waiting:
            asked, self._waiting = self._waiting, {}
            try:
                found = await self._ask(list(asked))
            except Exception as error:
                for future in asked.values():
                    future.set_exception(error)
                    future.exception()  # looked at: whoever has waited may be gone
            else:
                for key, future in asked.items():
                    future.set_result({key: found[key]} if key in found else {})
