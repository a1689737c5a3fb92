"""Alone is `python -m api` in a process of its own, with no server behind it."""

import asyncio
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import httpx2


@contextmanager
def alone(**settings: str) -> Iterator[str]:
    """The URL of one with these settings; it may still be starting."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    given = {"kafka": "127.0.0.1:1", "postgres": "postgresql://orderlog@127.0.0.1:1/postgres", "api_port": str(port)}
    named = {f"ORDERLOG_{name.upper()}": value for name, value in (given | settings).items()}
    process = subprocess.Popen([sys.executable, "-m", "api"], env={**os.environ, **named}, stderr=subprocess.DEVNULL)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(10)


async def alive(client: httpx2.AsyncClient) -> httpx2.Response:
    """What it says of its health, as soon as it says anything."""
    deadline = time.monotonic() + 20
    while True:
        try:
            return await client.get("/health")
        except httpx2.TransportError:
            assert time.monotonic() < deadline
            await asyncio.sleep(0.05)
