"""Rebuilding is what `orders projections rebuild` and `verify` do, from the first record to the switch."""

import asyncio

from events.log import Place
from events.moments import offset_at
from events.topics import PARTITIONS, events
from projections.mending import mend as mend_row
from projections.versions import Version
from projections.view import Projection
from workers.fold import Fold
from workers.operator.audit import acting
from workers.operator.bars import Bars
from workers.operator.desk import Desk, alone_at_desk, at_desk, say
from workers.operator.proofs import show_proof, spoken, understood
from workers.operator.terms import Exit, Refused, sure, unknown
from workers.proof import Proof, prove
from workers.rebuild import Rebuild, begun, copied, rejoin, switch


async def rebuild(
    name: str,
    rate: float | None,
    partition: int | None,
    again: bool,
    no_switch: bool,
    leave: bool,
    accept: bool,
    sample: int,
    yes: bool,
    why: str,
    as_json: bool,
) -> None:
    async with alone_at_desk(name) as desk:
        sure(f"Rebuild {desk.name} from the log?", yes)
        async with acting(desk.ground.log, "projection.rebuild", desk.name, why, code=desk.model.version) as found:
            if partition is None:
                version, resumed = await begun(desk.versions, desk.model, again, accept)
            else:
                version, resumed = await _one_partition(desk, partition), False
            found["version"] = version.number
            filled = await desk.filled(version, rate, resumed, as_json)
            proof = await prove(desk.ground.log, filled, desk.versions, sample)
            found |= {"rows": proof.new_rows, "digest": proof.new_digest, "differing": len(proof.differing)}
            show_proof(proof, as_json)
            if no_switch:
                await desk.versions.state(version, "ready")
                return
            try:
                _decide(proof, accept, yes)
            except Refused as no:  # the next one begins anew, unless it accepts these rows
                await desk.versions.state(version, "refused" if proof.sound else "wrong", str(no))
                raise
            former = await switch(filled, desk.versions)
            say(as_json, switched=version.table, former=former.table if former else "")
            if not leave:
                await _kept_by_somebody(desk, version, filled, as_json)


async def _one_partition(desk: Desk, partition: int) -> Version:
    if partition >= PARTITIONS:
        raise unknown("partition", str(partition), [str(p) for p in range(PARTITIONS)])
    if (live := await desk.live()).code != desk.model.version:
        raise Refused(
            f"{live.table} is made by version {live.code} of the code, this is {desk.model.version}: rebuild all"
        )
    return await copied(desk.versions, desk.model, [partition])


def _decide(proof: Proof, accept: bool, yes: bool) -> None:
    """Go on, or not.

    Raises:
        Refused: it is not sound, or differs and nobody has accepted that.
    """
    if proof.misfolded or proof.sums:
        raise Refused(f"{proof.new} is not what its code makes of the log: the live version stays live")
    if proof.same or accept:
        return
    if yes:
        raise Refused(
            f"{proof.new} differs from {proof.live}, which stays live: look, then say --accept-differences, "
            f"or mend the code and rebuild --again"
        )
    sure("Let readers see it all the same?", False)


async def _kept_by_somebody(desk: Desk, version: Version, filled: Rebuild, as_json: bool) -> None:
    """Where no worker that runs has this code, keep the version up to date from here until one does."""
    said = False
    while True:
        now = await desk.version(version.number)
        if now.joined and said:
            say(as_json, kept=f"{now.table} is kept up to date by the workers from here on")
        if now.joined or not now.live:
            return
        if not said:
            say(as_json, waiting=f"no worker that runs has version {version.code} of the code: kept up to date from "
                 "here until one does; Ctrl-C leaves it to the next")  # fmt: skip
            said = True
        await filled.advance(await filled.live())
        if now.state == "joining":
            await rejoin(filled, desk.versions)
        else:
            await asyncio.sleep(0.5)


async def verify(name: str, rate: float | None, sample: int, as_json: bool) -> None:
    async with alone_at_desk(name) as desk:
        live = await desk.live()
        if live.code != desk.model.version:
            raise Refused(
                f"{live.table} is made by version {live.code} of the code, and this is {desk.model.version}: "
                f"`orders projections rebuild {desk.model.name}` compares what can be compared"
            )
        async with desk.versions.making() as connection:
            scratch = await desk.versions.make(connection, desk.model)
        try:
            filled = await desk.filled(scratch, rate, False, as_json)
            proof = await prove(desk.ground.log, filled, desk.versions, sample)
        finally:
            await desk.versions.drop(scratch)
        show_proof(proof, as_json)
        if not proof.same:
            raise Refused(
                f"{live.table} is not what the log says; `orders projections rebuild {desk.model.name}` mends it"
            )


async def upto(name: str, upto: str, rate: float | None, yes: bool, why: str, as_json: bool) -> None:
    async with alone_at_desk(name) as desk:
        ends = await _ends(desk, upto)
        sure(f"Build {desk.name} as of {upto} beside the live version?", yes)
        async with acting(desk.ground.log, "projection.rebuild", desk.name, why, upto=upto) as found:
            async with desk.versions.making() as connection:
                version = await desk.versions.make(connection, desk.model)
                await desk.versions.upto(connection, version, ends)
            found["version"] = version.number
            with Bars(version.table, as_json) as bars:
                filled = desk.rebuild(version, rate, bars.tell)
                await filled.open()
                await filled.fill(ends)
            await desk.versions.state(version, "ready", f"as of {upto}")
        say(as_json, built=version.table, positions=ends)


async def _ends(desk: Desk, upto: str) -> dict[int, int]:
    """The offsets that a time, or a list of positions, means; none beyond the checkpoint of the live ones."""
    places = {p: Place(events(desk.model.context), p) for p in range(PARTITIONS)}
    marks = await desk.marks()
    try:
        if ":" in upto and "-" not in upto:
            return understood(upto, {p: marks.get(p, 0) for p in places})
        found = {p: await offset_at(desk.ground.log, place, upto) for p, place in places.items()}
        return {p: min(at, marks.get(p, 0)) for p, at in found.items()}
    except ValueError:
        raise Refused(
            f"{upto!r} is neither a time (2026-11-27T10:00:00Z) nor positions ({spoken(marks)})", Exit.UNKNOWN
        ) from None


async def mend(name: str, key: str, yes: bool, why: str, as_json: bool) -> None:
    async with at_desk(name) as desk:
        if not isinstance(desk.model, Projection):
            raise Refused(f"{desk.name} has a row per record, and none per key: rebuild a partition, or all of it")
        live = await desk.live()
        if not live.joined or live.code != desk.model.version:
            raise Refused(f"{live.table} does not move with the others just now: resume or rebuild it first")
        sure(f"Make the row {key} of {desk.name} anew from the log?", yes)
        async with acting(desk.ground.log, "projection.rebuild", desk.name, why, key=key) as found:
            folds = [Fold(desk.ground.log, desk.model, p, {key}) for p in range(PARTITIONS)]
            marks = await desk.marks()
            for p, fold in enumerate(folds):
                await fold.upto(marks.get(p, 0))
            async with desk.versions.changing() as (connection, checkpoints):
                for p, fold in enumerate(folds):
                    await fold.upto(checkpoints[p].next if p in checkpoints else 0)
                rows = [row for fold in folds for row in fold.rows().values()]
                found["row"] = await mend_row(connection, live, desk.model, key, rows)
        if not rows and found["row"] == "none":
            raise Refused(f"the log has nothing of {key}, and {desk.name} no row: is the key right?", Exit.UNKNOWN)
        say(as_json, key=key, row=found["row"])
