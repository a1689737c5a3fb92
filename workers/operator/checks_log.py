"""Checks of the doctor's that look into the log: what would lose data, what cannot be read, who lost their place."""

from collections.abc import AsyncIterator

from events.errors import Undecodable
from events.fence import CLAIM
from events.log import Place, scan
from events.registry import command_codec, event_codec
from events.topics import PARTITIONS, commands
from projections.inspection import DEAD
from schemas.settings import CONTEXTS
from workers.deciders import decider_of
from workers.operator.checks import Check, ok
from workers.operator.ground import Ground
from workers.operator.look import context_of, in_force, look
from workers.operator.proof import Proof
from workers.operator.settings import way_out
from workers.operator.topics import compared

NEWEST = 20
"""Records of every partition that are decoded."""


async def of_topics(ground: Ground) -> AsyncIterator[Check]:
    """Settings that lose data, one check a difference."""
    found = await compared(ground)
    if not found:
        yield ok("topics", "all are as the table says: nothing is deleted that must stay")
    for one in found:
        said = f"{one.setting} is {one.found or 'not set'}, must be {one.wanted}: {one.loses}"
        yield Check(f"topics: {one.topic}", one.level, said, way_out(one))


async def of_records(ground: Ground) -> AsyncIterator[Check]:
    """Whether this code can read the newest records that count."""
    unread: list[str] = []
    count = 0
    now = await look(ground, CONTEXTS)
    for place, seen in now.places.items():
        fence = await in_force(ground.log, place, seen)
        async for records in scan(ground.log, place, max(seen.first, seen.head - NEWEST), seen.head, patience=3):
            for record in records:
                tag = record.headers.get("ce_type", b"").decode(errors="replace")
                if record.headers.get("writer") != fence.writer.encode() or tag == CLAIM:
                    continue
                count += 1
                if why := _unread(tag, record.value):
                    unread.append(f"{place.topic}/{place.partition} {record.offset}: {why}")
    if unread:
        out = "this code is older than the one that wrote it: run the newer, or add the tag to events/registry.py"
        yield Check("schemas: records", "fail", f"{len(unread)} cannot be read, such as {unread[0]}", out)
    else:
        yield ok("schemas: records", f"the newest {count} records that count can be read")


def _unread(tag: str, body: bytes) -> str:
    try:
        event_codec.decode(tag, body)
    except Undecodable as error:
        return str(error)
    return ""


async def of_commands(ground: Ground) -> AsyncIterator[Check]:
    """Whether what was asked last can be read; what cannot is parked, not lost."""
    unread = []
    for place in (Place(commands(name), p) for name in CONTEXTS for p in range(PARTITIONS)):
        first, end = await ground.log.bounds(place)
        async for records in scan(ground.log, place, max(first, end - NEWEST), end, patience=3):
            for record in records:
                try:
                    command_codec.decode(record.headers.get("ce_type", b"").decode(errors="replace"), record.value)
                except Undecodable as error:
                    unread.append(f"{place.topic}/{place.partition} {record.offset}: {error}")
    if unread:
        said = f"{len(unread)} of the newest commands cannot be read, such as {unread[0]}"
        yield Check("schemas: commands", "warn", said, "they are parked: `orders dead-letters`")
    else:
        yield ok("schemas: commands", "the newest commands can be read")


async def of_positions(ground: Ground) -> AsyncIterator[Check]:
    """Whether the log still has what each reader reads next, and whether somebody writes."""
    now = await look(ground, CONTEXTS)
    lost = [f"{place.topic}/{place.partition}: the view is at {seen.view.next}, the log begins at {seen.first}"
            for place, seen in now.places.items() if seen.view and seen.view.next < seen.first]  # fmt: skip
    ahead = [f"{place.topic}/{place.partition}: the view is at {seen.view.next}, the log ends at {seen.head}"
             for place, seen in now.places.items() if seen.view and seen.view.next > seen.head]  # fmt: skip
    for group in (f"{name}.reactions" for name in CONTEXTS):
        for place, position in (await ground.cluster.positions(group)).items():
            first, end = await ground.log.bounds(place)
            if not first <= position.offset <= end:
                lost.append(f"{group} is at {position.offset} of {place.topic}/{place.partition}, {first} to {end}")
    if lost or ahead:
        said = f"{len(lost + ahead)} readers have lost their place: {(lost + ahead)[0]}"
        yield Check("positions", "fail", said, "history is gone or another: bring the topic back, then rebuild")
    else:
        yield ok("positions", "the log has what every reader reads next")
    idle = sorted({context_of(place) for place, seen in now.places.items() if seen.owner is None})
    if idle:
        said = f"nobody owns partitions of {', '.join(idle)}"
        yield Check("owners", "warn", said, f"`orders worker --contexts {','.join(idle)}`")
    else:
        yield ok("owners", "every partition has an owner")


async def of_caches(ground: Ground) -> AsyncIterator[Check]:
    """Snapshots against the log, and what was set aside."""
    for name in CONTEXTS:
        verdicts = await Proof(ground, decider_of(name), sample=0, whole=False).verdicts()
        if problems := [f"{name}/{one.partition}: {why}" for one in verdicts for why in one.problems]:
            yield Check(f"snapshots: {name}", "fail", problems[0], f"`orders snapshots drop {name}`")
        else:
            yield ok(f"snapshots: {name}", f"{sum(one.aggregates for one in verdicts):,} aggregates fit the log")
        letters = (await ground.databases[name].fetch(DEAD))[0]["letters"]
        if letters:
            yield Check(f"dead letters: {name}", "warn", f"{letters} wait for somebody", "`orders dead-letters`")
