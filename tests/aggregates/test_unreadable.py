"""A record that counts and that nobody can read makes one aggregate unreadable, and leaves the others as they are."""

from collections.abc import Callable

import pytest
from msgspec.structs import replace

from aggregates import payment, reservation
from aggregates.decider import Decider
from aggregates.order import DECIDER, Status
from events.envelope import Envelope
from events.event import Event
from events.ids import derive
from events.letter import LetterParked
from events.log import Record
from events.order import OrderCancelled
from events.outcome import CommandRejected
from events.product import StockReleased
from schemas.order import CancelOrder, RecordReservation
from schemas.product import ReceiveStock, ReleaseReservation, ReserveStock
from tests.aggregates.desk import OWNER, Desk, incoming
from tests.builders import payment as payments
from tests.builders import product as products
from tests.builders.order import SKUS, place
from tests.builders.values import FIGS, HOLD, MILK, NOON, OVERDUE, A, B

STREAM, OTHER = f"order-{A}", f"order-{B}"
PRODUCTS = reservation.decider(HOLD)
Spoil = Callable[[Record], Record]


def written(desk: Desk) -> list[Record]:
    """All that a desk has recorded, as it lies in the log."""
    return [
        Record(offset, envelope.subject.encode(), body, dict(envelope.headers()), 0)
        for offset, (envelope, body) in enumerate(desk.recorded)
    ]


def forged(offset: int, stream: str, version: int = 2) -> Record:
    """A record with its owner's own epoch and writer, of a type that nobody knows."""
    cause = derive("forged", str(offset))
    envelope = Envelope(cause, "order.eaten.v1", "order", NOON.isoformat(), stream, cause, cause, "owner")
    envelope = replace(envelope, version=version, epoch=OWNER.epoch, writer=OWNER.writer)
    return Record(offset, stream.encode(), b"{}", dict(envelope.headers()), 0)


def taken_over(records: list[Record], decider: Decider = DECIDER) -> Desk:
    """What the next owner knows."""
    desk = Desk(decider)
    for record in records:
        desk.repository.fold(record)
    return desk


def two_orders() -> Desk:
    desk = Desk()
    desk.stage(incoming(place()), incoming(place(B), "second"))
    return desk


def with_header(name: str, value: bytes) -> Spoil:
    return lambda record: record._replace(headers={**record.headers, name: value})


def without_header(name: str) -> Spoil:
    return lambda record: record._replace(headers={n: v for n, v in record.headers.items() if n != name})


def with_event(event: Event) -> Spoil:
    return lambda record: with_header("ce_type", event.tag.encode())(record)._replace(
        value=event.model_dump_json().encode()
    )


UNREADABLE: dict[str, Spoil] = {
    "a type that is unknown": lambda record: record,
    "no JSON": lambda record: with_header("ce_type", b"order.cancelled.v1")(record)._replace(value=b"{"),
    "a field that is missing": with_header("ce_type", b"order.cancelled.v1"),
    "an event of others": with_event(payments.requested()),
    "no id": without_header("ce_id"),
    "no subject": without_header("ce_subject"),
    "a time that is no text": with_header("ce_time", b"\xff"),
    "a version that is no number": with_header("version", b"two"),
    "headers that are too long": with_header("correlation", 5000 * b"x"),
}


@pytest.mark.parametrize("spoil", UNREADABLE.values(), ids=UNREADABLE)
def test_only_the_aggregate_that_the_record_is_about_is_unreadable(spoil: Spoil) -> None:
    desk = two_orders()
    other = desk.repository.entities[OTHER]

    heir = taken_over([*written(desk), spoil(forged(2, STREAM))])

    assert heir.repository.entities[STREAM].unreadable.startswith("2: ")
    assert heir.repository.entities[OTHER] == other


@pytest.mark.parametrize("spoil", UNREADABLE.values(), ids=UNREADABLE)
def test_its_commands_are_parked_with_the_place_of_the_record_and_other_aggregates_are_decided_upon(
    spoil: Spoil,
) -> None:
    heir = taken_over([*written(two_orders()), spoil(forged(2, STREAM))])

    parked, cancelled = heir.stage(incoming(CancelOrder(order_id=A), "3"), incoming(CancelOrder(order_id=B), "4"))

    assert isinstance(parked, LetterParked)
    assert parked.about == STREAM
    assert "order.events/0/2: " in parked.reason
    assert isinstance(cancelled, OrderCancelled)


KEYS = [b"", b"weather-today", b"\xff\xfe", b"order-\0", b"order-" + 300 * b"x", b"order-\xff\n"]


@pytest.mark.parametrize("key", KEYS)
def test_a_record_that_does_not_even_say_what_it_is_about_is_passed_over(key: bytes) -> None:
    desk = two_orders()
    nameless = without_header("ce_subject")(forged(2, STREAM))._replace(key=key)

    assert taken_over([*written(desk), nameless]).repository.entities == desk.repository.entities


