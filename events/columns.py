"""Columns turns what a sweep has found into Arrow tables, one per type, with a typed column for each field.

Bodies are JSON, and those of one type are parsed together: nothing is done in Python for each of them. Whatever is odd
about some of them makes them be read one by one by the codec, whose word is final; what it cannot read is handed out
too, as `unreadable`, with the reason.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.json as pj
from msgspec import DecodeError, json

from events.codec import Codec
from events.errors import Undecodable
from events.event import Event
from events.moments import time_in
from events.registry import event_codec
from events.shapes import ENVELOPE, MOMENT, UNREAD, UNREADABLE, UNSAID, Shape, hidden, newest, shape_of
from events.sweep import Found, circumstances

BODY = "body"
"""The one column of a former tag's fields, where they are wanted as recorded: JSON text."""


LATEST = 253_402_300_799_000
"""The last second of the year 9999, in milliseconds: strangers may write any time."""


class Batch(NamedTuple):
    """Events of one type and partition, in the log's order."""

    type: str
    rows: Any


class Columns:
    """Tables of what was found; upcast to the newest version of each type, or `recorded`: as they lie in the log."""

    def __init__(self, codec: Codec[Event] = event_codec, recorded: bool = False) -> None:
        self._codec, self._recorded = codec, recorded
        self._newest = newest(codec)

    def schema(self, tag: str) -> Any:
        """The columns of a type.

        Raises:
            KeyError: nobody here knows it.
        """
        if tag == UNREADABLE:
            return UNREAD
        if self._recorded and tag not in self._codec.types:
            return ENVELOPE.append(pa.field(BODY, pa.string(), nullable=False))
        return shape_of(self._newest[tag]).schema

    def of(self, partition: int, found: Sequence[Found]) -> Iterator[Batch]:
        """The tables of some records of a partition that count."""
        by_type: dict[str, list[Found]] = defaultdict(list)
        for each in found:
            by_type[each.type].append(each)
        for tag, rows in by_type.items():
            cls = self._newest.get(tag)
            if cls is None:
                yield unread(partition, [(each, each.reason or f"unknown tag {tag!r}") for each in rows])
            elif self._recorded and tag not in self._codec.types:
                yield from self._former(partition, rows, cls)
            else:
                yield from self._typed(partition, rows, shape_of(cls))

    def _typed(self, partition: int, rows: list[Found], shape: Shape) -> Iterator[Batch]:
        if rows[0].type == shape.tag and not shape.texts:
            try:
                bodies = parsed(shape, [row.body for row in rows])
                arrays = [*envelopes(partition, rows), *bodies]
                yield Batch(shape.tag, pa.RecordBatch.from_arrays(arrays, schema=shape.schema))
                return
            except (ValueError, ArithmeticError, Undecodable):
                pass
        sound: list[tuple[Found, bytes]] = []
        odd: list[tuple[Found, str]] = []
        for row in rows:
            try:
                _ = row.at, row.envelope
                sound.append((row, plain(shape, self._codec.fresh(row.type, row.body))))
            except (Undecodable, ValueError) as error:
                odd.append((row, str(error)))
        yield from _halved(partition, sound, shape, odd)
        if odd:
            yield unread(partition, sorted(odd, key=lambda pair: pair[0].offset))

    def _former(self, partition: int, rows: list[Found], cls: type[Event]) -> Iterator[Batch]:
        """A shape that has no class any more: its fields as JSON text."""
        sound, texts, odd = [], [], []
        for row in rows:
            try:
                _ = row.at, row.envelope
                self._codec.fresh(row.type, row.body)
                texts.append(_without(row.body, hidden(cls)))
                sound.append(row)
            except (Undecodable, ValueError) as error:
                odd.append((row, str(error)))
        if sound:
            arrays = [*envelopes(partition, sound), pa.array(texts, pa.string())]
            yield Batch(rows[0].type, pa.RecordBatch.from_arrays(arrays, schema=self.schema(rows[0].type)))
        if odd:
            yield unread(partition, odd)


def parsed(shape: Shape, bodies: Sequence[bytes], ours: bool = False) -> list[Any]:
    """A column per field; `ours` are bodies as the codec writes them, where null is meant.

    Raises:
        ValueError: they are not, each of them, an object on one line that has every field, of the right type.
    """
    joined = b"\n".join(bodies)
    # Each is an object on one line, if so many come out: nothing cut off by `}` and a line end goes on with `{`.
    lines = any(b"\n" in body for body in bodies), joined.count(b"}\n{"), joined.startswith(b"{")
    if lines != (False, len(bodies) - 1, True) or b"\\u0000" in joined:
        raise ValueError("bodies that must be looked at one by one")
    if not joined.isascii():
        joined.decode()
    table = pj.read_json(
        pa.BufferReader(joined),
        read_options=pj.ReadOptions(use_threads=False, block_size=len(joined) + 1),
        parse_options=pj.ParseOptions(explicit_schema=shape.parsed, unexpected_field_behavior="ignore"),
    )
    if table.num_rows != len(bodies):
        raise ValueError(f"{len(bodies)} bodies hold {table.num_rows} objects")
    arrays = [table.column(field.name).combine_chunks() for field in shape.fields]
    if ours or b"null" not in joined:  # else nobody knows here whether a field is null, or is not there
        arrays = list(map(filled, arrays, shape.fields))
    if not all(map(is_whole, arrays, shape.fields)):
        raise ValueError("a field is missing")
    return arrays


