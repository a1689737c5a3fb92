"""Topics of the log: as they are, whether they are as the table says, and those made that are missing."""

from typing import Annotated, Any

import typer
from msgspec import structs

from events.kafka import create_topics
from events.log import Place
from events.topics import AUDIT, TOPICS, Topic
from workers.operator.audit import acting
from workers.operator.ground import Ground, standing
from workers.operator.settings import Difference, differences, way_out
from workers.operator.terms import Json, Refused, Why, Yes, run, show, show_json, sure, unknown

app = typer.Typer(no_args_is_help=True, help="Topics: show, check against the table, create.")

SHOWN = ("cleanup.policy", "retention.ms", "retention.bytes", "max.message.bytes", "unclean.leader.election.enable",
         "min.insync.replicas")  # fmt: skip
Name = Annotated[str | None, typer.Argument(help="one topic; all of the table if none is named")]


@app.command("show")
def show_topics(name: Name = None, json: Json = False) -> None:
    """Topics as the brokers have them: partitions, copies, records, settings."""
    run(_show(name, json))


@app.command()
def check(json: Json = False) -> None:
    """Compare all topics with the table in events/topics.py; exits with 1 if anything could be lost."""
    run(_check(json))


@app.command()
def create(yes: Yes = False, why: Why = "", json: Json = False) -> None:
    """Create the topics that are missing."""
    run(_create(yes, why, json))


async def _show(name: str | None, as_json: bool) -> None:
    wanted = _named(name)
    async with standing(whole=False) as ground:
        found = await ground.cluster.topics([topic.name for topic in wanted])
        rows = []
        for topic in (found[one.name] for one in wanted if one.name in found):
            bounds = [await ground.log.bounds(Place(topic.name, p)) for p in range(topic.partitions)]
            rows.append(
                {"topic": topic.name, "partitions": topic.partitions, "copies": topic.copies, "in_sync": topic.in_sync,
                 "records": sum(end - first for first, end in bounds), "first": min(first for first, _ in bounds)}
                | {setting: topic.config.get(setting, "") for setting in SHOWN}
            )  # fmt: skip
    if as_json or name:
        show(rows, as_json)
    else:
        brief = ("topic", "partitions", "copies", "in_sync", "records", "cleanup.policy", "retention.ms")
        show([{key: row[key] for key in brief} for row in rows], as_json, nothing="no topic is there yet")


def _named(name: str | None) -> list[Topic]:
    if name and name not in (names := [topic.name for topic in TOPICS]):
        raise unknown("topic", name, names)
    return [topic for topic in TOPICS if name in (None, topic.name)]


async def _check(as_json: bool) -> None:
    async with standing(whole=False) as ground:
        found = await compared(ground)
    if as_json:
        show_json(
            {"ok": not _bad(found), "differences": [structs.asdict(one) | {"way_out": way_out(one)} for one in found]}
        )
    else:
        rows: list[dict[str, Any]] = [structs.asdict(one) for one in found]
        show(rows, False, nothing=f"all {len(TOPICS)} topics are as the table says")
        for out in dict.fromkeys(map(way_out, found)):
            typer.echo(f"→ {out}")
    if _bad(found):
        raise Refused(f"{_bad(found)} settings could lose data")


async def compared(ground: Ground) -> list[Difference]:
    """Every difference from the table."""
    found = await ground.cluster.topics([topic.name for topic in TOPICS])
    wanted = ground.settings.replication
    return [one for topic in TOPICS for one in differences(topic, found.get(topic.name), wanted)]


def _bad(found: list[Difference]) -> int:
    return sum(one.level == "fail" for one in found)


async def _create(yes: bool, why: str, as_json: bool) -> None:
    async with standing(whole=False) as ground:
        there = await ground.cluster.names()
        missing = [topic for topic in TOPICS if topic.name not in there]
        if not missing:
            show([], as_json, nothing="nothing is missing")
            return
        names = [topic.name for topic in missing]
        copies = ground.settings.replication
        sure(f"Create {', '.join(names)} with {copies} copies on {ground.settings.kafka}?", yes)
        if AUDIT in missing:  # an act is on record before anything else is done
            await create_topics(ground.settings.kafka, [AUDIT], copies)
        async with acting(ground.log, "topics create", ", ".join(names), why, copies=copies) as told:
            made = await create_topics(ground.settings.kafka, missing, copies)
            created = sorted({*made, *(name for name in names if name == AUDIT.name)})
            told["created"] = len(created)
    show([{"topic": name, "created": True} for name in created], as_json)
