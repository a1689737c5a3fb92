"""The command line `orders`: run all of it here, run a part of it, look at what happened."""

import asyncio
import logging
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar, NoReturn

import typer
from msgspec import structs
from rich.console import Console

from schemas.settings import CONTEXTS, Settings
from workers.lazily import Lazily
from workers.loop import collect_seldom

if TYPE_CHECKING:
    from workers.run import Plan


class Orders(Lazily):
    """The commands that stand in files of their own."""

    places: ClassVar = {
        "audit": "workers.operator.audit:audit",
        "status": "workers.operator.status:status",
        "consumers": "workers.operator.consumers:consumers",
        "doctor": "workers.operator.doctor:doctor",
        "split": "workers.operator.split:split",
        "explain": "workers.analyst.explain:explain",
        "query": "workers.analyst.query:query",
        "replay": "workers.analyst.replay:replay",
        "at": "workers.analyst.at:at",
        "sandbox": "workers.analyst.sandbox:app",
        "what-if": "workers.analyst.what_if:what_if",
        "topics": "workers.operator.topics:app",
        "projections": "workers.operator.projections:app",
        "log": "workers.operator.log:app",
        "snapshots": "workers.operator.snapshots:app",
        "dead-letters": "workers.operator.dead_letters:app",
    }


cli = typer.Typer(cls=Orders, no_args_is_help=True, add_completion=False, help=__doc__, pretty_exceptions_enable=False)

FIRST_DAY = datetime(2017, 10, 10)  # noqa: DTZ001  a day of the data, not a moment
LOG_FORMAT = "%(asctime)s %(levelname)-7s %(name)s: %(message)s"


@cli.callback()
def orders() -> None:
    """An event-sourced, choreography-driven order backend."""


@cli.command()
def worker(
    contexts: Annotated[str, typer.Option(help=f"contexts to run, comma separated: {', '.join(CONTEXTS)}")] = "",
) -> None:
    """Run the workers of some contexts, or of all, until told to stop."""
    logging.basicConfig(level=logging.INFO, format=LOG_FORMAT)
    logging.getLogger("httpx2").setLevel(logging.WARNING)
    settings = Settings() if not contexts else Settings(contexts=contexts)
    try:
        settings.chosen()
        settings.pausing()
    except ValueError as unknown:
        raise typer.BadParameter(str(unknown), param_hint="--contexts") from None
    from workers.process import Process

    # Faust reads in threads of its own; at the default of 5 ms each of them could hold up a commit for so long.
    sys.setswitchinterval(0.0005)
    raise typer.Exit(Process(settings).run())


Home = Annotated[Path, typer.Option(help="folder for all that a run writes", envvar="ORDERLOG_HOME")]
Day = Annotated[datetime, typer.Option("--from", help="first day of baskets to order", formats=["%Y-%m-%d"])]
Until = Annotated[datetime | None, typer.Option("--to", help="day after the last", formats=["%Y-%m-%d"])]
Count = Annotated[int | None, typer.Option("--orders", help="at most so many orders", min=1)]
Rate = Annotated[float, typer.Option(help="orders placed a second", min=0.1, max=1000)]
Scarcity = Annotated[float, typer.Option(help="share of products with too little stock", min=0, max=1)]
Declined = Annotated[float, typer.Option(help="share of cards that are declined", min=0, max=1)]
Apart = Annotated[bool, typer.Option("--apart", help="each context a worker and a service of its own")]
Port = Annotated[int, typer.Option(help="the API's port; another if it is taken", min=1, max=65535)]


@cli.command()
def run(
    start: Day = FIRST_DAY,
    to: Until = None,
    orders: Count = None,
    rate: Rate = 20.0,
    scarcity: Scarcity = 0.004,
    declined: Declined = 0.02,
    port: Port = 8080,
    home: Home = Path(".orderlog"),
    apart: Apart = False,
) -> None:
    """Start everything here, put real orders through it, tell what happened, and stay up until Ctrl-C."""
    _run(_plan(start, to, orders, rate, scarcity, declined, port, home, apart), stay=True)


@cli.command()
def demo(
    start: Day = FIRST_DAY,
    to: Until = None,
    orders: Count = None,
    rate: Rate = 20.0,
    scarcity: Scarcity = 0.004,
    declined: Declined = 0.02,
    port: Port = 8080,
    home: Home = Path(".orderlog"),
    apart: Apart = False,
) -> None:
    """The same, but exit by itself: with 1 if any order is not settled or the books do not balance."""
    _run(_plan(start, to, orders, rate, scarcity, declined, port, home, apart), stay=False)


@cli.command()
def clean(home: Home = Path(".orderlog")) -> None:
    """Forget all data of local runs."""
    from workers.local import LauncherError
    from workers.local import clean as forget

    try:
        forget(home, "faust", "mailbox", "push", "sms.jsonl", "ledger.jsonl")
    except LauncherError as no:
        _say_no(no)
    typer.echo(f"{home} is empty")


@cli.command()
def mail(
    last: Annotated[int, typer.Option(help="how many of the newest", min=1)] = 5,
    about: Annotated[str, typer.Option(help="only those that name this, such as an order's id")] = "",
    channel: Annotated[str, typer.Option(help="email, sms or push: only these")] = "",
    home: Home = Path(".orderlog"),
) -> None:
    """Read what came to the customers of a local run, newest last: mails, SMS and pushes."""
    from workers.post import came

    for piece in came(home, last, about, channel):
        typer.echo(f"{piece.at:%H:%M:%S}  {piece.channel}  {piece.to}  {piece.title}".rstrip())
        typer.echo(piece.text.rstrip() + "\n")


def _plan(
    start: datetime,
    to: datetime | None,
    orders: int | None,
    rate: float,
    scarcity: float,
    declined: float,
    port: int,
    home: Path,
    apart: bool,
) -> "Plan":
    from workers.baskets import Window
    from workers.run import Plan

    end = to or start + timedelta(days=1)
    if end <= start:
        raise typer.BadParameter(f"{end:%Y-%m-%d} is not after {start:%Y-%m-%d}", param_hint="--to")
    window = Window(start.replace(tzinfo=UTC), end.replace(tzinfo=UTC), orders)
    plan = Plan(home, window, rate, scarcity, declined, port)
    return structs.replace(plan, apart=True, workers=tuple((name,) for name in CONTEXTS)) if apart else plan


def _run(plan: "Plan", stay: bool) -> None:
    from schemas.client import Problem
    from workers.baskets import MissingData
    from workers.local import LauncherError
    from workers.run import Run, story

    console = Console(soft_wrap=False)
    try:
        with Run(plan, console) as everything, _terminated():
            settled = asyncio.run(story(everything))
            if stay:
                console.print("[bold]Up.[/bold] Ctrl-C stops everything that was started here.")
                everything.watch()
    except KeyboardInterrupt:
        raise typer.Exit(0 if stay else 130) from None
    except (LauncherError, MissingData, TimeoutError, Problem) as no:
        _say_no(no)
    if not settled:
        _say_no(RuntimeError("not everything is settled, or the books do not balance: see above"))


def _say_no(no: Exception) -> NoReturn:
    typer.secho(f"orders: {no}", err=True, fg="red")
    raise typer.Exit(1)


@contextmanager
def _terminated() -> Iterator[None]:
    """SIGTERM ends us as Ctrl-C does: what was started here is stopped."""

    def interrupt(*_: object) -> NoReturn:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def main() -> None:
    """Run the command line."""
    collect_seldom()
    cli()
