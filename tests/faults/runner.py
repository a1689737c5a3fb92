"""The runner makes one run: a world, its customers, its nemesis; then it heals all, waits, and asks the checker."""

import asyncio
import contextlib
import sys
import time
from pathlib import Path
from typing import Any

from msgspec import Struct, json, to_builtins
from rich.console import Console

from tests.faults import nemesis_links, nemesis_poison, nemesis_processes, nemesis_servers, nemesis_state, report
from tests.faults.failpoints import NAMES
from tests.faults.lines import Lines
from tests.faults.load import Load
from tests.faults.load_client import Client
from tests.faults.load_script import Script
from tests.faults.load_watch import Watch
from tests.faults.minimum import minimum
from tests.faults.nemesis import Fault, Nemesis, Site
from tests.faults.plan import Step, make
from tests.faults.settle import heal, settled
from tests.faults.world import World
from tests.system.house import shop_of
from workers.steps import Moments

FAULTS: dict[str, Fault] = {
    "kill": nemesis_processes.kill,
    "stop": nemesis_processes.stop,
    "rebalance": nemesis_processes.rebalance,
    "clock": nemesis_processes.clock,
    "failpoint": nemesis_processes.failpoint,
    "chain": nemesis_processes.chain,
    "broker-kill": nemesis_servers.server,
    "postgres-immediate": nemesis_servers.server,
    "postgres-fast": nemesis_servers.server,
    "postgres-backends": nemesis_servers.backends,
    "disk-full": nemesis_servers.disk_full,
    "provider-mode": nemesis_links.provider,
    "mail-mode": nemesis_links.mail,
    "cut": nemesis_links.link,
    "delay": nemesis_links.link,
    "slow": nemesis_links.link,
    "lose-answer": nemesis_links.link,
    "checkpoint": nemesis_state.tamper,
    "snapshots": nemesis_state.tamper,
    "poison": nemesis_poison.drops,
    "flood": nemesis_poison.flood,
}

OVERTIME = 300.0
"""Seconds for which orders may come after the time for faults is over: what was hurt last must show that it is back."""


class Asked(Struct, frozen=True):
    """What a run is to be: at least so many orders at so many a second, so many kills and stops `spacing` s apart."""

    seed: int
    orders: int = 200
    rate: float = 10.0
    kills: int = 5
    minutes: float = 8.0
    spacing: float = 6.0
    failpoints: tuple[str, ...] = ()
    bug: str = ""
    baskets: int = 150
    soak: bool = False
    patience: float = 180.0
    """Seconds that settling is waited for, to see whether it ever comes; 60 are allowed."""

    @property
    def command(self) -> str:
        """The command that does it again."""
        named = ("seed", "orders", "rate", "kills", "spacing", "minutes", "baskets", "bug")
        words = [f"--{name} {value}" for name in named if (value := getattr(self, name)) != ""]
        points = ("all",) if self.failpoints == tuple(NAMES) else self.failpoints
        words += [f"--failpoint {name}" for name in points]
        return " ".join(["python -m tests.faults run", *words, *(["--soak"] if self.soak else [])])


def prepare(asked: Asked, folder: Path) -> list[Step]:
    """The plan, written into the run's folder before anything happens."""
    steps = make(asked.seed, asked.kills, asked.spacing, asked.failpoints, asked.soak)
    save_plan(steps, folder)
    return steps


def save_plan(steps: list[Step], folder: Path) -> None:
    """Write what will be done."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "plan.json").write_bytes(json.format(json.encode(steps)))


async def run(asked: Asked, steps: list[Step], folder: Path, console: Console) -> int:
    """Do it, in this folder; 0 if all promises were held, 1 if one was not, 2 if nobody can tell."""
    env = {"ORDERLOG_BUG": asked.bug} if asked.bug else {}
    world = World(folder / "home", console, env)
    if asked.soak and not world.give_small_disk():
        steps = [step for step in steps if step.fault != "disk-full"]
    await world.open_links()
    try:
        await asyncio.to_thread(world.__enter__)
        said = await _play(world, asked, steps, folder)
        return await _judge(folder, said, console)
    finally:
        await asyncio.to_thread(world.stop)
        world.close_links()


async def _play(world: World, asked: Asked, steps: list[Step], folder: Path) -> dict[str, Any]:
    """The run itself; what there is to know of it, as evidence.json has it."""
    history, shop = Lines(folder / "history.jsonl"), shop_of(world)
    client = Client(f"http://{world.way('client-api')}", history)
    keeping = asyncio.create_task(world.keep())
    watch: Watch | None = None
    said = _evidence(world, asked, folder)
    try:
        await shop.until_ready(90)
        watch = Watch(world.address.kafka, client.placed)
        site = Site(world, client, watch, shop, folder)
        load = Load(Script(asked.seed, asked.baskets), client, watch, asked.rate)
        listed = await load.list_products()
        await Moments().until_listed(shop, listed, 60)
        world.say(f"{listed} products are listed; orders come at {asked.rate:g} a second")
        loading = asyncio.create_task(load.run(asked.orders, asked.minutes * 60 + OVERTIME))
        await Nemesis(site, FAULTS).run(steps, asked.minutes * 60)
        load.enough()
        await heal(site)
        await loading
        said |= {"healed_at": time.time(), "missed_failpoints": site.missed, "deaths": world.deaths}
        world.say(f"{load.placed} orders were placed; all is healed. Requests: {dict(client.outcomes)}")
        _save(folder, said)
        at, left = await settled(site, shop, asked.patience)
        seconds = None if at is None else round(at - said["healed_at"], 2)
        said |= {"settled_at": at, "left": left, "late_s": round(load.late, 3), "orders": load.placed}
        said |= {"deaths": world.deaths, "settled_s": seconds, "links": _links(world)}
        world.say(f"Settled after {seconds} s" if at else f"[red]Not settled[/] after {asked.patience:.0f} s: {left}")
        _save(folder, said)
        site.close()
        return said
    finally:
        keeping.cancel()
        if watch is not None:
            await asyncio.to_thread(watch.close)
        with contextlib.suppress(Exception):
            await client.close()
        await shop.close()
        history.close()


def _evidence(world: World, asked: Asked, folder: Path) -> dict[str, Any]:
    """What is known at the beginning; saved at once, so that a run that is cut can still be judged."""
    said = {
        "kafka": world.address.kafka,
        "postgres": world.address.postgres,
        "ledger": str(world.folder / "ledger.jsonl"),
        "mail": str(world.folder / "mailbox"),
        "seed": asked.seed,
        "began": time.time(),
        "healed_at": None,
        "settled_at": None,
        "minimum": minimum(asked.orders, asked.kills, asked.failpoints),
        "asked": to_builtins(asked),
        "command": asked.command,
    }
    _save(folder, said)
    return said


def _links(world: World) -> dict[str, Any]:
    return {name: {"connections": link.connections, "lost": link.lost} for name, link in world.links.items()}


def _save(folder: Path, said: dict[str, Any]) -> None:
    fresh = folder / "evidence.new"
    fresh.write_bytes(json.format(json.encode(said)))
    fresh.replace(folder / "evidence.json")


async def _judge(folder: Path, said: dict[str, Any], console: Console) -> int:
    """Ask the checker, which is a program of its own."""
    command = [sys.executable, "-m", "tests.faults.checker", "both", str(folder)]
    checker = await asyncio.create_subprocess_exec(*command)
    code = await checker.wait()
    report.show(folder, console)
    if code == 0 and said["missed_failpoints"]:
        console.print(f"[red]Inconclusive[/]: never reached: {', '.join(said['missed_failpoints'])}")
        code = 2
    return code
