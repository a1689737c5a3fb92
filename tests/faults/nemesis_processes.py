"""What is done to processes: killed, stopped, joined by a second one, given another clock, killed at a failpoint."""

import asyncio
import time
from pathlib import Path

from tests.faults.lines import read
from tests.faults.nemesis import LIMITS, PATIENCE, Site, told
from tests.faults.plan import HOMES, SESSION, Step, spec_of
from tests.faults.world import API, World

REACHED, ELSEWHERE = 45.0, 15.0
"""Seconds in which an armed failpoint must be reached, while orders come: where it is expected, and elsewhere."""

SHARED = ("reaction.appended",)
"""Moments that come only where several processes share a context's partitions."""


async def kill(site: Site, step: Step) -> None:
    """kill -9, and started again, after a while or at once."""
    world, name = site.world, step.target
    at = await world.kill(name)
    await asyncio.sleep(step.detail.get("down", 0.0))
    since = await world.again(name)
    site.note(step, at, since)
    if name == API:
        await site.back(step, "api", since)
    elif name in world.workers:
        await site.back(step, "worker", since, name)


async def stop(site: Site, step: Step) -> None:
    """SIGSTOP and, some seconds later, SIGCONT; another process may have taken its place meanwhile."""
    world, name = site.world, step.target
    at = time.time()
    world.pause(name)
    second = await world.second(name) if step.detail.get("replaced") else ""
    await asyncio.sleep(step.seconds)
    if second:
        await world.claimed(second, SESSION + LIMITS["worker"])
    world.resume(name)
    since = time.time()
    site.note(step, at, since, second=second)
    await site.back(step, "api" if name == API else "worker", since)
    if second:
        await world.dismiss(second, gently=False)


async def rebalance(site: Site, step: Step) -> None:
    """A second process of the same contexts joins, works for a while, and leaves: in due form or by kill -9."""
    world, at = site.world, time.time()
    second = await world.second(step.target)
    await asyncio.sleep(step.seconds)
    await world.dismiss(second, gently=bool(step.detail.get("gently")))
    since = time.time()
    site.note(step, at, since)
    await site.back(step, "worker", since)


async def clock(site: Site, step: Step) -> None:
    """A process' clock is off for a while."""
    file, at = site.world.clock_of(step.target), time.time()
    write_clock(file, step.detail["offset"])
    await asyncio.sleep(step.seconds)
    write_clock(file, 0)
    site.note(step, at, time.time())


def write_clock(file: Path, offset: float) -> None:
    """Whole or not at all: it is read at any moment."""
    fresh = file.with_suffix(".new")
    fresh.write_text(str(offset))
    fresh.replace(file)


async def failpoint(site: Site, step: Step) -> None:
    """A process ends or stops itself at a moment named in the code; it is helped up, armed with the next moment."""
    expected = step.detail["process"]
    only = expected == API or step.target.partition(".")[0] in HOMES
    others = [] if only else [name for name in site.world.workers if name != expected]
    for name in (expected, *others):
        if await _fire(site, step, name, REACHED if name == expected else ELSEWHERE):
            return
    site.missed.append(spec_of(step))
    site.world.say(f"[red]{step.target} was never reached[/]")


async def chain(site: Site, step: Step) -> None:
    """One failpoint after the other."""
    for each in step.chain:
        site.world.say(told(each))
        await failpoint(site, each)


async def _fire(site: Site, step: Step, name: str, seconds: float) -> bool:
    """Whether the moment came in this process."""
    world = site.world
    partner = await world.second(name) if step.target in SHARED else ""
    if world.armed_with(name) != spec_of(step):
        await world.stop_gently(name)
        world.arm(name, spec_of(step))
        await world.begin(name)
    deadline = time.monotonic() + seconds
    while not (fired := _fired(world, step, name)) and time.monotonic() < deadline:
        await asyncio.sleep(0.02)
    if fired and step.detail["action"] == "stop":
        await _wake_late(site, step, name, fired)
    elif fired:
        await world.ended(name, PATIENCE)
        following = step.detail.get("next", "") if name == step.detail["process"] else ""
        world.arm(name, following)
        since = await (world.begin(name) if following else world.again(name))
        site.note(step, fired, since, process=name)
    else:
        world.arm(name, "")
        await world.stop_gently(name)
        await world.again(name)
    if partner:
        await world.dismiss(partner)
    return bool(fired)


async def _wake_late(site: Site, step: Step, name: str, at: float) -> None:
    """It has stopped: another takes its place, and then it goes on where it was."""
    world = site.world
    second = await world.second(name)
    await world.claimed(second, SESSION + LIMITS["worker"])
    world.resume(name)
    since = time.time()
    site.note(step, at, since, process=name, second=second)
    await site.back(step, "worker", since)
    await world.dismiss(second)
    world.arm(name, "")
    await world.stop_gently(name)
    await world.again(name)


def _fired(world: World, step: Step, name: str) -> float:
    """When (seconds since 1970) it fired in the present life of a process; 0 if it has not yet."""
    wanted = {"failpoint": step.target, "action": step.detail["action"]}
    for line in read(world.folder / "failpoints.log"):
        if wanted.items() <= line.items() and line["at"] >= world.began_at(name):
            return float(line["at"])
    return 0.0
