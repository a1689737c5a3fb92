"""The nemesis carries the plan out, step by step, and measures how long the system needs to get over each."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx2

from schemas.client import Problem
from tests.faults.lines import Lines
from tests.faults.load_client import Client
from tests.faults.load_watch import Watch
from tests.faults.plan import Step
from tests.faults.world import SESSION_MS, World
from workers.shop import Shop

LIMITS = {"worker": SESSION_MS / 1000 + 3, "api": 3.0, "postgres": 10.0, "kafka": 30.0}
"""Seconds within which each is to be back at work."""

BREAKER_SECONDS = 35.0
"""Seconds after trouble with the provider in which no recovery is a fair measure: its breaker may be open."""

PATIENCE = 60.0
"""Seconds after which nobody waits for it any more."""

Fault = Callable[["Site", Step], Awaitable[None]]


class Site:
    """Where faults are done: the world, what shows that it works again, and the books in which all of it is noted."""

    def __init__(self, world: World, client: Client, watch: Watch, shop: Shop, folder: Path) -> None:
        self.world, self.client, self.watch, self.shop = world, client, watch, shop
        self.faults, self.poison = Lines(folder / "faults.jsonl"), Lines(folder / "poison.jsonl")
        self.recovery = Lines(folder / "recovery.jsonl")
        self.crowded = ""
        """What goes on beside the present step, if anything: recovery is then no fair measure."""
        self.provider_hurt = 0.0
        """When (seconds since 1970) the way to the provider was last broken: it is asked again after half a minute."""
        self.missed: list[str] = []
        """Failpoints that were armed and never reached."""

    def note(self, step: Step, at: float, until: float | None = None, **detail: Any) -> None:
        """Write down what was done."""
        said = {**step.detail, **detail}
        if "provider" in f"{step.fault} {step.target}":
            self.provider_hurt = until or at
        self.faults.write({"at": at, "until": until, "fault": step.fault, "target": step.target, "detail": said})

    async def back(self, step: Step, kind: str, since: float, worker: str = "") -> None:
        """Wait until work goes on, and note how long after `since` (seconds since 1970) that was.

        A worker is back once it has claimed all partitions and an order placed since is confirmed; the API once a
        request sent since is answered with a yes; a server once an order placed since is confirmed, for Postgres in
        the read model too.
        """
        claimed = await self.world.claimed(worker, PATIENCE) if worker else None
        if kind == "api":
            done = await self._answered(since)
        else:
            done = await self.watch.confirmed_after(since, PATIENCE)
        if kind == "postgres" and done:
            done = await self._shown(self.watch.newest_order, since)
        beside = self.crowded or ("provider" if since - self.provider_hurt < BREAKER_SECONDS else "")
        line = {"at": since, "fault": step.fault, "target": step.target, "kind": kind, "beside": beside}
        seconds = None if done is None or (worker and claimed is None) else max(done, claimed or 0.0) - since
        self.recovery.write({**line, "seconds": seconds, "claimed": claimed and claimed - since, "limit": LIMITS[kind]})
        if seconds is None:
            self.world.say(f"[red]not back within {PATIENCE:.0f} s[/] after {step.fault} of {step.target}")

    async def _shown(self, order_id: str, since: float) -> float | None:
        """When the read model shows an order that is confirmed in the log."""
        while time.time() < since + PATIENCE:
            with suppress(Problem, httpx2.HTTPError):
                if (await self.shop.get(f"/orders/{order_id}"))["confirmed_at"]:
                    return time.time()
            await asyncio.sleep(0.02)
        return None

    async def _answered(self, since: float) -> float | None:
        while self.client.newest_ok < since:
            if time.time() > since + PATIENCE:
                return None
            await asyncio.sleep(0.01)
        return time.time()

    def close(self) -> None:
        """Close the books."""
        for book in (self.faults, self.poison, self.recovery):
            book.close()


class Nemesis:
    """Carries steps out with the faults that there are, by name."""

    def __init__(self, site: Site, faults: dict[str, Fault]) -> None:
        self._site, self._faults = site, faults
        self.done = 0

    async def run(self, steps: Sequence[Step], seconds: float) -> None:
        """One step after the other, none before its time, none begun after so many seconds."""
        began, last = time.monotonic(), 0.0
        for step in steps:
            await asyncio.sleep(max(0.0, last + step.after - time.monotonic()))
            last = time.monotonic()
            if last - began > seconds:
                self._site.world.say(f"[yellow]the time is over[/]: {len(steps) - self.done} steps are left out")
                return
            await self._step(step)
            self.done += 1

    async def _step(self, step: Step) -> None:
        self._site.world.say(told(step))
        self._site.crowded = step.beside.fault if step.beside else ""
        works = [self._faults[each.fault](self._site, each) for each in (step, step.beside) if each]
        await asyncio.gather(*works)


def told(step: Step) -> str:
    """A step in a line."""
    said = " ".join((step.fault, step.target, *(f"{name}={value}" for name, value in step.detail.items())))
    return f"{said}, beside {told(step.beside)}" if step.beside else said
