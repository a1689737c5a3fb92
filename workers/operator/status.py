"""Status says in one screen whether all is well: who owns what, how far the views are behind, what was set aside."""

import asyncio
from typing import Annotated

import typer
from rich.console import Group, RenderableType
from rich.live import Live
from rich.text import Text

from workers.operator.ground import chosen, standing
from workers.operator.health import Row, Status, judge
from workers.operator.look import look
from workers.operator.terms import Exit, InContext, Json, Refused, run, screen, show_json, table
from workers.operator.versions import live

Over = Annotated[float, typer.Option(help="seconds between two looks, for the trend", min=0.1, max=60)]
Watch = Annotated[bool, typer.Option("--watch", help="go on looking until Ctrl-C")]


def status(context: InContext = None, over: Over = 1.0, watch: Watch = False, json: Json = False) -> None:
    """Owners, epochs, lag with trend, dead letters, breaker, versions; exits with 1 if not all is well."""
    run(_status(context, over, watch, json))


async def _status(context: str | None, over: float, watch: bool, as_json: bool) -> None:
    contexts = chosen(context)
    async with standing() as ground:
        before = await look(ground, contexts)
        with Live(console=screen(), auto_refresh=False) if watch and not as_json else _Once() as pane:
            while True:
                await asyncio.sleep(over)
                now = await look(ground, contexts)
                found = await judge(ground, before, now)
                show_json(found) if as_json else pane.update(drawn(found), refresh=True)
                if not watch:
                    break
                before = now
    if now.silent:
        raise Refused("a database gives no answer: see above", Exit.UNAVAILABLE)
    if not found.healthy:
        raise Refused("not all is well: see above")


class _Once:
    """A screen that is written once."""

    def __enter__(self) -> "_Once":
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def update(self, what: RenderableType, refresh: bool) -> None:
        screen().print(what)


def drawn(found: Status) -> Group:
    """For people."""
    rows = [
        {"partition": f"{row['context']}/{row['partition']}", "owner": row["owner"], "writer": row["writer"][:8]}
        | {name: row[name] for name in ("epoch", "head", "view", "lag")}
        | {"trend": trend(row), "ignored": row["ignored"]}
        for row in found.partitions
    ]
    summary = [{**row, "live_tables": live(row["tables"])} for row in found.contexts]
    for row in summary:
        del row["tables"]
    circuits = [f"{row['value']} in {row['process']} since {row['since']:%Y-%m-%d %H:%M:%S}" for row in found.breakers]
    words = [Text(f"orderlog {found.version}")]
    if any(row["context"] == "payment" for row in found.contexts):
        words.append(Text(f"circuit to the provider: {', '.join(circuits) or 'nobody shows it'}"))
    words += [Text(f"! {warning}", style="yellow") for warning in found.warnings]
    words += [Text(f"✗ {reason}", style="red") for reason in found.reasons]
    return Group(table(rows), "", table(summary), "", *words, Text("healthy" if found.healthy else "not healthy"))


def trend(row: Row) -> str:
    """Whether the lag grows, in records a second."""
    if row["view"] is None:
        return "unknown"
    change = row["trend_per_s"]
    return "steady" if abs(change) < 1 else f"{'growing' if change > 0 else 'shrinking'} {abs(change):,.0f}/s"
