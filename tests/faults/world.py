"""World is a run whose processes can be hurt: our links stand between them, and each can be armed for its next life.

What a process reaches, and by which link:

    client → api
    worker → kafka, postgres, provider, smtp
    api    → kafka, postgres

The harness itself goes to the servers directly.
"""

import asyncio
import signal
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from rich.console import Console

from events.topics import PARTITIONS
from tests.faults.machine import small_disk
from tests.faults.proxy import Link
from workers.baskets import YEAR
from workers.local import ChildProcess
from workers.local.child import LOG_LIMIT
from workers.local.home import Home
from workers.local.kafka import LINKS
from workers.run import Plan, Run

ROLES = ("order", "product", "payment", "user", "notification")
LAYOUT = (("order",), ("product",), ("payment",), ("user", "notification"))
"""The contexts of each worker process."""

API = "api"
TARGETS = {
    "worker-kafka": "kafka",
    "worker-postgres": "postgres",
    "worker-provider": "provider",
    "worker-smtp": "smtp",
    "api-kafka": "kafka",
    "api-postgres": "postgres",
    "client-api": "api",
}
"""Every link, and what is behind it."""

MODULES = {"workers": "tests.faults.worker", "api": "tests.faults.api_worker"}
"""What processes are started with instead, so that they can be armed."""

SESSION_MS = 3000


CARDS = {"ORDERLOG_OVERDUE_SECONDS": "60", "ORDERLOG_CARD_SECONDS": "20"}
"""How long a customer has to name another card: whoever was cut off must not keep a run from its end."""


