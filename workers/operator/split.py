"""Split says what to start to run one context alone: nothing but flags changes."""

import inspect
from typing import Annotated, Any

import typer

from events.registry import EVENTS
from events.topics import commands, events
from projections.registry import PROJECTIONS
from workers.agents import Notify, Statistics
from workers.operator.ground import known_context
from workers.operator.terms import Json, run, show_json
from workers.printing.story import OUTSIDE
from workers.printing.tables import heard

Document = dict[str, Any]

STREAMS = "notification"
"""The context whose workers carry Faust's streams too (decision 0002)."""


def split(context: Annotated[str, typer.Argument(help="the context to run alone")], json: Json = False) -> None:
    """What to start to run one context alone: processes, environment, database, topics."""
    run(_split(context, json))


async def _split(context: str, as_json: bool) -> None:
    document = alone(known_context(context))
    show_json(document) if as_json else typer.echo(in_words(document))


def alone(context: str) -> Document:
    """All that one context needs and touches."""
    return {
        "context": context,
        "worker": f"orders worker --contexts {context}",
        "api": f"ORDERLOG_CONTEXTS={context} python -m api",
        "environment": _environment(context),
        "database": f"orderlog_{context}",
        "tables": [projection.name for projection in PROJECTIONS[context]],
        "reads": [commands(context), events(context), *_heard_by(context)],
        "writes": [commands(context), events(context), *(_changelogs() if context == STREAMS else [])],
        "groups": [f"{context}.writers", *_groups(context)],
        "others": "orders worker --contexts " + ",".join(name for name in EVENTS if name != context),
    }


def _environment(context: str) -> dict[str, str]:
    """What must be the same as for all others, and what only this context uses."""
    needed = {"ORDERLOG_KAFKA": "host:port, as for all", "ORDERLOG_POSTGRES": "a server of its own, or the common one"}
    if (outside := OUTSIDE.get(context)) == "provider":
        needed["ORDERLOG_PROVIDER"] = "the payment provider's base URL"
    elif outside:
        needed |= {"ORDERLOG_SMTP": "host:port", "ORDERLOG_SENDER": "address that mail is sent from"}
    if context == "user":
        needed |= {"ORDERLOG_KEYS": "the keys that sign tokens; every other API verifies with their public halves"}
    if context in ("user", "notification"):
        needed |= {"ORDERLOG_ACCOUNT_SECRET": "the same for user's API and for notification's worker"}
    return needed


def _heard_by(context: str) -> list[str]:
    """The topics of others that it listens to, in the order of contexts."""
    tags = {row.event for row in heard() if row.context == context}
    topics = {events(name) for name, types in EVENTS.items() if tags & set(types)}
    if context == STREAMS:
        topics |= {topic for agent in (Notify, Statistics) for topic in _topics_of(agent)}
    return [events(name) for name in EVENTS if events(name) in topics]


def _topics_of(agent: type[Any]) -> tuple[str, ...]:
    default: tuple[str, ...] = inspect.signature(agent).parameters["topics"].default
    return default


def _changelogs() -> list[str]:
    return [f"orderlog-streams-{table}-changelog" for table in ("claims", "minutes")]


def _groups(context: str) -> list[str]:
    """Groups beside the writers'; whoever listens keeps its place in one."""
    if context == STREAMS:
        return ["orderlog-streams", f"{STREAMS}.reactions"]
    return [f"{context}.reactions"] if _heard_by(context) else []


def in_words(document: Document) -> str:
    """As text that can be pasted."""
    lines = [
        f"# {document['context']}, alone; the others: {document['others']}",
        *(f"export {name}=…   # {meaning}" for name, meaning in document["environment"].items()),
        document["worker"],
        f"{document['api']}   # or one API for several contexts",
        "",
        f"database   {document['database']} (made by the worker), tables {', '.join(document['tables'])}",
        *(f"{name:10} {', '.join(document[name])}" for name in ("reads", "writes", "groups")),
    ]
    return "\n".join(lines)
