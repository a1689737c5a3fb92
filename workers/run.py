"""Run is one command's worth of everything: servers, processes, a catalogue, real orders, and an account of it all."""

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from pathlib import Path

from msgspec import Struct
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from schemas.settings import Settings
from workers import account, apart
from workers.baskets import Baskets, Loaded, Window
from workers.local import ChildProcess, LauncherError, Servers, push_keys
from workers.local import Progress as Fetching
from workers.local.home import Home, is_free
from workers.post import PUSHES, SMS
from workers.shop import Shop
from workers.steps import Moments, settle, walk

SOON = 90.0
"""Seconds that processes have to be ready, and orders to settle."""

NO_LIMIT = 1_000_000
"""Requests a minute, for the account's own client sends a day of orders in one."""
MAIL_SECRET = "development"  # noqa: S105  of a run on this machine
_SERVICES: str = Settings.model_fields["push_services"].default
PATIENT = {"mailbox": 10, "worker-notification": 10}
"""Processes that wait while others have something to do, as nice(1) has it: nobody waits for a mail as for an order."""


class Plan(Struct, frozen=True):
    """What is to be run: whose data, which baskets, how fast (orders a second), how many fail on purpose.

    `workers` are the contexts of each worker process, an empty one having all; `apart` gives each context a service of
    its own, behind the gateway; `env` adds to the environment. The API listens on `api_port` if it is free, or on any.
    """

    home: Path
    window: Window
    rate: float = 60.0
    scarcity: float = 0.004
    declined: float = 0.02
    api_port: int = 0
    workers: tuple[tuple[str, ...], ...] = (("order", "product", "payment", "user"), ("notification",))
    apart: bool = False
    env: dict[str, str] = {}


class Address(Struct, frozen=True):
    """Where everything listens."""

    api: str
    provider: str
    smtp: str
    kafka: str
    postgres: str


