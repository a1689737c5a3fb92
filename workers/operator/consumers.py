"""Consumers are those who read the log: which process owns which partition since when, and how far each reader is."""

from datetime import UTC, datetime
from typing import Any

from events.claims import claim_of
from events.cluster import Member
from events.log import Place, Position
from schemas.settings import CONTEXTS
from workers.operator.ground import Ground, chosen, standing
from workers.operator.look import Look, context_of, in_force, look
from workers.operator.terms import InContext, Json, run, screen, show_json, table

Row = dict[str, Any]


def consumers(context: InContext = None, json: Json = False) -> None:
    """Who owns which partition and since when, and how far reactors and streams have read."""
    run(_consumers(context, json))


async def _consumers(context: str | None, as_json: bool) -> None:
    names = chosen(context)
    async with standing() as ground:
        now = await look(ground, names)
        owners = [await _owner(ground, now, place) for place in now.places]
        readers = [row for group in await _groups(ground, context) for row in await _readers(ground, group)]
    if as_json:
        show_json({"owners": owners, "readers": readers})
        return
    screen().print(table([_short(row) for row in owners], "Owners"))
    if readers:
        screen().print("", table(readers, "Readers"), sep="\n")


async def _owner(ground: Ground, now: Look, place: Place) -> Row:
    """A partition's owner: the process by Kafka's group, the writer and its time by the claim in the log."""
    seen = now.places[place]
    fence = await in_force(ground.log, place, seen)
    claim = await claim_of(ground.log, place, fence, seen.first, seen.head)
    return {
        "context": context_of(place),
        "partition": place.partition,
        "process": seen.owner.client if seen.owner else None,
        "host": seen.owner.host if seen.owner else None,
        "writer": fence.writer or None,
        "epoch": fence.epoch,
        "since": datetime.fromtimestamp(claim.timestamp / 1000, UTC) if claim else None,
        "claim": claim.offset if claim else None,
    }


async def _groups(ground: Ground, context: str | None) -> list[str]:
    """The groups that keep positions; writers' groups keep none, for theirs follow from the log."""
    if context:
        return [f"{context}.reactions"]
    writers = {f"{name}.writers" for name in CONTEXTS}
    return [group for group in await ground.cluster.groups() if group not in writers]


async def _readers(ground: Ground, group: str) -> list[Row]:
    positions = await ground.cluster.positions(group)
    living = await _living(ground, group)
    rows = []
    for place, position in sorted(positions.items()):
        first, end = await ground.log.bounds(place)
        member = living.get(place) or living.get(Place("", place.partition))
        rows.append(_reader(group, place, position, first, end) | {"process": member.client if member else None})
    return rows


async def _living(ground: Ground, group: str) -> dict[Place, Member]:
    """Who reads what; a reactor is in no group of its own, it sits beside the writer of its partitions."""
    context, _, kind = group.partition(".")
    if kind != "reactions":
        return {place: member for member in await ground.cluster.members([group]) for place in member.places}
    beside = await ground.cluster.members([f"{context}.writers"])
    return {Place("", place.partition): member for member in beside for place in member.places}


def _reader(group: str, place: Place, position: Position, first: int, end: int) -> Row:
    lost = max(0, first - position.offset)
    return {"group": group, "topic": place.topic, "partition": place.partition, "position": position.offset,
            "lag": max(0, end - position.offset), "lost": lost}  # fmt: skip


def _short(row: Row) -> Row:
    since = row["since"].astimezone().strftime("%Y-%m-%d %H:%M:%S") if row["since"] else None
    return {"partition": f"{row['context']}/{row['partition']}", **{k: row[k] for k in ("process", "host", "epoch")},
            "writer": (row["writer"] or "")[:8], "since": since}  # fmt: skip
