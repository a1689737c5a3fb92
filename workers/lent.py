"""Lent processes do a share of somebody's work, one core each, and end with that one, even after kill -9.

Their standard input is the other's pipe: its lines say what to do, and its end is theirs.
"""

import asyncio
import os
import sys
import threading
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager, suppress
from queue import SimpleQueue

LINE = 64_000_000
"""Bytes of what a process says in one line."""


@asynccontextmanager
async def lent(module: str, keep_open: Collection[int] = ()) -> AsyncIterator[Process]:
    """A process of one of our modules; `keep_open` are descriptors that it holds as well."""
    # A session of its own: Ctrl-C reaches the one who has the process, and that one lets go of it.
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", module),
        stdin=PIPE,
        stdout=PIPE,
        start_new_session=True,
        pass_fds=keep_open,
        limit=LINE,
    )
    try:
        yield process
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()


def asked() -> SimpleQueue[bytes]:
    """In such a process: the lines that say what to do; it ends when they do, whatever it is doing."""
    lines: SimpleQueue[bytes] = SimpleQueue()
    threading.Thread(target=_hear, args=(lines,), daemon=True).start()
    return lines


def _hear(lines: SimpleQueue[bytes]) -> None:
    with open(0, "rb", buffering=0) as pipe:  # a lock on a buffer would be in the way of our own end
        while line := pipe.readline():
            lines.put(line)
        os._exit(0)
