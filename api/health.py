"""Health says whether the process lives; readiness, whether what it depends on answers and the views keep up."""

import asyncio
import time
from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter, Request, Response
from msgspec import Struct

from api.answers import reply
from api.openapi import gives
from api.problems import Problem
from api.system import System, in_time, of
from events.errors import LogError
from events.log import Place
from events.topics import PARTITIONS, events
from projections.postgres import DatabaseUnavailable
from projections.registry import CHECKPOINTS
from schemas.version import this_version

router = APIRouter(tags=["operations"])

PATIENCE = 0.5
"""Seconds that each check may take."""
FRESH = 1.0
"""Seconds that an answer serves everybody who asks."""
MAX_LAG = 10_000
"""Records that a context's views may be behind."""

Ends = dict[str, list[int]]


class Readiness(Struct, frozen=True):
    """What was found: checks by name, and the reasons not to be ready."""

    checks: dict[str, Any]
    reasons: list[str]


class Probe:
    """Looks at what a system depends on, at most once a second however many ask."""

    def __init__(self, system: System) -> None:
        self._system = system
        self._lock = asyncio.Lock()
        self._until, self._found = 0.0, Readiness({}, [])
        self._asking: asyncio.Task[Ends | None] | None = None

    async def look(self) -> Readiness:
        """What is so now, or was a second ago."""
        async with self._lock:
            if time.monotonic() > self._until:
                self._found = await self._look()
                self._until = time.monotonic() + FRESH
            return self._found

    async def _look(self) -> Readiness:
        asking = asyncio.gather(*map(self._marks, self._system.contexts))
        ends, marks = await asyncio.gather(self._ends(), asking)
        checks: dict[str, Any] = {"log": {"ok": ends is not None}}
        reasons = [] if ends is not None else ["log: no answer"]
        for context, found in zip(self._system.contexts, marks, strict=True):
            lag = _lag(ends[context], found) if ends is not None and found is not None else None
            behind = sum((lag or {}).values())
            checks[context] = {"ok": found is not None and behind <= MAX_LAG, "lag": lag}
            if found is None:
                reasons.append(f"{context}: the database gives no answer")
            elif behind > MAX_LAG:
                reasons.append(f"{context}: the read model is {behind} records behind")
        return Readiness(checks, reasons)

    async def _ends(self) -> Ends | None:
        """Every partition's end. One question at a time: a log that does not answer is not asked again meanwhile."""
        if self._asking is None or self._asking.done():
            self._asking = asyncio.create_task(self._ask_ends())
        await asyncio.wait({self._asking}, timeout=PATIENCE)
        return self._asking.result() if self._asking.done() else None

    async def _ask_ends(self) -> Ends | None:
        log, contexts = self._system.log, self._system.contexts
        places = [Place(events(context), partition) for context in contexts for partition in range(PARTITIONS)]
        if not places:
            return {}
        try:
            await log.bounds(places[0])  # connects; the others share the connection
            bounds = iter(await asyncio.gather(*map(log.bounds, places)))
        except LogError:
            return None
        return {context: [next(bounds)[1] for _ in range(PARTITIONS)] for context in contexts}

    async def _marks(self, context: str) -> dict[int, int] | None:
        """How far the context's read model has come."""
        try:
            rows = await in_time(self._system.databases[context].fetch(CHECKPOINTS), PATIENCE)
        except DatabaseUnavailable:
            return None
        return {row["partition"]: row["next"] for row in rows}


def _lag(ends: list[int], marks: Mapping[int, int]) -> dict[str, int]:
    # The ends and the marks were not read in the same moment.
    return {str(partition): max(0, end - marks.get(partition, 0)) for partition, end in enumerate(ends)}


@router.get("/health", **gives("Health"))
async def health(request: Request) -> Response:
    """The process is there; it asks nobody else."""
    system = of(request)
    uptime = round(time.monotonic() - system.started, 1)
    return reply({"status": "ok", "version": this_version(), "contexts": system.contexts, "uptime_seconds": uptime})


@router.get("/ready", **gives("Ready"))
async def ready(request: Request) -> Response:
    """The log and the databases answer, and the read models are not far behind; else 503 with the reasons."""
    probe: Probe = request.app.state.probe
    found = await probe.look()
    if found.reasons:
        raise Problem("NotReady", "; ".join(found.reasons), reasons=found.reasons, checks=found.checks)
    return reply({"status": "ready", "checks": found.checks})
