"""Loop is the event loop of our processes: uvloop's, where there is one."""

import asyncio
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
