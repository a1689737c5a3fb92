"""Health is what two looks at everything tell: one row a partition and a context, and the reasons not to be well."""

from typing import Any

from msgspec import Struct

from events.log import Place
from projections.inspection import DEAD
from projections.postgres import DatabaseUnavailable
from projections.states import STATES
from schemas.version import this_version
from workers.operator.ground import Ground
from workers.operator.look import Look, Seen, context_of, in_force
from workers.operator.versions import outdated, tables_of

MAX_LAG = 10_000
"""Records that a view may be behind; the API's readiness says the same."""

STUCK_LAG = 1_000
"""Records behind which a view must be seen to move."""

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
    reasons += [why for name in names if (why := _unowned(name, now))]
    reasons += [
        why for place, seen in now.places.items() for why in _wrong(place, before.places[place], seen, now.silent)
    ]
    reasons += [f"the payment provider's circuit is {row['value']} in {row['process']}" for row in breakers if
                row["value"] != "closed"]  # fmt: skip
    for name in names:
        reasons += await _paused(ground, name, now)
    warnings = [f"{row['context']}: {row['dead_letters']} dead letters" for row in contexts if row["dead_letters"]]
    warnings += [why for row in contexts for table in row["tables"] if (why := outdated(table))]
    return Status(not reasons, reasons, warnings, this_version(), partitions, contexts, breakers)


def _unowned(context: str, now: Look) -> str:
    left = [
        str(place.partition) for place, seen in now.places.items() if context_of(place) == context and not seen.owner
    ]
    return f"{context}: nobody owns {', '.join(left)}; start a worker with this context" if left else ""


def _wrong(place: Place, before: Seen, seen: Seen, silent: dict[str, str]) -> list[str]:
    name = f"{context_of(place)}/{place.partition}"
    if context_of(place) in silent:
        return []
    if seen.first > (seen.view.next if seen.view else 0):
        return [f"{name}: the log begins at {seen.first}, after the view: history is missing"]
    if seen.lag > STUCK_LAG and seen.view == before.view:
        return [f"{name}: the view stands still, {seen.lag:,} records behind"]
    return [f"{name}: the view is {seen.lag:,} records behind"] if seen.lag > MAX_LAG else []


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
