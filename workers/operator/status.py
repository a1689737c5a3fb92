"""Status says in one screen whether all is well: who owns what, how far the views are behind, what was set aside."""

import asyncio
from typing import Annotated, Any

import typer
from msgspec import Struct
from rich.console import Group, RenderableType
from rich.live import Live
from rich.text import Text

from events.log import Place
from projections.inspection import DEAD
from projections.postgres import DatabaseUnavailable
from projections.states import STATES
from workers.operator.ground import Ground, chosen, standing
from workers.operator.look import Look, Seen, context_of, in_force, look
from workers.operator.terms import Exit, Json, Refused, run, screen, show_json, table
from workers.operator.versions import live, outdated, tables_of, this_version

MAX_LAG = 10_000
"""Records that a view may be behind; the API's readiness says the same."""

Row = dict[str, Any]


class Status(Struct, frozen=True):
    """What was found, as `--json` says it. `reasons` are why it is not healthy; `warnings` are for people."""

    healthy: bool
    reasons: list[str]
    warnings: list[str]
    version: str
    partitions: list[Row]
    contexts: list[Row]
    breakers: list[Row]


Context = Annotated[str | None, typer.Option("--context", help="this context alone")]
Over = Annotated[float, typer.Option(help="seconds between two looks, for the trend", min=0.1, max=60)]
Watch = Annotated[bool, typer.Option("--watch", help="go on looking until Ctrl-C")]


def status(context: Context = None, over: Over = 1.0, watch: Watch = False, json: Json = False) -> None:
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


async def judge(ground: Ground, before: Look, now: Look) -> Status:
    """What two looks tell."""
    partitions = [
        await _partition(ground, place, before.places[place], seen, now.at - before.at)
        for place, seen in now.places.items()
    ]
    names = list(dict.fromkeys(map(context_of, now.places)))
    contexts = [await _context(ground, name, now) for name in names]
    breakers = await _breakers(ground, now) if "payment" in names else []
    reasons = [f"{name}: its database gives no answer: {why}" for name, why in now.silent.items()]
    reasons += [why for place, seen in now.places.items() for why in _wrong(place, seen, now.silent)]
    reasons += [f"the payment provider's circuit is {row['value']} in {row['process']}" for row in breakers if
                row["value"] != "closed"]  # fmt: skip
    for name in names:
        reasons += await _paused(ground, name, now)
    warnings = [f"{row['context']}: {row['dead_letters']} dead letters" for row in contexts if row["dead_letters"]]
    warnings += [why for row in contexts for table in row["tables"] if (why := outdated(table))]
    return Status(not reasons, reasons, warnings, this_version(), partitions, contexts, breakers)


def _wrong(place: Place, seen: Seen, silent: dict[str, str]) -> list[str]:
    name = f"{context_of(place)}/{place.partition}"
    found = [] if seen.owner else [f"{name}: nobody owns it; start a worker with this context"]
    if context_of(place) in silent:
        return found
    if seen.first > (seen.view.next if seen.view else 0):
        found.append(f"{name}: the log begins at {seen.first}, after the view: history is missing")
    elif seen.lag > MAX_LAG:
        found.append(f"{name}: the view is {seen.lag:,} records behind")
    return found


async def _partition(ground: Ground, place: Place, before: Seen, seen: Seen, seconds: float) -> Row:
    claim = await in_force(ground.log, place, seen)
    read = (seen.view.next - before.view.next) / seconds if seen.view and before.view else 0.0
    return {
        "context": context_of(place),
        "partition": place.partition,
        "owner": seen.owner.client if seen.owner else None,
        "host": seen.owner.host if seen.owner else None,
        "writer": claim.writer,
        "epoch": claim.epoch,
        "head": seen.head,
        "view": seen.view.next if seen.view else None,
        "lag": seen.lag if seen.view else None,
        "trend_per_s": round((seen.lag - before.lag) / seconds, 1),
        "written_per_s": round((seen.head - before.head) / seconds, 1),
        "read_per_s": round(read, 1),
        "ignored": claim.ignored,
    }


async def _context(ground: Ground, name: str, now: Look) -> Row:
    if name in now.silent:
        return {"context": name, "lag": None, "dead_letters": None, "tables": []}
    letters = (await ground.databases[name].fetch(DEAD))[0]["letters"]
    lag = sum(seen.lag for place, seen in now.places.items() if context_of(place) == name)
    return {"context": name, "lag": lag, "dead_letters": letters, "tables": await tables_of(ground, name)}


async def _paused(ground: Ground, name: str, now: Look) -> list[str]:
    """Consumers that stand still at a failure, as their workers show it."""
    if name in now.silent:
        return []
    try:
        rows = await ground.databases[name].fetch(STATES)
    except DatabaseUnavailable:  # its tables are older than this version
        return []
    shown = [row for row in rows if row["name"].startswith("paused ") and row["value"] and row["fresh"]]
    return [f"{row['name'].removeprefix('paused ')} stands still: {row['value']}" for row in shown]


async def _breakers(ground: Ground, now: Look) -> list[Row]:
    """The circuit to the provider, as each living payment worker shows it."""
    if "payment" in now.silent:
        return []
    living = {seen.owner.client for seen in now.places.values() if seen.owner}
    try:
        rows = await ground.databases["payment"].fetch(STATES)
    except DatabaseUnavailable:  # its tables are older than this version
        return []
    return [row for row in rows if row["name"] == "breaker" and row["process"] in living]


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
