"""What is done to state that is kept beside the log: checkpoints and snapshots are deleted or spoiled."""

import asyncio
import time

import psycopg
from psycopg import conninfo

from tests.faults.nemesis import Site
from tests.faults.plan import Step

TAMPERING = {
    "checkpoint delete": "DELETE FROM checkpoints",
    "snapshots delete": "DELETE FROM snapshots",
    "snapshots delete some": "DELETE FROM snapshots WHERE stream IN (SELECT stream FROM snapshots LIMIT 3)",
    "snapshots spoil": """
        UPDATE snapshots SET entity = '{"state": 7}' WHERE stream IN (SELECT stream FROM snapshots LIMIT 20)
    """,
    "snapshots forget where": "DELETE FROM resume_points",
    "snapshots spoil where": "UPDATE resume_points SET handled = 'spoilt'",
}


async def tamper(site: Site, step: Step) -> None:
    """Somebody is at the database of a context; then, in most cases, its worker has to live with it anew."""
    world, context = site.world, step.target
    at = time.time()
    rows = await asyncio.to_thread(_execute, world.address.postgres, context, f"{step.fault} {step.detail['how']}")
    name = world.worker_of(context)
    if step.detail.get("kill"):
        await world.kill(name)
        since = await world.again(name)
        site.note(step, at, since, rows=rows)
        await site.back(step, "worker", since, name)
    else:
        site.note(step, at, rows=rows)
        await site.back(step, "worker", time.time())


def _execute(url: str, context: str, how: str) -> int:
    with psycopg.connect(conninfo.make_conninfo(url, dbname=f"orderlog_{context}"), autocommit=True) as connection:
        return connection.execute(TAMPERING[how]).rowcount