class Run:
    """Everything, started; leaving the context stops all that was started here."""

    def __init__(self, plan: Plan, console: Console) -> None:
        self.plan, self.console = plan, console
        self._stack = ExitStack()
        self._children: dict[str, ChildProcess] = {}
        self._commands: dict[str, list[str]] = {}
        self._own: dict[str, dict[str, str]] = {}
        self.began = time.monotonic()

    def __enter__(self) -> "Run":
        try:
            self.address = self._start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.console.print("\nStopping what was started here …")
        self.stop()

    def stop(self) -> None:
        """Stop the processes, then the servers."""
        for child in self._children.values():
            child.ask_to_stop()
        for child in self._children.values():
            child.stop()
        self._stack.close()

    def say(self, text: str) -> None:
        """One line about a stage, with the time since the beginning."""
        self.console.print(f"[dim]{time.monotonic() - self.began:6.1f} s[/dim]  {text}", highlight=False)

    def died(self) -> ChildProcess | None:
        """A process that has ended by itself, if any."""
        return next((child for child in self._children.values() if child.poll() is not None), None)

    def spawn(self, name: str, module: str, *words: object) -> ChildProcess:
        """Start one of our modules as a process; one of the same name that has ended is replaced."""
        self._commands[name] = [sys.executable, "-m", module, *map(str, words)]
        return self._begin(name)

    def mend(self) -> None:
        """Start again what has ended by itself, as an orchestrator would, and say so."""
        for name, child in list(self._children.items()):
            if (code := child.poll()) is not None:
                self._begin(name)
                self.say(f"{name} ended with {code} and was started again; its log: {child.log}")

    def _begin(self, name: str) -> ChildProcess:
        command = self._commands[name]
        self._children[name] = ChildProcess(
            command, name=name, home=self.plan.home, env=self.env_of(name), nice=PATIENT.get(name, 0)
        )
        return self._children[name]

    def env_of(self, name: str) -> dict[str, str]:
        """The environment of a process that is about to be started."""
        return {**self._env, **self._own.get(name, {})}

    @property
    def services(self) -> list[str]:
        """The URLs of contexts that run apart, behind the gateway."""
        return [self._url_of(name) for name in self._own if name != "api"]

    def _url_of(self, service: str) -> str:
        return f"http://127.0.0.1:{self._own[service]['ORDERLOG_API_PORT']}"

    def shop(self) -> Shop:
        """A client of the gateway that works here: it lists, ships and refunds."""
        words = [sys.executable, "-m", "api.locksmith", "token", "--role", "staff", "--role", "operator"]
        made = subprocess.run(words, env=self._env, capture_output=True, text=True, check=True)  # noqa: S603
        return Shop(self.address.api, made.stdout.strip())

    def child(self, name: str) -> ChildProcess:
        """A process that was started here."""
        return self._children[name]

    @property
    def pids(self) -> dict[str, int]:
        """The processes that were started here, by name."""
        found = {name: child.pid for name, child in self._children.items()}
        return found | {
            server.kind: server.pid
            for server in (self.servers.kafka, self.servers.postgres)
            if server.pid and server.started_by_us
        }

    def watch(self) -> None:
        """Stay until interrupted."""
        while True:
            time.sleep(0.3)
            self.mend()

    def _start(self) -> Address:
        with self._fetching() as fetching:
            servers = self._stack.enter_context(Servers.start(self.plan.home, self.say, fetching))
        self.servers = servers
        home = Home(self.plan.home)
        provider, smtp = home.port("provider"), home.port("smtp")
        wanted = self.plan.api_port
        api = wanted if wanted and is_free(wanted) else home.port("api")
        address = Address(
            f"http://127.0.0.1:{api}",
            f"http://127.0.0.1:{provider}",
            f"127.0.0.1:{smtp}",
            servers.kafka.url,
            servers.postgres.url,
        )
        if self.plan.apart:
            self._own = apart.environments(home)
        self._env, folder = self._environment(address, api), self.plan.home
        files = ("--ledger", folder / "ledger.jsonl", "--sms", folder / SMS, "--push", (folder / PUSHES).parent)
        self.spawn("provider", "api.stub", "--port", provider, *files)
        reports = ("--reports", f"{address.api}/api/notifications/reports/mail", "--secret", MAIL_SECRET)
        self.spawn("mailbox", "workers.mailbox", "--port", smtp, "--folder", folder / "mailbox", *reports)
        for contexts in self.plan.workers:
            self.spawn("-".join(("worker", *contexts)), "workers", "worker", "--contexts", ",".join(contexts))
        for service in self._own or ("api",):
            self.spawn(service, "api")
        api_is = "a service a context behind the gateway" if self.plan.apart else "the API"
        self.say(f"Started the payment provider (stub), a mailbox, phones, the workers and {api_is} on {address.api}")
        return address

    def _environment(self, address: Address, port: int) -> dict[str, str]:
        ours = {
            "KAFKA": address.kafka,
            "POSTGRES": address.postgres,
            "HOME": str(self.plan.home.absolute()),
            "PROVIDER": address.provider,
            "SMTP": address.smtp,
            "API_PORT": str(port),
            "KEYS_URL": self._url_of("api-user") if self.plan.apart else address.api,
            "INSIDE": "open",  # it is bound to loopback
            "RATE_STAFF": str(NO_LIMIT),
            "LOGIN_UNVERIFIED": "true",
            "MAIL_REPORT_SECRET": MAIL_SECRET,
            "PUBLIC_URL": f"{address.api}/api",
            "TWILIO_ACCOUNT": "AC-development",
            "TWILIO_TOKEN": "development",
            "TWILIO_SENDER": "+15005550006",
            "TWILIO_URL": address.provider,
            **push_keys.settings_of((self.plan.home / PUSHES).parent, address.provider, _SERVICES),
        }
        return {**os.environ, **{f"ORDERLOG_{name}": value for name, value in ours.items()}, **self.plan.env}

    @contextmanager
    def _fetching(self) -> Iterator["Bars"]:
        with Bars(self.console) as bars:
            yield bars


