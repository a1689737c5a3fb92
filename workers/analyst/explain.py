"""Explain tells one order from its first command to its last message: what happened, who asked, how long it took."""

import asyncio
from collections import defaultdict
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import Annotated, Any

import typer
from msgspec import structs
from rich.text import Text

from events.errors import Truncated
from events.log import Place, scan
from events.topics import PARTITIONS, commands, events
from projections.inspection import CORRELATIONS, CORRELATIONS_OF, OF_CORRELATION
from schemas.settings import CONTEXTS
from workers.analyst.drawing import draw
from workers.analyst.spans import span
from workers.analyst.story import Lying, Step, asked_at, steps
from workers.analyst.whole import replace_whole
from workers.operator.ground import Ground, standing
from workers.operator.records import from_start
from workers.operator.terms import Exit, Json, printable, run, say_no, screen, show_json, unknown

WAITING = 500
"""Newest commands of a partition that are looked at for those that nobody has answered yet."""
COLORS = {"command": "cyan", "rejection": "red", "attempt": "yellow", "message": "magenta", "event": "green"}

Id = Annotated[str, typer.Argument(help="an order, a command or a correlation id; or a stream such as order-<uuid>")]
Scan = Annotated[bool, typer.Option("--scan", help="read all of the log instead of asking the views")]
Svg = Annotated[Path | None, typer.Option(help="draw it into this file, a lane a context", dir_okay=False)]


def explain(id: Id, scan_log: Scan = False, svg: Svg = None, json: Json = False) -> None:  # noqa: A002
    """One order, explained: every command, event, rejection, attempt and message, with the times between."""
    if svg is not None and not svg.absolute().parent.is_dir():
        say_no(f"--svg: there is no folder {svg.absolute().parent}: make it first", Exit.NO)
    run(_explain(id, scan_log, svg, json))


async def _explain(name: str, scan_log: bool, svg: Path | None, as_json: bool) -> None:
    async with standing() as ground:
        told = await story_of(ground, name, scan_log)
    if svg is not None:
        replace_whole(svg, draw(told, title_of(name, told)).encode())
    if as_json:
        show_json([_plain(step) for step in told])
        return
    _write(name, told)
    if svg is not None:
        screen().print(f"\ndrawn into {svg}", highlight=False)


async def story_of(ground: Ground, name: str, scan_log: bool = False) -> list[Step]:
    """Every step of the requests that an id belongs to.

    Raises:
        Refused: nothing is known of it; the message names some that are.
    """
    found = await (_scanned if scan_log else _asked)(ground, name)
    if not found:
        raise unknown("order, command or correlation", name, await _some(ground))
    correlations = {record.headers.get("correlation", b"") for _, record in found}
    asked = [*await _fetched(ground, asked_at(found)), *await _newest(ground, correlations)]
    return steps(found, asked)


async def _asked(ground: Ground, name: str) -> list[Lying]:
    """By the indexes of every context's views; what they say lies where, is read from the log."""
    wanted = {"id": name, "streams": _streams(name)}
    named = await asyncio.gather(*(ground.databases[one].fetch(CORRELATIONS_OF, wanted) for one in CONTEXTS))
    places = set()
    for correlation in {row["correlation"] for rows in named for row in rows}:
        for context in CONTEXTS:
            for row in await ground.databases[context].fetch(OF_CORRELATION, {"correlation": correlation}):
                places.add((Place(events(context), row["partition"]), row["position"]))
    return await _fetched(ground, places)


async def _scanned(ground: Ground, name: str) -> list[Lying]:
    """From the log itself: twice through it, first for the requests, then for all that they led to."""
    wanted = {text.encode() for text in (name, *_streams(name))}
    correlations = set()
    for header in ("ce_subject", "causation", "correlation"):
        correlations |= {r.headers.get("correlation", b"") for _, r in await _counting(ground, header, wanted)}
        if correlations:
            return await _counting(ground, "correlation", correlations)
    return []


async def _counting(ground: Ground, header: str, wanted: Collection[bytes]) -> list[Lying]:
    found = []
    for place in (Place(events(context), p) for context in CONTEXTS for p in range(PARTITIONS)):
        first, end = await ground.log.bounds(place)
        judge = from_start()
        async for records in scan(ground.log, place, first, end):
            counting = [record for record in records if judge(record) == "effective"]
            found += [(place, record) for record in counting if record.headers.get(header) in wanted]
    return found


