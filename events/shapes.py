"""Shapes say which columns an event's class comes to: Arrow types of its fields, without what nobody is shown."""

from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin

import pyarrow as pa
from msgspec import Struct, json
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from events.codec import Codec
from events.event import Event
from events.registry import event_codec
from schemas.values import SECRET

MOMENT: Any = pa.timestamp("us", "UTC")
ENVELOPE: Any = pa.schema(
    [
        pa.field("log_partition", pa.int32(), nullable=False),
        pa.field("log_position", pa.int64(), nullable=False),
        pa.field("stream", pa.string(), nullable=False),
        pa.field("version", pa.int64(), nullable=False),
        pa.field("at", MOMENT, nullable=False),
        pa.field("event_id", pa.string(), nullable=False),
        pa.field("correlation_id", pa.string(), nullable=False),
        pa.field("causation_id", pa.string(), nullable=False),
        pa.field("origin", pa.string(), nullable=False),
    ]
)
"""What every event has, whatever its type; `version` is 0 for outcomes."""

UNSAID = b"unsaid"
"""A field's metadata: its value, as JSON, where a body does not say it, be it old or the usual one."""

TAKEN = frozenset(ENVELOPE.names) | {"context", "type", "day"}
"""Names that a body's field cannot have as a column: it is written with an underscore behind it."""

UNREADABLE = "unreadable"
"""Stands for the type of what counts, but cannot be read by this code."""
UNREAD: Any = pa.schema(
    [
        *(field.with_nullable(field.name not in ENVELOPE.names[:5]) for field in ENVELOPE),
        pa.field("tag", pa.string()),
        pa.field("reason", pa.string(), nullable=False),
    ]
)
"""Columns of those: what can be said of them, and why no more. `at` is the broker's time."""

_HIDDEN = {
    "payment.requested.v1": {"token"},
    "payment.attempted.v1": {"token"},
    # Bytes of other messages, which may hold what nobody is shown.
    "letter.parked.v1": {"value"},
    "letter.released.v1": {"value"},
    "letter.edited.v1": {"value", "before"},
    "record.parked.v1": {"value"},
}
_PLAIN: dict[Any, Any] = {
    str: pa.string(),
    int: pa.int64(),
    bool: pa.bool_(),
    float: pa.float64(),
    datetime: MOMENT,
}


class Shape(Struct, frozen=True):
    """The columns of a class.

    schema: as they are handed out. fields: a body's fields, each with what must not be null in it. columns: the
    columns' names, by field. texts: those fields whose inside is not known beforehand; they are JSON text.
    """

    tag: str
    schema: Any
    fields: Any
    columns: Mapping[str, str]
    texts: frozenset[str]

    @property
    def parsed(self) -> Any:
        """The schema of bodies while they are parsed, when anything may be missing."""
        return pa.schema([pa.field(field.name, loose(field.type)) for field in self.fields])


@lru_cache(maxsize=256)
def shape_of(cls: type[Event]) -> Shape:
    """The columns of an event's class.

    Raises:
        TypeError: it has a field that no column can hold; extend this module.
    """
    shown = {name: info for name, info in cls.model_fields.items() if name not in hidden(cls)}
    texts = frozenset(name for name, info in shown.items() if _is_open(info))
    fields = [_field(name, info, name in texts) for name, info in shown.items()]
    columns = {name: column(name) for name in shown}
    typed = [pa.field(columns[f.name], loose(f.type), nullable=f.nullable) for f in fields]
    return Shape(cls.tag, pa.schema([*ENVELOPE, *typed]), pa.schema(fields), columns, texts)


def column(field: str) -> str:
    """The name of a body's field as a column."""
    return f"{field}_" if field in TAKEN else field


def hidden(cls: type[Event]) -> frozenset[str]:
    """Fields of a class that nobody is shown."""
    return SECRET | _HIDDEN.get(cls.tag, set())


def newest(codec: Codec[Event] = event_codec) -> dict[str, type[Event]]:
    """Every tag that is read, former ones too, and the class that it is read as."""
    return {tag: cls for cls in codec.types.values() for tag in codec.tags(cls)}


def loose(kind: Any) -> Any:
    """The same type, with null allowed wherever it can be."""
    if pa.types.is_list(kind):
        return pa.list_(loose(kind.value_type))
    if pa.types.is_struct(kind):
        return pa.struct([pa.field(each.name, loose(each.type)) for each in kind])
    return kind


def _is_open(info: FieldInfo) -> bool:
    kind, _ = _needed(info.annotation)
    return kind is Any or get_origin(kind) is dict or kind is dict


def _field(name: str, info: FieldInfo, text: bool = False) -> Any:
    kind, optional = _needed(info.annotation)
    said = None if info.is_required() or info.default is None or info.default_factory else info.default
    unsaid = None if said is None else {UNSAID: json.encode(said)}
    return pa.field(name, pa.string() if text else _type(kind), nullable=optional, metadata=unsaid)


def _needed(kind: Any) -> tuple[Any, bool]:
    """A type without None, and whether it had it."""
    if get_origin(kind) in (Union, UnionType):
        rest = [each for each in get_args(kind) if each is not NoneType]
        if len(rest) == 1 and len(rest) < len(get_args(kind)):
            return rest[0], True
    return kind, False


def _type(kind: Any) -> Any:
    if kind in _PLAIN:
        return _PLAIN[kind]
    origin, inner = get_origin(kind), get_args(kind)
    if origin is list or (origin is tuple and inner[1:] == (...,)):
        each, optional = _needed(inner[0])
        return pa.list_(pa.field("item", _type(each), nullable=optional))
    if origin is Literal and all(isinstance(each, str) for each in inner):
        return pa.string()
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return pa.struct([_field(name, info) for name, info in kind.model_fields.items()])
    raise TypeError(f"no column is known for {kind}")
