"""Projections: rebuilt from the log beside the live version, proved, switched and switched back, while readers read."""

from collections.abc import Sequence
from typing import Annotated, Any

import typer
from msgspec import structs

from events.log import Place
from events.topics import PARTITIONS, events
from projections.registry import CHECKPOINTS, models
from projections.standing import standings
from projections.versions import POSITIONS, Version, Versions
from schemas.settings import CONTEXTS
from workers.operator import rebuilding
from workers.operator.audit import acting
from workers.operator.desk import Desk, alone_at_desk, at_desk, say
from workers.operator.ground import Ground, standing
from workers.operator.proofs import spoken
from workers.operator.terms import Json, Refused, Why, Yes, run, show, show_json, sure
from workers.proof import SAMPLE
from workers.rebuild import rejoin, stand_apart, switch

app = typer.Typer(no_args_is_help=True, help=__doc__)

PATIENCE = 5.0
"""Seconds for which a command waits for another to end: a worker's own is often just about to."""

Name = Annotated[str, typer.Argument(help="read model: orders, or order.history where several contexts have it")]
Rate = Annotated[float | None, typer.Option("--rate", help="records a second at most, over all partitions", min=1)]
Sample = Annotated[int, typer.Option("--sample", help="keys that are folded a second time", min=1)]
Anyway = Annotated[bool, typer.Option("--accept-differences", help="switch though rows differ from the live ones")]


@app.command("list")
def list_(json: Json = False) -> None:
    """Every version of every read model: which is live, how far it is, what it waits for."""
    run(_list(json))


@app.command()
def rebuild(
    name: Name,
    rate: Rate = None,
    partition: Annotated[int | None, typer.Option(help="rebuild this partition's rows alone", min=0)] = None,
    aggregate: Annotated[str | None, typer.Option(help="rebuild this key's row alone, in place")] = None,
    upto: Annotated[str | None, typer.Option(help="stop at a time (ISO 8601) or at positions: 0:120,1:98,…")] = None,
    again: Annotated[bool, typer.Option("--again", help="begin anew, even if one is unfinished")] = False,
    no_switch: Annotated[bool, typer.Option("--no-switch", help="prove it, and leave the live one live")] = False,
    leave: Annotated[
        bool, typer.Option("--leave", help="once switched, leave it to the workers that have its code")
    ] = False,
    accept: Anyway = False,
    sample: Sample = SAMPLE,
    yes: Yes = False,
    why: Why = "",
    json: Json = False,
) -> None:
    """Fill a new version from the log beside the live one, prove it, and let readers see it. Goes on if interrupted."""
    if aggregate is not None:
        run(rebuilding.mend(name, aggregate, yes, why, json))
    elif upto is not None:
        run(rebuilding.upto(name, upto, rate, yes, why, json))
    else:
        run(rebuilding.rebuild(name, rate, partition, again, no_switch, leave, accept, sample, yes, why, json))


@app.command()
def verify(name: Name, rate: Rate = None, sample: Sample = SAMPLE, json: Json = False) -> None:
    """Compare the live version with the log, row by row, while it goes on; exits with 1 if they differ."""
    run(rebuilding.verify(name, rate, sample, json))


@app.command()
def rollback(
    name: Name,
    to: Annotated[int | None, typer.Option("--to", help="version to go back to; the one before, else", min=1)] = None,
    stale: Annotated[bool, typer.Option("--stale", help="though this code cannot bring it up to date")] = False,
    yes: Yes = False,
    why: Why = "",
    json: Json = False,
) -> None:
    """Let readers see another version again, brought up to date before."""
    run(_rollback(name, to, stale, yes, why, json))


@app.command()
def pause(name: Name, yes: Yes = False, why: Why = "", json: Json = False) -> None:
    """Let a read model stand still: readers see it as it is now."""
    run(_pause(name, yes, why, json))


@app.command()
def resume(name: Name, rate: Rate = None, yes: Yes = False, why: Why = "", json: Json = False) -> None:
    """Bring a read model that stands still up to date, and let it go on with the others."""
    run(_resume(name, rate, yes, why, json))


@app.command()
def drop(
    name: Name,
    number: Annotated[int, typer.Argument(help="number of the version")],
    yes: Yes = False,
    why: Why = "",
    json: Json = False,
) -> None:
    """Delete a version that nobody reads."""
    run(_drop(name, number, yes, why, json))


