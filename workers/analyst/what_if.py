"""What if: a changed rule over recorded history, beside the rule as it is, and what differs."""

from datetime import UTC, datetime
from pathlib import Path
from time import monotonic
from typing import Annotated, Any

import typer
from msgspec import Struct

from aggregates.decider import Decider
from events.log import Log, Place
from events.topics import PARTITIONS, events
from workers.analyst import difference
from workers.analyst.given import Given, Sources, Unreadable, givens
from workers.analyst.rerun import Raised, Rerun, Rule, mark
from workers.analyst.supposed import supposed
from workers.analyst.then import ends_at, heads, time_of
from workers.deciders import decider_of
from workers.notification import REACTIONS as OF_NOTIFICATION
from workers.operator.bars import Bars
from workers.operator.ground import standing
from workers.operator.terms import Exit, InContext, Json, Refused, run, screen, show_json, table
from workers.order import REACTIONS as OF_ORDER
from workers.payment import REACTIONS as OF_PAYMENT
from workers.product import REACTIONS as OF_PRODUCT
from workers.rebuild import Progress

REACTIONS = {"order": OF_ORDER, "product": OF_PRODUCT, "payment": OF_PAYMENT, "notification": OF_NOTIFICATION}
"""What each context makes of others' events; the user context listens to nobody."""


NEAR = 12
"""Lines of an aggregate that people see; as JSON all of them."""


class Outcome(Struct):
    """What was recorded, and what both rules make of it. `kept` are commands that nobody knows any more."""

    base: Rerun
    other: Rerun
    recorded: dict[str, difference.Happened]
    commands: int = 0
    kept: int = 0
    last: datetime = datetime.min.replace(tzinfo=UTC)


def what_if(
    module: Annotated[Path, typer.Argument(help="a Python file that says what is different: docs/time-travel.md")],
    start: Annotated[str, typer.Option("--from", help="from this time on (ISO 8601)")] = "",
    to: Annotated[str, typer.Option("--to", help="history up to this time")] = "",
    context: InContext = None,
    show: Annotated[int, typer.Option("--show", help="how many of the first that differ", min=0, max=1000)] = 3,
    json: Json = False,
) -> None:
    """Let a changed rule decide over recorded history, and show what would be different. Nothing is sent or written."""
    run(_what_if(module, start, to, context, show, json))


async def _what_if(path: Path, start: str, to: str, asked: str | None, most: int, as_json: bool) -> None:
    context, base, other = supposed(path, asked)
    since = time_of(start, "--from") if start else None
    until = time_of(to, "--to") if to else None
    if since and until and until <= since:
        raise Refused(f"--to {to} is not after --from {start}", Exit.USAGE)
    async with standing() as ground:
        ends = await (ends_at(ground.log, context, until) if until else heads(ground.log, context))
        try:
            found = await rerun(ground.log, context, base, other, ends, since, until, as_json)
        except (Raised, Unreadable) as no:
            raise Refused(f"{no}. Nothing was written") from no
    if not found.commands:
        raise Refused(f"{context} has no history up to {to or 'now'}", Exit.UNKNOWN)
    told = _told(path, context, found, most)
    if as_json:
        show_json(told)
    else:
        _show(told)


async def rerun(
    log: Log,
    context: str,
    base: Rule,
    other: Rule,
    ends: dict[int, int],
    since: datetime | None,
    until: datetime | None,
    as_json: bool,
) -> Outcome:
    """Let both rules decide over a context's history up to these offsets; the other one is in force from `since` on.

    Raises:
        Raised: a rule does; Unreadable: history cannot be read.
    """
    rules = decider_of(context)
    sources = Sources(log, rules, REACTIONS.get(context, ())) if base.decider else None
    if sources:
        await sources.read()
    found = Outcome(Rerun(context, rules, base), Rerun(context, rules, other), {})
    began = monotonic()
    with Bars(f"what if {context}", False) as bars:
        for p in range(PARTITIONS):
            place = Place(events(context), p)
            async for given in givens(log, rules, sources, place, ends[p]):
                _take(found, given, since)
                if not as_json and given.number % 500 == 0:
                    rate = found.commands / max(monotonic() - began, 0.001)
                    bars.tell(Progress(p, given.offset, ends[p], rate, found.commands))
        _finish(found, rules, until or found.last, since)
    return found


def _take(found: Outcome, given: Given, since: datetime | None) -> None:
    found.commands += 1
    found.kept += given.command is None and not given.timed and bool(given.events)
    found.last = max(found.last, given.at)
    for event in given.events:
        found.recorded.setdefault(event.stream, []).append((event.tag, given.at, mark(event)))
    found.base.take(given, own=False)
    found.other.take(given, own=since is None or given.at >= since)


def _finish(found: Outcome, rules: Decider, moment: datetime, since: datetime | None) -> None:
    found.base.finish(moment, own=False)
    found.other.finish(moment, own=since is None or moment >= since)


def _told(path: Path, context: str, found: Outcome, most: int) -> dict[str, Any]:
    base, other = found.base.streams, found.other.streams
    apart, wrong = difference.differing(base, other), difference.differing(found.recorded, base)
    return {
        "module": str(path),
        "context": context,
        "commands": found.commands,
        "kept": found.kept,
        "aggregates": len(found.recorded),
        "not_reproduced": {"aggregates": len(wrong), "why": difference.why(found.recorded, base, wrong)},
        "events": difference.types(found.base, found.other),
        "read_models": difference.rows(found.base, found.other),
        "differing": len(apart),
        "first": [
            {"stream": s, "lines": difference.side_by_side(s, base.get(s, []), other.get(s, []))} for s in apart[:most]
        ],
    }


def _show(told: dict[str, Any]) -> None:
    pane, wrong = screen(), told["not_reproduced"]
    pane.print(
        f"{told['commands']:,} commands of {told['context']}, {told['aggregates']:,} aggregates; "
        f"{told['kept']:,} commands are not known any more, and their events stand as recorded"
    )
    pane.print(
        f"The rule as it is gives what was recorded for {told['aggregates'] - wrong['aggregates']:,} aggregates, "
        f"and something else for {wrong['aggregates']:,}"
    )
    if wrong["why"]:
        pane.print(table(wrong["why"]))
    for title, rows in (("Events", told["events"]), ("Read models", told["read_models"])):
        changed = [row for row in rows if row["difference"]]
        pane.print(table(changed, f"\n{title}: what differs") if changed else f"\n{title}: no difference")
    pane.print(f"\n{told['differing']:,} aggregates differ")
    for each in told["first"]:
        pane.print(table([_line(line) for line in _near(each["lines"])], f"\n{each['stream']}"))


def _near(lines: list[difference.Row]) -> list[difference.Row]:
    """The lines around the first that differs."""
    first = next(n for n, line in enumerate(lines) if not line["same"])
    start = max(0, first - 3)
    return lines[start : start + NEAR]


def _line(line: dict[str, Any]) -> dict[str, Any]:
    return {"": " " if line["same"] else "≠", "as it is": line["as_it_is"], "what if": line["what_if"]}
