"""Log commands read the truth itself: its newest records, one aggregate's, and all that one request led to."""

import asyncio
from collections.abc import Iterable, Sequence
from typing import Annotated, Any

import typer

from events.log import Place, Reader, Record, scan
from events.topics import PARTITIONS, commands, events, partition_of
from projections.inspection import STREAMS
from schemas.settings import CONTEXTS
from workers.deciders import decider_of
from workers.operator.ground import Ground, chosen, standing
from workers.operator.records import Judge, Row, brief, from_middle, from_start, row_of
from workers.operator.terms import Exit, InContext, Json, Refused, printable, run, screen, show, show_json, unknown
from workers.operator.trails import find

app = typer.Typer(no_args_is_help=True, help="The log: its tail, one aggregate, all that a request led to.")
app.command()(find)

FILTERED = 5_000
"""Records of a partition that are searched for the last of one type."""

Last = Annotated[int, typer.Option(help="how many of the newest", min=1, max=100_000)]
Follow = Annotated[bool, typer.Option("--follow", "-f", help="go on until Ctrl-C")]
Type = Annotated[str, typer.Option("--type", help="only types that begin so, such as order.placed")]
Commands = Annotated[bool, typer.Option("--commands", help="what was asked, too")]
Stream = Annotated[str, typer.Argument(help="an aggregate, such as order-<uuid>")]


@app.command()
def tail(
    context: InContext = None,
    last: Last = 20,
    follow: Follow = False,
    type_: Type = "",
    with_commands: Commands = False,
    json: Json = False,
) -> None:
    """The newest records, and whether each counts; as JSON, one a line."""
    run(_tail(context, last, follow, type_, with_commands, json))


@app.command("show")
def show_stream(stream: Stream, json: Json = False) -> None:
    """Every record of one aggregate, read from the log's start: versions, times, effective or ignored."""
    run(_show(stream, json))


async def _tail(context: str | None, last: int, follow: bool, wanted: str, asked: bool, as_json: bool) -> None:
    names = chosen(context)
    kinds = (events, commands) if asked else (events,)
    places = [Place(topic(name), p) for name in names for topic in kinds for p in range(PARTITIONS)]
    async with standing() as ground:
        bounds = dict(zip(places, await asyncio.gather(*map(ground.log.bounds, places)), strict=True))
        back = max(last, FILTERED) if wanted else last
        starts = {place: max(first, end - back) for place, (first, end) in bounds.items()}
        judges = {place: await _judge(ground, place, start) for place, start in starts.items()}
        rows = []
        for place, start in starts.items():
            async for records in scan(ground.log, place, start, bounds[place][1]):
                rows += _rows(place, records, judges[place], wanted)
        _write(sorted(rows, key=_time)[-last:], as_json)
        if follow:
            ends = {place: max(starts[place], end) for place, (_, end) in bounds.items()}
            reader = await ground.log.reader(ends)
            try:
                await _follow(reader, judges, wanted, as_json)
            finally:
                await reader.close()


async def _follow(reader: Reader, judges: dict[Place, Judge], wanted: str, as_json: bool) -> None:
    while True:
        found = await reader.batch(timeout=1.0)
        rows = [row for place, records in found.items() for row in _rows(place, records, judges[place], wanted)]
        _write(sorted(rows, key=_time), as_json)


async def _judge(ground: Ground, place: Place, start: int) -> Judge:
    if start == 0 and place.topic.endswith(".events"):
        return from_start()
    return await from_middle(ground.databases[place.topic.partition(".")[0]], place, start)


def _rows(place: Place, records: Iterable[Record], judge: Judge, wanted: str) -> list[Row]:
    judged = [(record, judge(record)) for record in records]
    return [row_of(place, record, verdict) for record, verdict in judged
            if record.headers.get("ce_type", b"").startswith(wanted.encode())]  # fmt: skip


def _write(rows: Sequence[Row], as_json: bool) -> None:
    for row in rows:
        if as_json:
            show_json(row)
        else:
            short = brief(row)
            line = "  ".join(printable(str(value)) for value in short.values() if value != "")
            screen().print(line, highlight=False, soft_wrap=True, markup=False)


def _time(row: Row) -> Any:
    return row["at"], row["place"], row["offset"]


async def _show(stream: str, as_json: bool) -> None:
    place = place_of(stream)
    async with standing() as ground:
        rows = await _history(ground, place, stream)
        if not rows:
            raise await _no_such(ground, place, stream)
    show([row if as_json else brief(row) for row in rows], as_json)


def place_of(stream: str) -> Place:
    """Where a stream lives.

    Raises:
        Refused: there are no streams of this kind.
    """
    kinds = {kind: context for context in CONTEXTS for kind in decider_of(context).initial}
    kind, _, name = stream.partition("-")
    if kind not in kinds or not name:
        raise unknown("kind of stream", stream, [f"{kind}-…" for kind in kinds])
    shelf = name.partition("-")[0]
    at = int(shelf) % PARTITIONS if kind == "reservation" and shelf.isdigit() else partition_of(stream)
    return Place(events(kinds[kind]), at)


async def _history(ground: Ground, place: Place, stream: str) -> list[Row]:
    first, end = await ground.log.bounds(place)
    judge, rows = from_start(), []
    async for records in scan(ground.log, place, first, end):
        for record in records:
            verdict = judge(record)
            if stream.encode() in (record.key, record.headers.get("ce_subject")):
                rows.append(row_of(place, record, verdict))
    return rows


async def _no_such(ground: Ground, place: Place, stream: str) -> Refused:
    context = place.topic.partition(".")[0]
    some = [row["stream"] for row in await ground.databases[context].fetch(STREAMS, {"limit": 5})]
    said = f"; there are, among others: {', '.join(some)}" if some else ""
    return Refused(f"nothing has happened to {stream!r} in {place.topic}/{place.partition}{said}", Exit.UNKNOWN)