async def _list(as_json: bool) -> None:
    async with standing() as ground:
        found = [row for context in CONTEXTS for row in await _rows(ground, context)]
    if as_json:
        show_json(found)
        return
    show([{name: row[name] for name in SHOWN} for row in found], False, "Read models")


SHOWN = ("context", "name", "version", "code", "wanted", "live", "state", "behind", "rate", "parked", "said")


async def _rows(ground: Ground, context: str) -> list[dict[str, Any]]:
    """The versions of a context's read models, and how far each is."""
    database, known = ground.databases[context], models(context)
    found = standings(
        context,
        known,
        await Versions(database, known).all(),
        {row["partition"]: row["next"] for row in await database.fetch(CHECKPOINTS)},
        await database.fetch(POSITIONS),
        {p: (await ground.log.bounds(Place(events(context), p)))[1] for p in range(PARTITIONS)},
    )
    return [structs.asdict(one) for one in found]


async def _rollback(name: str, to: int | None, stale: bool, yes: bool, why: str, as_json: bool) -> None:
    async with alone_at_desk(name, PATIENCE) as desk:
        live = await desk.live()
        version = await desk.version(to) if to is not None else _before(desk, live, await desk.versions.all())
        if version.live:
            raise Refused(f"{version.table} is live already")
        if version.upto:
            raise Refused(
                f"{version.table} is as of {spoken({int(p): n for p, n in version.upto.items()})}, and stays so"
            )
        known = (version.name, version.code) in desk.versions.models
        if not known and not version.joined and not stale:
            raise Refused(
                f"{version.table} is made by version {version.code} of the code, which this release has not: use the "
                "release that has it, or say --stale to show readers what it has"
            )
        sure(f"Let readers of {desk.name} see {version.table} instead of {live.table}?", yes)
        async with acting(
            desk.ground.log, "projection.rollback", desk.name, why, live=version.number, former=live.number
        ):
            if version.joined or not known:
                async with desk.versions.changing() as (connection, checkpoints):
                    await desk.versions.switch(connection, version, checkpoints)
            else:
                filled = await desk.filled(version, None, True, as_json)
                await switch(filled, desk.versions)
        say(as_json, switched=version.table, former=live.table)


def _before(desk: Desk, live: Version, versions: Sequence[Version]) -> Version:
    """The version that was live before, as far as numbers tell."""
    whole = [v for v in versions if v.state not in ("building", "stopped", "refused", "wrong") and not v.upto]
    others = [v for v in whole if v.name == live.name and not v.live]
    earlier = [v for v in others if v.number < live.number] or others
    if not earlier:
        raise Refused(f"{desk.name} has no version but the live one")
    return max(earlier, key=lambda version: version.number)


async def _pause(name: str, yes: bool, why: str, as_json: bool) -> None:
    async with at_desk(name) as desk:
        live = await desk.live()
        if not live.joined:
            raise Refused(f"{live.table} stands still already")
        sure(f"Let {desk.name} stand still?", yes)
        async with acting(desk.ground.log, "projection.pause", desk.name, why):
            await stand_apart(desk.versions, live)
        say(as_json, paused=live.table)


async def _resume(name: str, rate: float | None, yes: bool, why: str, as_json: bool) -> None:
    async with alone_at_desk(name, PATIENCE) as desk:
        live = await desk.live()
        if live.joined:
            raise Refused(f"{live.table} is up to date already")
        if (live.name, live.code) not in desk.versions.models:
            raise Refused(
                f"{live.table} is made by version {live.code} of the code, which this release has not: rebuild it"
            )
        sure(f"Bring {desk.name} up to date, and let it go on?", yes)
        async with acting(desk.ground.log, "projection.resume", desk.name, why):
            filled = await desk.filled(live, rate, True, as_json)
            await rejoin(filled, desk.versions)
        say(as_json, resumed=live.table)


async def _drop(name: str, number: int, yes: bool, why: str, as_json: bool) -> None:
    async with alone_at_desk(name, PATIENCE) as desk:
        version = await desk.version(number)
        sure(f"Delete {version.table}?", yes)
        async with acting(desk.ground.log, "projection.drop", desk.name, why, version=number):
            await desk.versions.drop(version)
        say(as_json, dropped=version.table)
