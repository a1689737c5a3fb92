"""Messages become bytes and messages again; what is no message is named, and old shapes are read as today's."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from events.codec import Codec, Upcaster
from events.errors import Undecodable, UnknownTag
from events.event import Event
from events.registry import command_codec, event_codec
from schemas.order import PlaceOrder
from tests.aggregates.laws import moderately
from tests.builders.order import place, placed


class Moved(Event, tag="thing.moved.v3"):
    where: str
    steps: int


def name_the_place(fields: dict[str, object]) -> dict[str, object]:
    return {"pace": fields.get("pace", 1), "where": fields["to"]}


def count_steps(fields: dict[str, object]) -> dict[str, object]:
    return {**fields, "steps": fields["pace"]}


UPCASTERS: dict[str, tuple[str, Upcaster]] = {
    "thing.moved.v1": ("thing.moved.v2", name_the_place),
    "thing.moved.v2": ("thing.moved.v3", count_steps),
}
codec = Codec[Event]([Moved], UPCASTERS)


def test_a_message_says_the_same_after_a_trip() -> None:
    body = event_codec.encode(placed())
    assert event_codec.decode("order.placed.v1", body).model_dump() == placed().model_dump()
    assert command_codec.decode("order.place", command_codec.encode(place())) == place()


def test_a_tag_is_looked_up_and_never_imported() -> None:
    for tag in ("", "order.placed.v2", "os.system", "events.order:OrderPlaced"):
        with pytest.raises(UnknownTag, match="unknown tag"):
            event_codec.decode(tag, b"{}")


def test_an_event_is_no_command_and_a_command_no_event() -> None:
    with pytest.raises(UnknownTag):
        command_codec.decode("order.placed.v1", event_codec.encode(placed()))
    with pytest.raises(UnknownTag):
        event_codec.decode("order.place", command_codec.encode(place()))


def test_what_does_not_fit_names_the_field() -> None:
    body = command_codec.encode(place()).replace(b'"quantity":2', b'"quantity":-2')
    with pytest.raises(Undecodable, match=r"order.place: lines.0.quantity: .*greater than or equal to 1"):
        command_codec.decode("order.place", body)
    with pytest.raises(Undecodable, match=r"order.confirmed.v1: email: Field required"):
        event_codec.decode("order.confirmed.v1", b'{"order_id":"a"}')


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b"7", b'"text"', b"\xff\xfe", b'{"a":\x00}', b"[" * 9999])
@pytest.mark.parametrize("tag", ["thing.moved.v3", "thing.moved.v2", "thing.moved.v1"])
def test_bytes_that_are_no_object_are_undecodable_whatever_their_age(tag: str, body: bytes) -> None:
    with pytest.raises(Undecodable):
        codec.decode(tag, body)


def test_a_character_that_no_database_takes_is_undecodable() -> None:
    with pytest.raises(Undecodable, match="NUL"):
        command_codec.decode("order.place", command_codec.encode(place(customer_id="a")).replace(b"Ada", b"A\\u0000a"))


def test_a_backslash_before_a_u_is_only_text() -> None:
    message = Moved(where="C:\\u0000", steps=1)
    assert codec.decode(Moved.tag, codec.encode(message)) == message


@moderately
@given(st.binary(max_size=40))
def test_bytes_of_any_kind_are_a_message_or_undecodable(body: bytes) -> None:
    for tag in ("thing.moved.v1", "thing.moved.v3"):
        try:
            codec.decode(tag, body)
        except Undecodable:
            continue


def test_the_log_is_tolerant_of_fields_it_does_not_know_and_the_door_is_not() -> None:
    assert codec.decode(Moved.tag, b'{"where":"home","steps":3,"mood":"good"}') == Moved(where="home", steps=3)
    with pytest.raises(Undecodable, match="mood"):
        command_codec.decode("order.cancel", b'{"order_id":"0a000000-0000-4000-8000-00000000000a","mood":1}')


def test_old_shapes_are_read_as_todays() -> None:
    assert codec.decode("thing.moved.v1", b'{"to":"home"}') == Moved(where="home", steps=1)
    assert codec.decode("thing.moved.v2", b'{"where":"home","pace":4}') == Moved(where="home", steps=4)


def test_an_old_shape_that_lacks_a_field_is_undecodable() -> None:
    with pytest.raises(Undecodable, match=r"thing.moved.v1: .*to"):
        codec.decode("thing.moved.v1", b'{"too":"home"}')


def test_commands_have_upcasters_too() -> None:
    commands = Codec([PlaceOrder], {"order.place.v0": (PlaceOrder.tag, lambda fields: {**fields, "currency": "EUR"})})
    assert commands.decode("order.place.v0", commands.encode(place())) == place()


def test_an_upcaster_that_leads_nowhere_is_found_at_start() -> None:
    with pytest.raises(UnknownTag, match=r"thing.moved.v9"):
        Codec([Moved], {"thing.moved.v1": ("thing.moved.v9", name_the_place)})


def test_upcasters_that_go_round_in_a_circle_are_found_at_start() -> None:
    with pytest.raises(ValueError, match="circle"):
        Codec([Moved], {"a": ("b", name_the_place), "b": ("a", name_the_place)})


def test_every_class_needs_a_tag_of_its_own() -> None:
    class Untagged(Event):
        pass

    class Double(Event, tag=Moved.tag):
        pass

    for cls in (Untagged, Double):
        with pytest.raises(ValueError, match="tag of its own"):
            Codec([Moved, cls])
