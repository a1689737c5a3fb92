"""Snapshots are a cache: here they are checked against the log, and dropped."""

from typing import Annotated

import typer
from msgspec import structs

from projections.snapshots import Snapshots
from workers.deciders import decider_of
from workers.operator.audit import acting
from workers.operator.ground import chosen, known_context, standing
from workers.operator.proof import Proof
from workers.operator.terms import Json, Refused, Why, Yes, run, show, show_json, sure

app = typer.Typer(no_args_is_help=True, help="Snapshots: check them against the log, drop them.")

Context = Annotated[str | None, typer.Argument(help="one context; all if none is named")]
Sample = Annotated[int, typer.Option(help="aggregates of each partition to fold from the log and compare", min=0)]
Whole = Annotated[bool, typer.Option("--all", help="decode every snapshot, not a sample")]


@app.command()
def check(context: Context = None, sample: Sample = 20, whole: Whole = False, json: Json = False) -> None:
    """Compare resume points and snapshots with the log; exits with 1 if anything is wrong."""
    run(_check(context, sample, whole, json))


@app.command()
def drop(
    context: Annotated[str, typer.Argument(help="the context whose snapshots are deleted")],
    yes: Yes = False,
    why: Why = "",
    json: Json = False,
) -> None:
    """Delete a context's snapshots; safe while workers run, they come back from the log."""
    run(_drop(context, yes, why, json))


async def _check(context: str | None, sample: int, whole: bool, as_json: bool) -> None:
    names = chosen(context)
    async with standing() as ground:
        found = {name: await Proof(ground, decider_of(name), sample, whole).verdicts() for name in names}
    rows = [{"context": name, **structs.asdict(one)} for name, verdicts in found.items() for one in verdicts]
    problems = [f"{row['context']}/{row['partition']}: {why}" for row in rows for why in row["problems"]]
    if as_json:
        show_json({"ok": not problems, "partitions": rows})
    else:
        show([{**row, "problems": len(row["problems"])} for row in rows], False, nothing="there are no snapshots yet")
    if problems:
        raise Refused("\n".join(["snapshots that do not fit, `orders snapshots drop` has them made anew:", *problems]))


async def _drop(context: str, yes: bool, why: str, as_json: bool) -> None:
    known_context(context)
    async with standing() as ground:
        there = await ground.databases[context].fetch("SELECT count(*) AS n FROM snapshots")
        sure(f"Delete {there[0]['n']:,} snapshots of {context}? They come back from the log.", yes)
        async with acting(ground.log, "snapshots drop", context, why) as told:
            told["dropped"] = await Snapshots(ground.databases[context]).drop()
    show([{"context": context, "dropped": told["dropped"]}], as_json)
