"""AsyncAPI describes the topics to machines: channels are topics, messages are tags, operations are who does what."""

from collections.abc import Iterable
from importlib.metadata import version
from typing import Any

from msgspec.structs import replace

from events import topics
from events.envelope import Envelope
from events.event import Event
from events.fence import CLAIM
from events.registry import COMMANDS, EVENTS, OPERATIONS, OUTCOMES
from schemas.parking import EVERYWHERE
from schemas.values import Command
from workers.printing.catalogue import said
from workers.printing.shapes import dumped, models, schema_of
from workers.printing.tables import heard

Json = dict[str, Any]

HEADERS = {
    "ce_specversion": "CloudEvents, binary mode",
    "ce_id": "UUID of this message",
    "ce_type": "the tag",
    "ce_source": "the context that wrote it",
    "ce_time": "ISO 8601, UTC",
    "ce_subject": "the aggregate's stream; also the key",
    "correlation": "id of the request that began it all",
    "causation": "id of the message directly before",
    "origin": "where the command came from: topic/partition/offset/index, `client`, `owner` or `operator`",
    "traceparent": "W3C trace context; optional",
    "expected": "versions of the aggregate, comma separated, of which one must be the current one; * is any; optional",
    "version": "of the aggregate, gapless from 1; 0 for outcomes",
    "epoch": "of the claim under which it was written",
    "writer": "of the same claim",
    "position": "offset of the command that it answers; -1 for the owner's own",
}


def asyncapi() -> str:
    """schemas/asyncapi.json."""
    return dumped(
        {
            "asyncapi": "3.0.0",
            "info": {
                "title": "orderlog",
                "version": version("orderlog"),
                "description": "Commands and events on Kafka. Which records count: docs/fenced-log.md.",
                "license": {"name": "MIT"},
            },
            "defaultContentType": "application/json",
            "channels": dict(_channel(topic) for topic in topics.TOPICS),
            "operations": _operations(),
            "components": {"messages": _messages(), "schemas": _schemas()},
        }
    )


def _channel(topic: topics.Topic) -> tuple[str, Json]:
    what, tags = _content(topic)
    config = topic.config()
    kafka = {
        "topic": topic.name,
        "partitions": topic.partitions,
        "topicConfiguration": {
            "cleanup.policy": [config["cleanup.policy"]],
            **{name: int(config[name]) for name in ("retention.ms", "retention.bytes", "max.message.bytes")},
        },
        "bindingVersion": "0.5.0",
    }
    return topic.name, {
        "address": topic.name,
        "description": what,
        "messages": {tag: {"$ref": f"#/components/messages/{tag}"} for tag in tags},
        "bindings": {"kafka": kafka},
    }


def _content(topic: topics.Topic) -> tuple[str, list[str]]:
    """What a topic is for, and the tags on it."""
    if topic is topics.AUDIT:
        return "What operators did, kept for ever.", [event.tag for event in OPERATIONS]
    context, _, kind = topic.name.partition(".")
    if kind == "commands":
        return f"The {context} context: what may be asked, kept for a while.", _commands_of(context)
    return f"The {context} context: what has happened, kept for ever.", _events_of(context)


def _commands_of(context: str) -> list[str]:
    asked: tuple[type[Command], ...] = (*COMMANDS[context], *EVERYWHERE)
    return [command.tag for command in asked]


def _events_of(context: str) -> list[str]:
    recorded: tuple[type[Event], ...] = (*EVENTS[context], *OUTCOMES)
    return [*(event.tag for event in recorded), CLAIM]


def _operations() -> Json:
    found: Json = {}
    for context in EVENTS:
        rows = [row for row in heard() if row.context == context]
        found[f"{context}.decides"] = _operation("receive", topics.commands(context), _commands_of(context))
        found[f"{context}.records"] = _operation("send", topics.events(context), _events_of(context))
        for source, events in EVENTS.items():
            if tags := [row.event.tag for row in rows if row.event in events]:
                found[f"{context}.hears.{source}"] = _operation("receive", topics.events(source), tags)
        if asked := [command.tag for row in rows for command in row.asked]:
            found[f"{context}.asks"] = _operation("send", topics.commands(context), dict.fromkeys(asked))
    return found


def _operation(action: str, topic: str, tags: Iterable[str]) -> Json:
    messages = [{"$ref": f"#/channels/{topic}/messages/{tag}"} for tag in tags]
    return {"action": action, "channel": {"$ref": f"#/channels/{topic}"}, "messages": messages}


def _messages() -> Json:
    found = {tag: _message(tag, model) for tag, model in models().items()}
    found[CLAIM] = {
        "name": CLAIM,
        "summary": "A writer asks for the partition.",
        "headers": {"$ref": "#/components/schemas/headers.claim"},
        "payload": {"type": "object", "maxProperties": 0},
    }
    return found


def _message(tag: str, model: type[Any]) -> Json:
    # What operators did has no claim to stand under: its headers are a command's.
    kind = "event" if issubclass(model, Event) and model not in OPERATIONS else "command"
    return {
        "name": tag,
        "title": model.__name__,
        **({"summary": text} if (text := said(model)) else {}),
        "headers": {"$ref": f"#/components/schemas/headers.{kind}"},
        "payload": {"$ref": f"#/components/schemas/{tag}"},
        "bindings": {"kafka": {"key": {"type": "string"}, "bindingVersion": "0.5.0"}},
    }


def _schemas() -> Json:
    command = Envelope("", "", "", "", "", "", "", "", traceparent="some", expected="1")
    event = replace(command, epoch=1, expected="")
    found: Json = {
        "headers.command": _headers(dict(command.headers())),
        "headers.event": _headers(dict(event.headers())),
        "headers.claim": _headers(("ce_type", "epoch", "writer")),
    }
    for tag, model in models().items():
        schema = schema_of(model, "#/components/schemas/{model}")
        found |= schema.pop("$defs", {})
        found[tag] = schema
    return found


def _headers(names: Iterable[str]) -> Json:
    names = list(names)
    return {
        "type": "object",
        "properties": {name: {"type": "string", "description": HEADERS[name]} for name in names},
        "required": [name for name in names if name not in ("traceparent", "expected")],
    }
