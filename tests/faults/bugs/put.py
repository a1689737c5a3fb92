"""Put is how a bug replaces something of the application; launch is how it stops waiting for something."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

Put = Callable[[Any, str, Any], object]
"""Owner, attribute, replacement: `setattr`, or one that can be taken back."""

Bug = Callable[[Put], None]

_under_way: set[asyncio.Task[Any]] = set()


def launch(work: Coroutine[Any, Any, Any]) -> None:
    """Begin something, and never ask how it ended."""
    task = asyncio.create_task(work)
    _under_way.add(task)
    task.add_done_callback(_forget)


def _forget(task: asyncio.Task[Any]) -> None:
    _under_way.discard(task)
    if not task.cancelled():
        task.exception()
