"""Trails are what one request led to, across contexts, in the order of time."""

import asyncio
from datetime import datetime
from typing import Annotated, Any

import typer

from events.log import Place, scan
from events.topics import PARTITIONS, events
from projections.inspection import CORRELATIONS, OF_CORRELATION
from schemas.settings import CONTEXTS
from workers.operator.ground import Ground, standing
from workers.operator.records import from_start
from workers.operator.terms import Json, run, show, unknown

Row = dict[str, Any]


def find(
    correlation: Annotated[str, typer.Option(help="the id of the request that began it all")],
    scan_log: Annotated[bool, typer.Option("--scan", help="read all of the log instead of asking the views")] = False,
    json: Json = False,
) -> None:
    """All that one request led to, across contexts, in the order of time, with the times between."""
    run(_find(correlation, scan_log, json))


async def _find(correlation: str, scan_log: bool, as_json: bool) -> None:
    async with standing() as ground:
        rows = await (_scanned if scan_log else _asked)(ground, correlation)
        if not rows:
            raise unknown("correlation", correlation, await _some(ground))
    show(timed(rows, as_json), as_json)


async def _asked(ground: Ground, correlation: str) -> list[Row]:
    """From the index of every context's history."""
    asked = {"correlation": correlation}
    found = await asyncio.gather(*(ground.databases[name].fetch(OF_CORRELATION, asked) for name in CONTEXTS))
    return [{"context": name, **row} for name, rows in zip(CONTEXTS, found, strict=True) for row in rows]


async def _scanned(ground: Ground, correlation: str) -> list[Row]:
    """From the log itself: every record that counts."""
    rows = []
    for place in (Place(events(name), p) for name in CONTEXTS for p in range(PARTITIONS)):
        first, end = await ground.log.bounds(place)
        judge = from_start()
        async for records in scan(ground.log, place, first, end):
            for record in records:
                if judge(record) == "effective" and record.headers.get("correlation") == correlation.encode():
                    said = {name: value.decode(errors="replace") for name, value in record.headers.items()}
                    rows.append(_row(place, record.offset, said))
    return rows


def _row(place: Place, offset: int, said: dict[str, str]) -> Row:
    return {
        "context": place.topic.partition(".")[0],
        "partition": place.partition,
        "position": offset,
        "stream": said.get("ce_subject", ""),
        "version": int(said.get("version", "0")),
        "type": said.get("ce_type", ""),
        "at": datetime.fromisoformat(said["ce_time"]),
        "causation": said.get("causation", ""),
    }


def timed(rows: list[Row], as_json: bool) -> list[Row]:
    """In the order of time, with the milliseconds since the one before and since the first."""
    rows = sorted(rows, key=lambda row: (row["at"], row["context"], row["partition"], row["position"]))
    told = []
    for before, row in zip([*rows[:1], *rows], rows, strict=False):
        times = {"after_ms": _ms(before, row), "since_first_ms": _ms(rows[0], row)}
        at = row["at"] if as_json else f"{row['at'].astimezone():%Y-%m-%d %H:%M:%S.%f}"[:-3]
        told.append({"at": at, **times, **{k: v for k, v in row.items() if k not in ("at", "causation") or as_json}})
    return told


def _ms(begin: Row, end: Row) -> float:
    return float(round((end["at"] - begin["at"]).total_seconds() * 1000, 1))


async def _some(ground: Ground) -> list[str]:
    """A few of the newest."""
    rows = await ground.databases["order"].fetch(CORRELATIONS, {"limit": 5})
    return [row["correlation"] for row in rows]