def test_a_subject_that_is_nobodys_is_passed_over() -> None:
    desk = two_orders()
    assert taken_over([*written(desk), forged(2, "weather-today")]).repository.entities == desk.repository.entities


@pytest.mark.parametrize("version", [0, 1])
def test_a_record_that_would_change_no_state_takes_none_away(version: int) -> None:
    """An outcome, which has no version; a version that is taken."""
    heir = taken_over([*written(two_orders()), forged(2, STREAM, version)])
    assert heir.state(STREAM).status is Status.PLACED


def test_what_comes_after_it_does_not_bring_the_state_back() -> None:
    desk = two_orders()
    desk.stage(incoming(RecordReservation(order_id=A, skus=SKUS), "3"))
    placed, other, secured = written(desk)
    secured = with_header("version", b"3")(secured._replace(offset=3))

    entity = taken_over([placed, other, forged(2, STREAM), secured]).repository.entities[STREAM]

    assert (entity.version, entity.state) == (3, DECIDER.initial_of(STREAM))
    assert entity.unreadable.startswith("2: ")


def test_the_first_of_several_is_the_one_that_is_named() -> None:
    heir = taken_over([*written(two_orders()), forged(2, STREAM), forged(3, STREAM, 3)])
    assert heir.repository.entities[STREAM].unreadable.startswith("2: ")


def test_its_input_is_handled_for_all_that() -> None:
    record = with_header("origin", b"product.events/0/7/1")(with_header("position", b"9")(forged(2, STREAM)))
    heir = taken_over([*written(two_orders()), record])
    assert heir.repository.handled.position == 9
    assert heir.stage(incoming(RecordReservation(order_id=A, skus=SKUS), "told", "product.events/0/7/1")) == []


def test_a_client_that_repeats_a_parked_command_has_it_parked_once() -> None:
    heir = taken_over([*written(two_orders()), forged(2, STREAM)])
    cancel = incoming(CancelOrder(order_id=A), "3")
    assert [event.tag for event in heir.stage(cancel, cancel)] == ["letter.parked.v1"]
    assert heir.stage(cancel) == []


def test_nothing_is_to_be_done_for_it() -> None:
    decider = payment.decider(OVERDUE)
    desk = Desk(decider)
    desk.stage(incoming(payments.request()))
    stream = f"payment-{A}"
    assert decider.todos(desk.state(stream))

    heir = taken_over([*written(desk), forged(1, stream)], decider)

    assert not decider.todos(heir.state(stream))


def shelf() -> Desk:
    """Two products, both of which order A holds."""
    desk = Desk(PRODUCTS)
    for sku in (FIGS, MILK):
        desk.stage(incoming(products.list_product(sku, 10), sku))
    desk.stage(incoming(ReserveStock(order_id=A, partition=0, items=products.items()), "hold"))
    return desk


def test_a_command_that_would_have_to_look_at_it_is_parked_too() -> None:
    heir = taken_over([*written(shelf()), forged(99, f"product-{FIGS}", 99)], PRODUCTS)

    both = ReserveStock(order_id=B, partition=0, items=products.items())
    parked, received = heir.stage(incoming(both, "both"), incoming(ReceiveStock(sku=MILK, quantity=1), "more"))

    assert isinstance(parked, LetterParked)
    assert parked.about == f"reservation-0-{B}"
    assert f"product-{FIGS} cannot be known" in parked.reason
    assert received.tag == "stock.received.v1"


def test_what_others_hold_of_it_can_be_released() -> None:
    heir = taken_over([*written(shelf()), forged(99, f"product-{FIGS}", 99)], PRODUCTS)

    events = heir.stage(incoming(ReleaseReservation(order_id=A, partition=0), "release"))

    assert StockReleased(sku=FIGS, order_id=A, quantity=2) in events
    assert heir.repository.entities[f"product-{FIGS}"].version == 100


def test_code_that_can_read_it_knows_the_aggregate_again() -> None:
    def evolve(order: object, event: Event) -> object:
        return 1 / 0 if isinstance(event, OrderCancelled) else DECIDER.evolve(order, event)

    desk = two_orders()
    desk.stage(incoming(CancelOrder(order_id=A), "3"))

    assert taken_over(written(desk), replace(DECIDER, evolve=evolve)).repository.entities[STREAM].unreadable
    assert taken_over(written(desk)).repository.entities == desk.repository.entities


def test_an_order_that_was_unreadable_from_its_first_record_is_not_placed_anew() -> None:
    heir = taken_over([forged(0, STREAM, 1)])
    [parked] = heir.stage(incoming(place()))
    assert isinstance(parked, LetterParked)
    assert isinstance(heir.stage(incoming(CancelOrder(order_id=B), "3"))[0], CommandRejected)
