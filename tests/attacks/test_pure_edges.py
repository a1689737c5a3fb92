"""The pure edges take any bytes: what comes from the log is read, or is undecodable, and nothing else happens."""

import asyncio
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregates.repository import split_origin
from events.codec import Codec
from events.envelope import LONGEST, Envelope
from events.errors import Undecodable
from events.fence import Fence, Verdict
from events.log import Place, Record
from events.memory import MemoryLog
from events.registry import command_codec, event_codec
from projections.reading import decoded
from tests.aggregates.laws import moderately
from tests.attacks.headers import NEEDED, NUMBERS
from tests.golden import examples
from workers import agents

CODECS: dict[str, tuple[Codec[Any], dict[str, Any]]] = {
    "commands": (command_codec, examples.COMMANDS),
    "events": (event_codec, examples.EVENTS),
}
both = pytest.mark.parametrize(("codec", "known"), CODECS.values(), ids=CODECS)

numbers = st.integers() | st.integers(-(10**400), 10**400) | st.floats()
leaves = st.none() | st.booleans() | numbers | st.text(st.characters(), max_size=30)
values = st.recursive(leaves, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4))
names = st.sampled_from([*NEEDED, *NUMBERS, "writer", "traceparent", "ce_specversion"]) | st.text(max_size=10)
octets = st.binary(max_size=60) | st.integers(-(10**20), 10**20).map(lambda n: b"%d" % n) | st.text().map(str.encode)
headers = st.dictionaries(names, octets, max_size=14)
whole = st.fixed_dictionaries({name: st.text(max_size=20).map(str.encode) for name in NEEDED}, optional={})
every_header = st.builds(lambda needed, more: {**needed, **more}, whole, headers)


def decoded_or_undecodable(codec: Codec[Any], tag: str, body: bytes) -> None:
    """A message that can be written again, or Undecodable."""
    try:
        message = codec.decode(tag, body)
    except Undecodable:
        return
    codec.decode(tag, codec.encode(message))


@both
@moderately
@given(st.data(), st.binary(max_size=200))
def test_any_bytes_under_any_tag(codec: Codec[Any], known: dict[str, Any], data: st.DataObject, body: bytes) -> None:
    tag = data.draw(st.sampled_from(sorted(known)) | st.text(max_size=30))
    decoded_or_undecodable(codec, tag, body)


@both
@moderately
@given(st.data())
def test_any_json_under_any_tag(codec: Codec[Any], known: dict[str, Any], data: st.DataObject) -> None:
    tag = data.draw(st.sampled_from(sorted(known)))
    fields = json.loads(codec.encode(known[tag]))
    changed = data.draw(st.dictionaries(st.sampled_from(sorted(fields)) | st.text(max_size=5), values, max_size=3))
    body: Any = data.draw(st.sampled_from([{**fields, **changed}, changed, [fields], data.draw(values)]))
    decoded_or_undecodable(codec, tag, json.dumps(body).encode())


@both
@moderately
@given(st.data())
def test_any_message_with_any_bytes_turned(codec: Codec[Any], known: dict[str, Any], data: st.DataObject) -> None:
    tag = data.draw(st.sampled_from(sorted(known)))
    body = bytearray(codec.encode(known[tag]))
    for _ in range(data.draw(st.integers(1, 4))):
        body[data.draw(st.integers(0, len(body) - 1))] = data.draw(st.integers(0, 255))
    decoded_or_undecodable(codec, tag, bytes(body[: data.draw(st.integers(0, len(body)))]))


@moderately
@given(headers | every_header)
def test_any_headers_are_an_envelope_or_undecodable(named: dict[str, bytes]) -> None:
    try:
        envelope = Envelope.read(named)
    except Undecodable:
        return
    assert len("".join(value for value in vars_of(envelope) if isinstance(value, str)).encode()) <= LONGEST
    assert "\0" not in "".join(value for value in vars_of(envelope) if isinstance(value, str))


def vars_of(envelope: Envelope) -> list[Any]:
    return [getattr(envelope, name) for name in envelope.__struct_fields__]


@moderately
@given(st.lists(st.dictionaries(names, octets | st.none(), max_size=8), max_size=10))
def test_any_headers_are_judged_and_the_reader_goes_on(records: list[dict[str, Any]]) -> None:
    fence = Fence()
    for offset, named in enumerate(records):
        before = (fence.epoch, fence.writer)
        verdict = fence.judge(offset, named)
        assert fence.next == offset + 1
        assert (verdict is Verdict.CLAIM) == ((fence.epoch, fence.writer) != before)
        assert fence.epoch >= before[0]


@moderately
@given(st.dictionaries(names, octets | st.none(), max_size=8))
def test_any_headers_are_judged_by_an_agent_as_faust_hands_them_over(named: dict[str, Any]) -> None:
    judge = agents.Effective(MemoryLog(), {})
    assert not asyncio.run(judge.counts(Place("order.events", 0), Record(0, b"", b"", named, 0)))


@moderately
@given(headers | every_header, st.binary(max_size=60), st.binary(max_size=60))
def test_any_record_that_counts_is_applied_or_set_aside(named: dict[str, bytes], key: bytes, value: bytes) -> None:
    effective = decoded(Record(0, key, value, named, 0))
    assert (effective.event is None) == bool(effective.reason)


@moderately
@given(st.text() | st.from_regex(r"[a-z/]*/\d*/-?\d*"))
def test_any_origin_is_a_place_or_none(origin: str) -> None:
    source, place = split_origin(origin)
    assert place == () or (len(place) == 2 and source)
