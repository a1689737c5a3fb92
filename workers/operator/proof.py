"""Proof compares snapshots with what they are a cache of: do they fit their resume point, the log, and a fold of it?"""

from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import Struct

from aggregates.decider import Decider
from aggregates.repository import Entity, Repository
from events.fence import Fence
from events.fenced import catch_up
from events.log import Place, Record
from events.topics import events
from projections.inspection import ENTITIES, ORPHANS, RESUME_POINTS, SAMPLE
from projections.postgres import Connection
from workers.hotset import decoded
from workers.operator.ground import Ground

Row = dict[str, Any]


class Verdict(Struct, frozen=True):
    """A partition's snapshots, and what is wrong with them. `compared` aggregates were folded from the log as well."""

    partition: int
    next: int
    end: int
    aggregates: int
    pending: int
    compared: int
    problems: list[str]


class Proof:
    """The proof for one context."""

    def __init__(self, ground: Ground, decider: Decider, sample: int, whole: bool) -> None:
        self._log, self._database = ground.log, ground.databases[decider.context]
        self._decider, self._sample, self._whole = decider, sample, whole

    async def verdicts(self) -> list[Verdict]:
        """One a partition that has snapshots."""
        async with self._database.snapshot() as connection:  # a flush between two questions changes neither
            rows = await _asked(connection, RESUME_POINTS)
            orphans = await _asked(connection, ORPHANS)
            kept = [await self._kept(connection, row["partition"]) for row in rows]
        return [await self._partition(*each) for each in zip(rows, kept, strict=True)] + [
            Verdict(row["partition"], 0, 0, row["aggregates"], 0, 0, ["snapshots without a resume point: left over"])
            for row in orphans
        ]

    async def _kept(self, connection: Connection, partition: int) -> tuple[list[str], list[Row]]:
        """What is spoiled of a partition's snapshots, and a sample of them to compare."""
        whole = await _asked(connection, ENTITIES, partition=partition) if self._whole else []
        sample = await _asked(connection, SAMPLE, partition=partition, count=self._sample) if self._sample else []
        spoiled = {why: None for row in (*whole, *sample) if (why := _spoiled(self._decider, row))}
        return list(spoiled), sample

    async def _partition(self, row: Row, kept: tuple[list[str], list[Row]]) -> Verdict:
        place = Place(events(self._decider.context), row["partition"])
        first, end = await self._log.bounds(place)
        spoiled, sample = kept
        problems = []
        if row["next"] > end:
            problems.append(f"the resume point {row['next']} is ahead of the log, which ends at {end}")
        if row["next"] < first:
            problems.append(f"the log begins at {first}, after the resume point {row['next']}")
        if row["aggregates"] != row["counted"]:
            problems.append(f"it counts {row['aggregates']} aggregates, and {row['counted']} are there")
        problems += spoiled
        compared = 0
        if sample and not problems and first == 0:
            compared, differing = await self._compared(place, sample)
            problems += differing
        return Verdict(place.partition, row["next"], end, row["counted"], row["pending"], compared, problems)

    async def _compared(self, place: Place, rows: list[Row]) -> tuple[int, list[str]]:
        """A sample, each folded from the log's start up to the resume point that it belongs to."""
        kept = {row["stream"]: decoded(self._decider, row["stream"], row["entity"]) for row in rows}
        told = await self._folded(place, rows[0]["next"], kept)
        return len(kept), [
            f"{stream} is not what the log says: version {kept[stream].version}, and {told[stream].version} in the log"
            for stream in kept
            if kept[stream] != told[stream]
        ]

    async def _folded(self, place: Place, end: int, streams: Mapping[str, Entity]) -> dict[str, Entity]:
        repository = Repository(self._decider)
        wanted = {stream.encode() for stream in streams}

        def fold(record: Record) -> None:
            if record.headers.get("ce_subject", record.key) in wanted:
                repository.fold(record)

        await catch_up(self._log, place, Fence(), end, fold)
        return {stream: repository.get(stream) for stream in streams}


async def _asked(connection: Connection, question: str, **values: Any) -> list[Row]:
    return await (await connection.execute(question, values)).fetchall()


def _spoiled(decider: Decider, row: Row) -> str:
    try:
        decoded(decider, row["stream"], row["entity"])
    except (msgspec.MsgspecError, KeyError) as error:
        return f"{row['stream']} is spoiled: {error}"
    return ""