async def _fetched(ground: Ground, wanted: Iterable[tuple[Place, int]]) -> list[Lying]:
    """The records at these offsets; those that retention has taken are missing."""
    offsets: dict[Place, list[int]] = defaultdict(list)
    for place, offset in wanted:
        offsets[place].append(offset)
    found = await asyncio.gather(*(_at(ground, place, sorted(them)) for place, them in offsets.items()))
    return [lying for lyings in found for lying in lyings]


async def _at(ground: Ground, place: Place, offsets: list[int]) -> list[Lying]:
    first, end = await ground.log.bounds(place)
    found: list[Lying] = []
    for group in _near([offset for offset in offsets if first <= offset < end]):
        try:
            async for records in scan(ground.log, place, group[0], group[-1] + 1):
                found += [(place, record) for record in records if record.offset in group]
        except Truncated:  # just now
            continue
    return found


NEAR = 2000
"""Offsets between two records that are read in one go."""


def _near(offsets: list[int]) -> list[list[int]]:
    groups: list[list[int]] = []
    for offset in offsets:
        if groups and offset - groups[-1][-1] < NEAR:
            groups[-1].append(offset)
        else:
            groups.append([offset])
    return groups


async def _newest(ground: Ground, correlations: Collection[bytes]) -> list[Lying]:
    """Of the commands that came last, those of these requests: nobody may have answered them."""
    places = [Place(commands(context), p) for context in CONTEXTS for p in range(PARTITIONS)]
    found: list[Lying] = []
    for place, (first, end) in zip(places, await asyncio.gather(*map(ground.log.bounds, places)), strict=True):
        async for records in scan(ground.log, place, max(first, end - WAITING), end):
            found += [(place, record) for record in records if record.headers.get("correlation") in correlations]
    return found


def _streams(name: str) -> list[str]:
    return [name, *(f"{kind}-{name}" for kind in ("order", "payment", "user", "notification"))]


async def _some(ground: Ground) -> list[str]:
    rows = await ground.databases["order"].fetch(CORRELATIONS, {"limit": 5})
    return [f"correlation {row['correlation']}" for row in rows]


def title_of(name: str, told: list[Step]) -> str:
    """What it was about, how many steps, and how long all of it took."""
    asked = len({step.correlation for step in told})
    requests = f", {asked} requests" if asked > 1 else ""
    return f"{name}: {len(told)} steps{requests}, {span(told[-1].since)}"


def _plain(step: Step) -> dict[str, Any]:
    told = structs.asdict(step)
    times = {f"{name}_ms": round(told.pop(name).total_seconds() * 1000, 3) for name in ("after", "since")}
    return {"number": told.pop("number"), **told, **times}


def _write(name: str, told: list[Step]) -> None:
    out = screen()
    out.print(f"[bold]{printable(title_of(name, told))}[/bold]", highlight=False)
    at, width = None, max(len(step.type) for step in told)
    for step in told:
        if at is None or step.at.date() != at.date():
            out.print(f"\n{step.at:%A %d %B %Y}, UTC", style="dim", highlight=False)
        at = step.at
        line = Text(f"{step.at:%H:%M:%S.%f}"[:-3], "dim")
        line.append(f" {_plus(step):>13}  ")
        line.append(f"{step.context:<12} ", "bold")
        line.append(f"{step.kind:<9} ", COLORS[step.kind])
        line.append(f"{printable(step.type):<{width}}  ")
        line.append(printable(f"{step.stream}{f' v{step.version}' if step.version else ''}  "), "dim")
        line.append(printable("  ".join(filter(None, (_who(step), step.says)))))
        out.print(line, soft_wrap=True)
    kinds = [step.kind for step in told]
    out.print("\n" + ", ".join(f"{kinds.count(kind)} {kind}s" for kind in COLORS if kind in kinds), highlight=False)


def _plus(step: Step) -> str:
    return "" if step.number == 1 else f"+{span(step.after)}"


def _who(step: Step) -> str:
    return {"client": "by a client", "owner": "by the owner"}.get(step.by, "") if step.cause else ""
