"""Together waits for all of several things, and only then raises what went wrong with the first: nothing lingers."""

import asyncio
from collections.abc import Awaitable, Collection
from typing import Any, TypeVar

T = TypeVar("T")


async def together(*several: Awaitable[T]) -> list[T]:
    """The results of all, in order.

    Raises:
        whatever the first of them raised, once none of them runs any more.
    """
    results = await asyncio.gather(*several, return_exceptions=True)
    done: list[T] = []
    for result in results:
        if isinstance(result, BaseException):
            raise result
        done.append(result)
    return done


async def end(tasks: Collection[asyncio.Task[Any]], again_seconds: float = 2.0) -> None:
    """Cancel tasks until they have ended.

    Once may not do: before Python 3.12 a cancellation that comes as a wait_for is done is lost, and aiokafka has many.
    """
    left = set(tasks)
    while left:
        for task in left:
            task.cancel()
        _, left = await asyncio.wait(left, timeout=again_seconds)
    await asyncio.gather(*tasks, return_exceptions=True)