def filled(array: Any, field: Any) -> Any:
    """The column with what its bodies leave unsaid."""
    if array.null_count and field.metadata and UNSAID in field.metadata:
        array = pc.if_else(array.is_null(), pa.scalar(json.decode(field.metadata[UNSAID]), array.type), array)
    if pa.types.is_list(field.type) and _may_be_unsaid(field.type.value_field):
        return pa.ListArray.from_arrays(array.offsets, filled(array.values, field.type.value_field), mask=_nulls(array))
    if pa.types.is_struct(field.type) and any(map(_may_be_unsaid, field.type)):
        parts = [filled(array.field(each.name), each) for each in field.type]
        return pa.StructArray.from_arrays(parts, fields=list(array.type), mask=_nulls(array))
    return array


def _nulls(array: Any) -> Any:
    return array.is_null() if array.null_count else None


def _may_be_unsaid(field: Any) -> bool:
    """Whether a value of the field, or one inside it, may be left out of a body."""
    if field.metadata and UNSAID in field.metadata:
        return True
    if pa.types.is_list(field.type):
        return _may_be_unsaid(field.type.value_field)
    return bool(pa.types.is_struct(field.type) and any(map(_may_be_unsaid, field.type)))


def is_whole(array: Any, field: Any) -> bool:
    """Whether nothing is null that must not be."""
    if array.null_count:
        if not field.nullable:
            return False
        array = array.drop_null()
    if pa.types.is_list(field.type):
        return is_whole(array.flatten(), field.type.value_field)
    if pa.types.is_struct(field.type):
        return all(map(is_whole, array.flatten(), field.type))
    return True


def envelopes(partition: int, rows: Sequence[Found]) -> list[Any]:
    """The columns that all types have.

    Raises:
        ValueError: a time is none.
    """
    ids, correlations, causations, origins = circumstances(rows)
    return [
        pa.repeat(pa.scalar(partition, pa.int32()), len(rows)),
        pa.array([row.offset for row in rows], pa.int64()),
        pa.array([row.stream for row in rows], pa.string()),
        pa.array([row.version for row in rows], pa.int64()),
        times([row.time for row in rows]),
        pa.array(ids, pa.string()),
        pa.array(correlations, pa.string()),
        pa.array(causations, pa.string()),
        pa.array(origins, pa.string()),
    ]


def times(texts: Sequence[str]) -> Any:
    """ISO 8601 as moments; UTC where it names no zone."""
    try:
        return pa.array(texts, pa.string()).cast(MOMENT)
    except pa.ArrowInvalid:
        return pa.array(list(map(time_in, texts)), MOMENT)


def unread(partition: int, rows: Sequence[tuple[Found, str]]) -> Batch:
    """Those that cannot be read, and why."""
    said = [_what_is_known(row) for row, _ in rows]
    arrays = [
        pa.repeat(pa.scalar(partition, pa.int32()), len(rows)),
        pa.array([row.offset for row, _ in rows], pa.int64()),
        pa.array([row.stream for row, _ in rows], pa.string()),
        pa.array([row.version for row, _ in rows], pa.int64()),
        pa.array([min(max(row.timestamp, 0), LATEST) * 1000 for row, _ in rows], pa.int64()).cast(MOMENT),
        *(pa.array([each[n] for each in said], pa.string()) for n in range(4)),
        pa.array([row.type or None for row, _ in rows], pa.string()),
        pa.array([reason for _, reason in rows], pa.string()),
    ]
    return Batch(UNREADABLE, pa.RecordBatch.from_arrays(arrays, schema=UNREAD))


def plain(shape: Shape, event: Event) -> bytes:
    """An event as JSON in which what has no columns of its own is text."""
    if not shape.texts:
        return event.__pydantic_serializer__.to_json(event)
    body = event.model_dump(mode="json")
    return json.encode({**body, **{name: json.encode(body[name]).decode() for name in shape.texts}})


def _halved(
    partition: int, sound: list[tuple[Found, bytes]], shape: Shape, odd: list[tuple[Found, str]]
) -> Iterator[Batch]:
    """Tables of those that fit; the search for those that do not, such as numbers beyond 64 bits, is by halves."""
    if not sound:
        return
    try:
        arrays = parsed(shape, [body for _, body in sound], ours=True)
    except (ValueError, ArithmeticError) as error:
        if len(sound) == 1:
            odd.append((sound[0][0], str(error)))
            return
        middle = len(sound) // 2
        yield from _halved(partition, sound[:middle], shape, odd)
        yield from _halved(partition, sound[middle:], shape, odd)
        return
    arrays = [*envelopes(partition, [row for row, _ in sound]), *arrays]
    yield Batch(shape.tag, pa.RecordBatch.from_arrays(arrays, schema=shape.schema))


def _without(body: bytes, secret: frozenset[str]) -> str:
    try:
        fields = json.decode(body)
    except DecodeError as error:
        raise Undecodable(str(error)) from None
    return json.encode({name: value for name, value in fields.items() if name not in secret}).decode()


def _what_is_known(found: Found) -> Sequence[str | None]:
    try:
        return [each for [each] in circumstances([found])]
    except Undecodable:
        return (None,) * 4
