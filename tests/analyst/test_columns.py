"""Columns hold, of every class of event, what the codec decodes; what cannot be read is said to be so, and why."""

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

from events.codec import Codec
from events.columns import Columns
from events.envelope import Envelope
from events.event import Event
from events.ids import derive
from events.log import Record
from events.registry import event_codec
from events.shapes import UNREADABLE
from events.sweep import Found
from tests.analyst.truth import fields
from tests.golden.examples import EVENTS as EXAMPLES

TEXT = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=12)
ANY = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | TEXT, lambda inner: st.lists(inner), max_leaves=3
)
PLAIN: dict[Any, st.SearchStrategy[Any]] = {
    str: TEXT,
    int: st.integers(-(2**63), 2**63 - 1),
    bool: st.booleans(),
    datetime: st.datetimes(datetime(1970, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
    Any: ANY,
}


def of(kind: Any) -> st.SearchStrategy[Any]:
    if kind in PLAIN:
        return PLAIN[kind]
    origin, inner = get_origin(kind), get_args(kind)
    if origin is tuple:
        return st.lists(of(inner[0]), max_size=4).map(tuple)
    if origin is dict:
        return st.dictionaries(TEXT, of(inner[1]), max_size=3)
    if origin is Literal:
        return st.sampled_from(inner)
    if origin in (Union, UnionType):
        return st.one_of(*map(of, inner))
    if kind is type(None):
        return st.none()
    assert issubclass(kind, BaseModel)
    return st.fixed_dictionaries({name: of(info.annotation) for name, info in kind.model_fields.items()}).map(
        lambda values: kind(**values)
    )


def found(tag: str, body: bytes, offset: int = 0, time: str = "2017-10-10T12:34:56.123456+00:00") -> Found:
    name = derive("id", str(offset))
    envelope = Envelope(name, tag, "order", time, "order-x", name, name, "client", version=1, epoch=1, writer=name)
    return Found.of(Record(offset, b"order-x", body, dict(envelope.headers()), 1_507_600_000_000))


def rows(several: list[Found], columns: Columns | None = None) -> Iterator[dict[str, Any]]:
    for kind, batch in (columns or Columns()).of(3, several):
        yield from ({"type": kind, **row} for row in batch.to_pylist())


def body_in(row: Mapping[str, Any], like: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a row that an event has; what is a dict in it is JSON text in the row."""
    return {name: json.loads(row[name]) if _is_text(row[name], like[name]) else row[name] for name in like}


def _is_text(there: Any, like: Any) -> bool:
    return isinstance(like, dict) and isinstance(there, str)


@pytest.mark.parametrize("tag", event_codec.types)
@settings(max_examples=30, deadline=None)
@given(data=st.data())
def test_types_and_values_are_those_that_the_codec_decodes(tag: str, data: st.DataObject) -> None:
    events: list[Event] = data.draw(st.lists(of(event_codec.types[tag]), min_size=1, max_size=5))
    bodies = [event_codec.encode(event) for event in events]

    made = list(rows([found(tag, body, n) for n, body in enumerate(bodies)]))

    assert [row["type"] for row in made] == [tag] * len(events)
    assert [row["log_position"] for row in made] == list(range(len(events)))
    told = [fields(event_codec.decode(tag, body)) for body in bodies]
    assert [body_in(row, like) for row, like in zip(made, told, strict=True)] == told
    assert all(len(row) == 10 + len(like) for row, like in zip(made, told, strict=True))


def test_nobody_is_shown_what_is_secret() -> None:
    for tag, event in EXAMPLES.items():
        [row] = rows([found(tag, event_codec.encode(event))])
        assert not row.keys() & {"payment_token", "password_hash", "token", "token_hash", "nonce", "push_address"}
        assert "tok_visa" not in str(row)


@pytest.mark.parametrize(
    ("tag", "body", "why"),
    [
        ("order.shipped.v1", b"{}", "order_id: Field required"),
        ("order.shipped.v1", b"nonsense", "Invalid JSON"),
        ("order.shipped.v1", b"", "Invalid JSON"),
        ("order.shipped.v1", b"\xff", "Invalid JSON"),
        (
            "order.lines_reserved.v1",
            b'{"order_id": "x", "skus": ["a", null]}',
            "skus.1: Input should be a valid string",
        ),
        ("stock.received.v1", b'{"sku": "a", "quantity": 99999999999999999999}', "99999999999999999999"),
        ("stock.received.v1", b'{"sku": "a\\u0000", "quantity": 1}', "NUL"),
        ("order.flown.v1", b"{}", "unknown tag 'order.flown.v1'"),
    ],
)
def test_what_cannot_be_read_stands_apart_and_the_others_are_read(tag: str, body: bytes, why: str) -> None:
    good = {
        t: event_codec.encode(EXAMPLES[t]) for t in ("order.shipped.v1", "order.lines_reserved.v1", "stock.received.v1")
    }
    several = [found(t, good[t], n) for n, t in enumerate(good)]

    made = {
        row["log_position"]: row for row in rows([*several, found(tag, body, 7), *[found(t, good[t], 8) for t in good]])
    }

    assert made[7]["type"] == UNREADABLE
    assert made[7]["tag"] == tag
    assert why in made[7]["reason"]
    assert [made[n]["type"] for n in range(3)] == list(good)


@pytest.mark.parametrize(
    ("body", "quantity"),
    [
        (b'{"sku": "a", "quantity": "5"}', 5),
        (b'{"sku": "a", "quantity": 5.0, "more": [{}]}', 5),
        (b'{\n  "sku": "a",\n  "quantity": 5e0\n}', 5),
        (b'{"quantity": 1, "sku": "a", "quantity": 5}', 5),
    ],
)
def test_odd_bodies_are_read_as_the_codec_reads_them(body: bytes, quantity: int) -> None:
    good = found("stock.received.v1", b'{"sku":"b","quantity":3}', 1)

    assert [row["quantity"] for row in rows([found("stock.received.v1", body), good])] == [quantity, 3]


def test_two_objects_in_one_body_and_none_in_another_are_not_two_events() -> None:
    twice, none = b'{"sku":"b","quantity":3}{"sku":"b","quantity":4}', b" "

    made = rows([found("stock.received.v1", twice, 1), found("stock.received.v1", none, 2)])

    assert [row["type"] for row in made] == [UNREADABLE, UNREADABLE]


def test_an_object_over_two_bodies_and_two_in_a_third_are_not_three_events() -> None:
    begun, ended, twice = b'{"sku":"a","quantity":1,"more":', b'{"of":2}}', b'{"sku":"b","quantity":3}' * 2

    made = rows([found("stock.received.v1", body, at) for at, body in enumerate((begun, ended, twice))])

    assert [row["type"] for row in made] == [UNREADABLE] * 3


@pytest.mark.parametrize(
    ("time", "at"),
    [
        ("2017-10-10T12:00:00", datetime(2017, 10, 10, 12, tzinfo=UTC)),
        ("2017-10-10T12:00:00Z", datetime(2017, 10, 10, 12, tzinfo=UTC)),
        ("2017-10-10T12:00:00+02:00", datetime(2017, 10, 10, 10, tzinfo=UTC)),
        ("soon", None),
    ],
)
def test_times_are_moments(time: str, at: datetime | None) -> None:
    [row] = rows([found("stock.received.v1", b'{"sku":"b","quantity":3}', time=time)])

    assert (row["at"] if row["type"] != UNREADABLE else None) == at


class Weighed(Event, tag="parcel.weighed.v2"):
    grams: int
    password_hash: str = ""
    note: str | None = None


CODEC: Codec[Event] = Codec(
    [Weighed], {"parcel.weighed.v1": ("parcel.weighed.v2", lambda old: {"grams": old["kilos"] * 1000, **old})}
)
OLD, NEW = b'{"kilos": 2, "password_hash": "x"}', b'{"grams": 300, "note": "heavy"}'


def test_former_shapes_are_upcast() -> None:
    several = [
        found("parcel.weighed.v1", OLD, 1),
        found("parcel.weighed.v2", NEW, 2),
        found("parcel.weighed.v2", OLD, 3),
    ]

    made = sorted(rows(several, Columns(CODEC)), key=lambda row: int(row["log_position"]))

    assert [(row["type"], row.get("grams"), row.get("note")) for row in made] == [
        ("parcel.weighed.v2", 2000, None),
        ("parcel.weighed.v2", 300, "heavy"),
        (UNREADABLE, None, None),
    ]


def test_as_recorded_former_shapes_are_json_text_without_secrets() -> None:
    several = [
        found("parcel.weighed.v1", OLD, 1),
        found("parcel.weighed.v1", b"{}", 2),
        found("parcel.weighed.v2", NEW, 3),
    ]

    made = {row["log_position"]: row for row in rows(several, Columns(CODEC, recorded=True))}

    assert (made[1]["type"], json.loads(made[1]["body"])) == ("parcel.weighed.v1", {"kilos": 2})
    assert made[2]["type"] == UNREADABLE
    assert made[3]["grams"] == 300


def test_a_field_that_no_column_can_hold_is_found_before_anything_is_exported() -> None:
    class Strange(Event, tag="strange.v1"):
        wait: timedelta

    with pytest.raises(TypeError, match="no column is known"):
        Columns(Codec([Strange])).schema("strange.v1")
