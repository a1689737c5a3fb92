"""Samples are messages as our own contexts write them, with ids of nobody: what attacks begin with."""

import json
import re
from random import Random
from types import NoneType
from typing import Any, NamedTuple, get_args
from uuid import UUID

from pydantic.fields import FieldInfo

from events.envelope import CLIENT, Envelope
from events.event import Event
from events.registry import COMMANDS, EVENTS, command_codec, event_codec
from schemas.values import Command
from tests.golden import examples

NOON = "2026-03-02T12:00:00+00:00"

_UUID = re.compile(rb"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class Sample(NamedTuple):
    """A message that could be read; `needed` are fields that must be there and not null, `name` its id."""

    key: bytes
    body: bytes
    headers: list[tuple[str, bytes | None]]
    needed: tuple[str, ...]
    name: str

    @property
    def fields(self) -> dict[str, Any]:
        """The body's fields."""
        fields: dict[str, Any] = json.loads(self.body)
        return fields


def fresh_id(random: Random) -> str:
    """A UUID of nobody."""
    return str(UUID(int=random.getrandbits(128), version=4))


def sample_command(random: Random, context: str) -> Sample:
    """A command to one of a context's aggregates, as a client sends it."""
    cls = random.choice(COMMANDS[context])
    command = command_codec.decode(cls.tag, _renamed(random, command_codec.encode(examples.COMMANDS[cls.tag])))
    return _sample(random, command, command_codec.encode(command), "api")


def sample_event(random: Random, context: str) -> Sample:
    """An event of a context, by a writer who has claimed nothing."""
    cls = random.choice(EVENTS[context])
    event = event_codec.decode(cls.tag, _renamed(random, event_codec.encode(examples.EVENTS[cls.tag])))
    owned = {"version": random.randint(1, 9), "epoch": random.randint(1, 9), "writer": fresh_id(random)}
    return _sample(random, event, event_codec.encode(event), context, **owned, position=random.randint(-1, 99))


def _sample(random: Random, message: Command | Event, body: bytes, source: str, **owned: Any) -> Sample:
    request = fresh_id(random)
    envelope = Envelope(
        id=fresh_id(random),
        type=message.tag,
        source=source,
        time=NOON,
        subject=message.stream,
        correlation=request,
        causation=request,
        origin=CLIENT,
        **owned,
    )
    needed = tuple(
        name for name, field in type(message).model_fields.items() if field.is_required() and not _may_be_none(field)
    )
    name = next((name for name in needed if name.endswith(("_id", "sku"))), needed[0])
    return Sample(message.stream.encode(), body, [*envelope.headers()], needed, name)


def _may_be_none(field: FieldInfo) -> bool:
    """Whether null would be one of the field's values."""
    return NoneType in get_args(field.annotation)


def _renamed(random: Random, body: bytes) -> bytes:
    """Every id is another one, the same ones the same."""
    names: dict[bytes, bytes] = {}
    return _UUID.sub(lambda found: names.setdefault(found[0], fresh_id(random).encode()), body)
