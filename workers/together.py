"""Together waits for all of several things, and only then raises what went wrong with the first: nothing lingers."""

import asyncio
from collections.abc import Awaitable
from typing import TypeVar

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
