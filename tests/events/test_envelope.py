"""An envelope says the same after a trip over the wire, and names the header that makes no sense."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from events.envelope import CLIENT, Envelope
from events.errors import Undecodable
from tests.aggregates.laws import moderately

COMMAND = Envelope("id-1", "order.place", "api", "2026-03-02T12:00:00+00:00", "order-a", "id-1", "id-1", CLIENT)
EVENT = Envelope(
    id="id-2",
    type="order.placed.v1",
    source="order",
    time="2026-03-02T12:00:00+00:00",
    subject="order-a",
    correlation="id-1",
    causation="id-1",
    origin="order.commands/0/4/0",
    traceparent="00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    version=3,
    epoch=2,
    writer="w",
    position=4,
)
texts = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=20)
numbers = st.integers(0, 2**63)


@pytest.mark.parametrize("envelope", [COMMAND, EVENT])
def test_an_envelope_says_the_same_after_a_trip(envelope: Envelope) -> None:
    assert Envelope.read(dict(envelope.headers())) == envelope


@moderately
@given(
    st.builds(Envelope, texts.filter(bool), *[texts] * 8, numbers, st.integers(1, 2**63), texts, st.integers(-1, 2**63))
)
def test_any_recorded_envelope_says_the_same_after_a_trip(envelope: Envelope) -> None:
    assert Envelope.read(dict(envelope.headers())) == envelope


def test_headers_follow_cloudevents_in_binary_mode() -> None:
    names = [name for name, _ in EVENT.headers()]
    assert names[:6] == ["ce_specversion", "ce_id", "ce_type", "ce_source", "ce_time", "ce_subject"]
    assert dict(EVENT.headers())["ce_specversion"] == b"1.0"
    assert len(set(names)) == len(names)


def test_a_command_carries_neither_version_nor_owner() -> None:
    assert {"version", "epoch", "writer", "position"}.isdisjoint(dict(COMMAND.headers()))


def test_an_envelope_knows_its_time() -> None:
    assert COMMAND.at == datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


NEEDED = ["ce_id", "ce_type", "ce_source", "ce_time", "ce_subject", "correlation", "causation", "origin"]


def test_an_id_that_is_empty_is_none() -> None:
    with pytest.raises(Undecodable, match="'ce_id' is empty"):
        Envelope.read({name: b"" if name == "ce_id" else b"1" for name in NEEDED})


@pytest.mark.parametrize("name", NEEDED)
def test_a_missing_header_is_named(name: str) -> None:
    headers = dict(EVENT.headers())
    del headers[name]
    with pytest.raises(Undecodable, match=name):
        Envelope.read(headers)


@pytest.mark.parametrize("name", NEEDED)
def test_a_header_that_is_no_text_makes_no_sense(name: str) -> None:
    with pytest.raises(Undecodable, match="makes no sense"):
        Envelope.read({**dict(EVENT.headers()), name: b"\xff"})


@pytest.mark.parametrize("name", ["version", "epoch", "position"])
def test_a_number_that_is_none_makes_no_sense(name: str) -> None:
    with pytest.raises(Undecodable, match="makes no sense"):
        Envelope.read({**dict(EVENT.headers()), name: b"seven"})


@pytest.mark.parametrize("value", [b"a\0b", b"x" * 5000])
def test_a_header_that_no_database_takes_makes_no_sense(value: bytes) -> None:
    with pytest.raises(Undecodable, match="header"):
        Envelope.read({**dict(EVENT.headers()), "correlation": value})


@moderately
@given(st.dictionaries(st.sampled_from([*NEEDED, "version", "epoch", "position", "writer"]), st.binary(max_size=4)))
def test_bytes_of_any_kind_are_an_envelope_or_undecodable(junk: dict[str, bytes]) -> None:
    try:
        Envelope.read({**dict(EVENT.headers()), **junk})
    except Undecodable:
        return


def test_a_message_whose_headers_cannot_be_read_is_its_own_cause() -> None:
    unread = Envelope.unread("order.commands/0", 7, b"order-\xff")
    assert unread.id == unread.correlation == unread.causation
    assert unread != Envelope.unread("order.commands/0", 8, b"order-\xff")
    assert (unread.type, unread.subject) == ("", "order-\ufffd")
