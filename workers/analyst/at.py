"""At shows one aggregate as it was: its state by the rules, and the read models' rows of it; both from the log."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any

import typer
from msgspec import json, structs

from aggregates.repository import Repository
from events.fence import Fence
from events.fenced import catch_up
from events.log import Place, Record
from events.moments import offset_after
from projections.journals import journals
from projections.moments import moment, row_as_of
from projections.reading import decoded
from projections.registry import PROJECTIONS
from schemas.values import SECRET
from workers.deciders import decider_of
from workers.operator.ground import Ground, standing
from workers.operator.log import place_of
from workers.operator.terms import Exit, Json, Refused, run, screen, show_json, table

Stream = Annotated[str, typer.Argument(help="an aggregate, such as order-<uuid>")]
Then = Annotated[str, typer.Option("--as-of", help="a time (ISO 8601, UTC where it names no zone), or an offset")]


def at(stream: Stream, as_of: Then, json: Json = False) -> None:
    """One aggregate as it was: its state, and the rows that the read models had of it."""
    run(_at(stream, as_of, json))


async def _at(stream: str, as_of: str, as_json: bool) -> None:
    place = place_of(stream)
    async with standing() as ground:
        end = await _end(ground, place, as_of)
        told = await _told(ground, place, end, stream)
    if told is None:
        raise Refused(f"{stream} was not there yet as of {as_of} (offset {end} of {place})", Exit.UNKNOWN)
    if as_json:
        show_json(told)
        return
    head = {name: told[name] for name in ("stream", "version", "partition", "upto")}
    screen().print(table([head], f"{stream} as of {as_of}"))
    for name, row in (("state", told["state"]), *told["rows"].items()):
        screen().print(table([{"field": field, "value": _said(value)} for field, value in row.items()], f"\n{name}"))


async def _end(ground: Ground, place: Place, as_of: str) -> int:
    """The offset behind the last record that counts as then."""
    try:
        then = moment(as_of)
    except ValueError:
        raise Refused(
            f"--as-of {as_of!r} is neither a time such as 2026-11-28T10:00:00Z nor the offset of a record", Exit.UNKNOWN
        ) from None
    _, end = await ground.log.bounds(place)
    if isinstance(then, int):
        return min(then + 1, end)
    return await offset_after(ground.log, place, then)


async def _told(ground: Ground, place: Place, end: int, stream: str) -> dict[str, Any] | None:
    context = place.topic.partition(".")[0]
    repository, history, rows_of = Repository(decider_of(context)), list[dict[str, Any]](), journals(context)[0].rows_of

    def fold(record: Record) -> None:
        if record.key == stream.encode():
            repository.fold(record)
            history.extend(row for row in rows_of(place.partition, decoded(record)) if row["version"])

    await catch_up(ground.log, place, Fence(), end, fold)
    entity = repository.get(stream)
    if not entity.version:
        return None
    return {
        "stream": stream,
        "version": entity.version,
        "partition": place.partition,
        "upto": end,
        "state": _shown(structs.asdict(entity.state)),
        "rows": _rows(context, history, end),
    }


def _rows(context: str, history: Sequence[dict[str, Any]], end: int) -> dict[str, Any]:
    """What each read model of the context had of it."""
    rows = {model.name: row_as_of(model, history, end) for model in PROJECTIONS[context]}
    return {name: _shown(row) for name, row in rows.items() if row and row.pop("at")}


def _shown(row: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name not in SECRET}


def _said(value: Any) -> str:
    if isinstance(value, str | datetime):
        return str(value)
    return json.encode(value, enc_hook=str).decode()