class World(Run):
    """Everything, started for the sake of breaking it. Methods that wait are awaited; they hold up nobody else."""

    def __init__(self, home: Path, console: Console, env: Mapping[str, str] | None = None) -> None:
        place = Home(home)
        home.mkdir(parents=True, exist_ok=True)
        ports = {name: place.port(name) for name in ("kafka", "controller", "postgres", "provider", "smtp", "api")}
        ways = {name: place.port(f"link-{name}") for name in TARGETS}
        # Kafka tells its clients where to go on: each way to it has a listener of its own that names the link's port.
        listeners = {name: place.port(f"listener-{name}") for name, behind in TARGETS.items() if behind == "kafka"}
        place.remember(LINKS, {name: [listeners[name], ways[name]] for name in listeners})
        behind = {name: listeners.get(name) or ports[target] for name, target in TARGETS.items()}
        self.links = {name: Link(name, ways[name], "127.0.0.1", behind[name]) for name in TARGETS}
        self.settings = {"ORDERLOG_SESSION_TIMEOUT_MS": str(SESSION_MS), **CARDS, **(env or {})}
        super().__init__(Plan(home, YEAR, api_port=ports["api"], workers=LAYOUT, env=self.settings), console)
        self._armed: dict[str, str] = {}
        self._marks: dict[str, int] = {}
        self._lives: dict[str, float] = {}
        self._busy: set[str] = set()
        self.deaths: list[dict[str, Any]] = []
        """Processes that ended without being asked to: a list that should stay empty."""

    @property
    def workers(self) -> list[str]:
        """The worker processes by name, without helpers."""
        return ["-".join(("worker", *contexts)) for contexts in LAYOUT]

    def worker_of(self, context: str) -> str:
        """The process that runs a context."""
        return next(name for name in self.workers if context in name.split("-"))

    def contexts_of(self, name: str) -> tuple[str, ...]:
        """The contexts that a worker process runs."""
        return tuple(word for word in name.split("-") if word in ROLES)

    @property
    def children(self) -> dict[str, int]:
        """The processes' numbers by name, without the servers."""
        return {name: child.pid for name, child in self._children.items()}

    @property
    def folder(self) -> Path:
        """Where everything of this run is written."""
        return self.plan.home

    def clock_of(self, name: str) -> Path:
        """The file with the seconds by which a process' clock is off."""
        return self.folder / f"{name}.clock"

    def way(self, name: str) -> str:
        """The address of a link, host:port."""
        return f"127.0.0.1:{self.links[name].port}"

    def give_small_disk(self) -> bool:
        """Give the broker a disk that can be filled up, until all is stopped; False where the machine forbids it."""
        if (away := small_disk(self.folder / "kafka" / "data", self.say)) is None:
            return False
        self._stack.callback(away)
        return True

    async def open_links(self) -> None:
        """Begin to pass bytes on; before this, nobody reaches anybody."""
        for link in self.links.values():
            await link.start()

    def close_links(self) -> None:
        """Stop it."""
        for link in self.links.values():
            link.close()

    def spawn(self, name: str, module: str, *words: object) -> ChildProcess:
        """As Run.spawn, with modules that can be armed."""
        return super().spawn(name, MODULES.get(module, module), *words)

    def env_of(self, name: str) -> dict[str, str]:
        """As Run.env_of: by the links, and armed if it has been."""
        ours = "worker" if name.startswith("worker") else "api"
        server = urlsplit(self.servers.postgres.url)
        ways = {
            "ORDERLOG_KAFKA": self.way(f"{ours}-kafka"),
            "ORDERLOG_POSTGRES": f"{server.scheme}://{server.username}@{self.way(f'{ours}-postgres')}{server.path}",
            "ORDERLOG_PROVIDER": f"http://{self.way('worker-provider')}",
            "ORDERLOG_SMTP": self.way("worker-smtp"),
            "ORDERLOG_TEST_CLOCK": str(self.clock_of(name)),
            "ORDERLOG_FAILPOINT_LOG": str(self.folder / "failpoints.log"),
        }
        armed = {"ORDERLOG_FAILPOINT": self._armed[name]} if self._armed.get(name) else {}
        return {**super().env_of(name), **ways, **armed}

    def arm(self, name: str, failpoint: str) -> None:
        """Arm a process' lives from the next one on; with nothing, no more."""
        self._armed[name] = failpoint

    def armed_with(self, name: str) -> str:
        """The failpoint that a process is armed with."""
        return self._armed.get(name, "")

    async def begin(self, name: str) -> float:
        """Start a process that has ended, or was never started; returns when (seconds since 1970)."""
        return await asyncio.to_thread(self._begin_marked, name)

    def _begin_marked(self, name: str) -> float:
        log = Home(self.folder).log(name)
        size = log.stat().st_size if log.exists() else 0
        self._marks[name] = 0 if size > LOG_LIMIT else size
        self._lives[name] = time.time()
        self._begin(name)
        return time.time()

    def began_at(self, name: str) -> float:
        """When (seconds since 1970) the present life of a process began; 0 for its first."""
        return self._lives.get(name, 0.0)

    async def kill(self, name: str) -> float:
        """End a process as a power cut would, and see to it that nobody starts it again; returns when it was."""
        self._busy.add(name)
        child, at = self.child(name), time.time()
        await asyncio.to_thread(child.kill)
        return at

    async def stop_gently(self, name: str) -> None:
        """Ask a process to end, and wait until it has."""
        self._busy.add(name)
        await asyncio.to_thread(self.child(name).stop)

    async def ended(self, name: str, seconds: float) -> bool:
        """Wait until a process has ended by itself; it is not started again before it is begun."""
        self._busy.add(name)
        deadline = time.monotonic() + seconds
        while self.child(name).poll() is None:
            if time.monotonic() > deadline:
                return False
            await asyncio.sleep(0.01)
        return True

    async def again(self, name: str) -> float:
        """Start what was ended on purpose; from now on it is looked after again."""
        began = await self.begin(name)
        self._busy.discard(name)
        return began

    async def second(self, name: str) -> str:
        """Start another process for the same contexts, and return its name."""
        other = f"{name}-second"
        self._commands[other] = self._commands[name]
        self._busy.add(other)
        await self.begin(other)
        return other

    async def dismiss(self, name: str, gently: bool = True) -> None:
        """End a second process and forget it."""
        child = self._children.pop(name)
        await asyncio.to_thread(child.stop if gently else child.kill)

    def pause(self, name: str) -> None:
        """Stop a process where it stands."""
        self._busy.add(name)
        self.child(name).signal(signal.SIGSTOP)

    def resume(self, name: str) -> None:
        """Let it go on, as if nothing had been."""
        self.child(name).signal(signal.SIGCONT)
        self._busy.discard(name)

    def claims(self, name: str) -> int:
        """Partitions that a process has claimed in this life."""
        with Home(self.folder).log(name).open("rb") as log:
            log.seek(self._marks.get(name, 0))
            return log.read().count(b" is ours, epoch ")

    async def claimed(self, name: str, seconds: float) -> float | None:
        """When (seconds since 1970) a process has claimed all partitions of its contexts; None if not in time."""
        wanted, deadline = PARTITIONS * len(self.contexts_of(name)), time.time() + seconds
        while self.claims(name) < wanted:
            if time.time() > deadline:
                return None
            await asyncio.sleep(0.02)
        return time.time()

    async def keep(self) -> None:
        """Start again what has ended without being asked to, as an orchestrator would, and note it; until cancelled."""
        while True:
            await asyncio.sleep(0.1)
            for name, child in list(self._children.items()):
                if name not in self._busy and (code := child.poll()) is not None:
                    self.deaths.append({"at": time.time(), "name": name, "code": code, "log": str(child.log)})
                    self.say(f"[red]{name} ended by itself with {code}[/]: {child.log}")
                    await self.begin(name)

    async def server(self, kind: str, number: signal.Signals | None = None) -> float:
        """End kafka or postgres, with a signal or at once; returns when it was."""
        at = time.time()
        child = self.servers.child(kind)
        if number is None:
            await asyncio.to_thread(child.kill)
        else:
            child.signal(number)
            await asyncio.to_thread(child.wait, 60)
        return at

    async def server_again(self, kind: str) -> float:
        """Start it again; returns when that began."""
        at = time.time()
        await asyncio.to_thread(self.servers.restart, kind)
        return at

    def _environment(self, address: Any, port: int) -> dict[str, str]:
        """As Run has it, without what the caller's shell may have set for us."""
        found = super()._environment(address, port)
        ours = {f"ORDERLOG_{name}" for name in ("BUG", "FAILPOINT", "FAILPOINT_LOG", "TEST_CLOCK")}
        return {name: value for name, value in found.items() if name not in ours or name in self.plan.env}