class Bars:
    """Progress bars, one a stage."""

    def __init__(self, console: Console) -> None:
        columns = (TextColumn("          {task.description}"), BarColumn(24), MofNCompleteColumn(), TimeElapsedColumn())
        self._progress = Progress(*columns, TextColumn("{task.fields[note]}"), console=console)
        self._tasks: dict[str, TaskID] = {}

    def __enter__(self) -> "Bars":
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def __call__(self, fetched: Fetching) -> None:
        """Show how far the launcher has come with what it fetches."""
        self.at(fetched.what, fetched.done, fetched.total, f"{fetched.megabytes:.1f} MB")

    def at(self, what: str, done: float, total: float, note: str = "") -> None:
        """Show how far something has come."""
        if what not in self._tasks:
            self._tasks[what] = self._progress.add_task(what, total=total, note=note)
        self._progress.update(self._tasks[what], completed=done, total=total, note=note)


async def story(run: Run) -> bool:
    """Load, order, settle, walk some orders to their ends, and tell; True if all is settled and the money is right."""
    shop = run.shop()
    try:
        began = time.monotonic()
        await ready(run)
        run.say(f"Ready after {time.monotonic() - began:.1f} s: every database answers, every view is up to date")
        async with _mending(run):
            moments = Moments()
            loaded = Baskets.from_wheel().load(run.plan.window, run.plan.scarcity, run.plan.declined)
            if await _known(shop, loaded):
                run.say(
                    f"Found its {len(loaded.orders)} orders from before, and places none; `make clean` forgets them"
                )
            else:
                await _trade(run, shop, loaded, moments)
            await settle(shop, SOON)
            return await account.tell(run.console, run.address, run.plan.home, shop, moments, run.plan.apart)
    finally:
        await shop.close()


@asynccontextmanager
async def _mending(run: Run) -> AsyncIterator[None]:
    async def mend() -> None:
        while True:
            await asyncio.sleep(0.3)
            run.mend()

    task = asyncio.create_task(mend())
    try:
        yield
    finally:
        task.cancel()


async def ready(run: Run) -> None:
    """Wait until the API, and each context that runs apart, says that everything is there."""
    waiting = asyncio.create_task(_all_ready([run.address.api, *run.services]))
    while not waiting.done():
        await asyncio.wait([waiting], timeout=0.2)
        if dead := run.died():
            waiting.cancel()
            raise LauncherError(f"the {dead.name} process ended by itself; its log: {dead.log}")
    await waiting


async def _all_ready(urls: Iterable[str]) -> None:
    for url in urls:
        async with Shop(url) as shop:
            await shop.until_ready(SOON)


async def _known(shop: Shop, loaded: Loaded) -> bool:
    """Whether this window has been ordered before."""
    if not loaded.orders:
        return False
    last = loaded.orders[-1]
    found = shop.pages("/api/orders", customer_id=last.customer_id)
    return any([row["order_id"] == last.order_id async for row in found])


async def _trade(run: Run, shop: Shop, loaded: Loaded, moments: Moments) -> None:
    tally = loaded.tally
    run.say(
        f"{len(loaded.orders)} baskets of {run.plan.window.start:%A %d %B %Y}: {tally.lines} lines of "
        f"{len(loaded.products)} products, {tally.cents / 100:,.2f} USD; "
        f"left out: {tally.skipped.total()} lines without quantity or value, {tally.empty} baskets empty without them"
    )
    with Bars(run.console) as bars:
        listed = 0

        def done(count: int) -> None:
            nonlocal listed
            listed += count
            bars.at("listing products", listed, len(loaded.products))

        began = time.monotonic()
        await shop.offer(loaded.products, done)
        await moments.until_listed(shop, len(loaded.products), SOON)
        run_s = time.monotonic() - began
        await moments.place(shop, loaded.orders, run.plan.rate, bars.at)
    run.say(f"Listed {len(loaded.products)} products in {run_s:.1f} s, placed {len(loaded.orders)} orders")
    await settle(shop, SOON)
    await walk(shop, loaded.orders, run.say)
