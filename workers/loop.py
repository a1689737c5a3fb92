"""Loop is what our processes run on: uvloop, where there is one, and a collector of garbage that seldom looks."""

import asyncio
import gc
from collections.abc import Coroutine
from typing import Any


def new_loop() -> asyncio.AbstractEventLoop:
    """A loop that nobody runs yet."""
    try:
        import uvloop
    except ImportError:
        return asyncio.new_event_loop()
    return uvloop.new_event_loop()


def run(work: Coroutine[Any, Any, None]) -> None:
    """Do this in a loop of its own, to the end."""
    with asyncio.Runner(loop_factory=new_loop) as runner:
        runner.run(work)


def collect_seldom() -> None:
    """Most objects here live for a batch or for ever: looking through them often finds nothing, and costs much.

    At Python's own pace a rebuild takes two and a half times as long.
    """
    gc.set_threshold(50_000, 20, 50)
