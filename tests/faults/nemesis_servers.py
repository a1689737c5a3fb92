"""What is done to the servers: the broker is killed, or its disk is full; Postgres stops, or loses its backends."""

import asyncio
import contextlib
import signal
import time
from pathlib import Path

import psycopg

from tests.faults.machine import Cores
from tests.faults.nemesis import Site
from tests.faults.plan import Step

SIGNALS = {"broker-kill": None, "postgres-immediate": signal.SIGQUIT, "postgres-fast": signal.SIGINT}
BACKENDS = """
SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
WHERE pid <> pg_backend_pid() AND datname LIKE 'orderlog_%'
"""


async def server(site: Site, step: Step) -> None:
    """Kafka or Postgres ends, stays away for a while, and is started again."""
    world, kind = site.world, step.target
    at = await world.server(kind, SIGNALS[step.fault])
    cores = Cores(world.children)
    await asyncio.sleep(step.seconds)
    since = await world.server_again(kind)
    site.note(step, at, time.time(), cores_while_away=cores.used(world.children))
    await site.back(step, kind, since)


async def backends(site: Site, step: Step) -> None:
    """Every connection to our databases is ended by the server."""
    at = time.time()
    ended = await asyncio.to_thread(_terminate, site.world.address.postgres)
    site.note(step, at, ended=ended)
    await site.back(step, "postgres", at)


def _terminate(url: str) -> int:
    with psycopg.connect(url, autocommit=True) as connection:
        row = connection.execute(BACKENDS).fetchone()
        return int(row[0]) if row else 0


async def disk_full(site: Site, step: Step) -> None:
    """The broker's disk is filled up, and emptied a while later; a broker that has given up is started again."""
    world, at = site.world, time.time()
    filler = world.folder / "kafka" / "data" / "filler"
    await asyncio.to_thread(_fill, filler)
    await asyncio.sleep(step.seconds)
    filler.unlink()
    gave_up = world.servers.child("kafka").poll() is not None
    since = await world.server_again("kafka") if gave_up else time.time()
    site.note(step, at, time.time(), gave_up=gave_up)
    await site.back(step, "kafka", since)


def _fill(filler: Path) -> None:
    block = b"\0" * 1_000_000
    with filler.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while file.write(block):
            pass
