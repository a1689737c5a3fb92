"""The mapper keeps the closed registry and its upcasters: what is recorded once can be read for ever."""

from typing import Any
from uuid import uuid4

import pytest
from eventsourcing.cipher import AESCipher
from eventsourcing.compressor import ZlibCompressor
from eventsourcing.domain import Aggregate
from eventsourcing.persistence import (
    EventStore,
    JSONTranscoder,
    MapperDeserialisationError,
    ProgrammingError,
    StoredEvent,
)
from eventsourcing.utils import Environment

from events.codec import Codec
from events.event import Event
from events.mapper import PydanticMapper, Recorded
from events.order import OrderConfirmed
from tests.eventsourcing.ground import Ground

ORDER = str(uuid4())
CONFIRMED = OrderConfirmed(order_id=ORDER, email="a@b.example", skus=("A", "B"), amount=1250, currency="EUR")
RECORDED = Recorded(f"order-{ORDER}", 4, CONFIRMED)


class ParcelSent(Event, tag="parcel.sent.v3"):
    grams: int
    carrier: str


def with_grams(fields: dict[str, Any]) -> dict[str, Any]:
    return {"grams": fields["kilograms"] * 1000}


def with_carrier(fields: dict[str, Any]) -> dict[str, Any]:
    return fields | {"carrier": "unknown"}


class ParcelMapper(PydanticMapper):
    codec = Codec(
        [ParcelSent],
        {"parcel.sent.v1": ("parcel.sent.v2", with_grams), "parcel.sent.v2": ("parcel.sent.v3", with_carrier)},
    )


def test_an_event_comes_back_as_it_went() -> None:
    mapper = PydanticMapper(JSONTranscoder())
    stored = mapper.to_stored_event(RECORDED)
    assert (stored.originator_id, stored.originator_version, stored.topic) == (
        f"order-{ORDER}",
        4,
        "order.confirmed.v1",
    )
    assert mapper.to_domain_event(stored) == RECORDED


def test_compressed_and_encrypted_it_comes_back_too_and_says_nothing() -> None:
    env = Environment("", {"CIPHER_KEY": AESCipher.create_key(16)})
    mapper = PydanticMapper(JSONTranscoder(), compressor=ZlibCompressor(), cipher=AESCipher(env))
    stored = mapper.to_stored_event(RECORDED)
    assert b"example" not in stored.state
    assert mapper.to_domain_event(stored) == RECORDED


def test_old_versions_are_upcast_on_the_way_from_the_log(ground: Ground) -> None:
    recorder = ground.recorder(originator_id=str)
    recorder.insert_events(
        [
            StoredEvent("parcel-1", 1, "parcel.sent.v1", b'{"kilograms": 2}'),
            StoredEvent("parcel-1", 2, "parcel.sent.v2", b'{"grams": 300}'),
            StoredEvent("parcel-1", 3, "parcel.sent.v3", b'{"grams": 40, "carrier": "DHL", "later": "ignored"}'),
        ]
    )
    store = EventStore[str](ParcelMapper(JSONTranscoder()), recorder)
    assert [recorded.event for recorded in store.get("parcel-1") if isinstance(recorded, Recorded)] == [
        ParcelSent(grams=2000, carrier="unknown"),
        ParcelSent(grams=300, carrier="unknown"),
        ParcelSent(grams=40, carrier="DHL"),
    ]


@pytest.mark.parametrize(
    ("topic", "state"),
    [("os:system", b"{}"), ("order.confirmed.v1", b'{"order_id": 1}'), ("order.confirmed.v1", b"not json")],
)
def test_what_the_registry_does_not_know_is_not_imported_but_refused(topic: str, state: bytes) -> None:
    with pytest.raises(MapperDeserialisationError, match="order-1, version 1"):
        PydanticMapper(JSONTranscoder()).to_domain_event(StoredEvent("order-1", 1, topic, state))


def test_only_events_of_ours_can_be_stored() -> None:
    foreign = Aggregate().collect_events()[0]
    with pytest.raises(ProgrammingError):
        PydanticMapper(JSONTranscoder()).to_stored_event(foreign)  # type: ignore[arg-type]
