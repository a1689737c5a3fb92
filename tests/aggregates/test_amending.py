"""An order that is amended: sent elsewhere until something has left the house, and noted upon at any time."""

import pytest

from aggregates.errors import OrderAlreadyShipped, OrderSettled, OrderUnknown
from aggregates.order import DECIDER
from events.order import OrderEvent
from schemas.order import AddNote, CancelOrder, ChangeAddress, DeliverOrder
from tests.builders.order import (
    ADDRESS,
    K1,
    K2,
    address_changed,
    cancelled,
    committed,
    confirmed,
    elsewhere,
    noted,
    partly_shipped,
    place,
    placed,
    rejected,
    secured,
    shipment_delivered,
    shipped,
)
from tests.builders.values import A
from tests.spec import Spec

order = Spec(DECIDER)
Past = tuple[OrderEvent, ...]
READY: Past = (placed(), secured(), confirmed(), committed())
OPEN = {"placed": READY[:1], "secured": READY[:2], "confirmed": READY[:3], "ready": READY}
GONE = {"partly": (*READY, partly_shipped()), "whole": (*READY, shipped())}
HOME, THERE = (
    ChangeAddress(order_id=A, shipping_address=ADDRESS),
    ChangeAddress(order_id=A, shipping_address=elsewhere()),
)


@pytest.mark.parametrize("past", OPEN.values(), ids=OPEN)
def test_an_order_may_be_sent_elsewhere_until_something_is_shipped(past: Past) -> None:
    order.given(*past).when(THERE).then(address_changed())
    order.given(*past).when(HOME).then_nothing()
    order.given(*past, address_changed()).when(THERE).then_nothing()
    order.given(*past, address_changed()).when(HOME).then(address_changed(ADDRESS.city))


@pytest.mark.parametrize("past", GONE.values(), ids=GONE)
def test_what_has_left_the_house_goes_where_it_was_to_go(past: Past) -> None:
    order.given(*past).when(THERE).then_rejected(OrderAlreadyShipped)


def test_an_order_that_is_over_or_unknown_goes_nowhere() -> None:
    order.given(placed(), cancelled()).when(THERE).then_rejected(OrderSettled)
    order.given(placed(), rejected()).when(THERE).then_rejected(OrderSettled)
    order.when(THERE).then_rejected(OrderUnknown)


def test_an_order_placed_again_after_it_was_sent_elsewhere_is_still_the_same() -> None:
    order.given(placed(), address_changed()).when(place()).then_nothing()


@pytest.mark.parametrize("past", [*OPEN.values(), *GONE.values(), (placed(), cancelled())])
def test_a_note_may_be_added_at_any_time_once(past: Past) -> None:
    note = AddNote(order_id=A, note_id=K2, text="ring twice", audience="everyone", by="ada")
    order.given(*past).when(note).then(noted("ring twice", "everyone", K2, "ada"))
    order.given(*past, noted(which=K2)).when(note).then_nothing()


def test_there_is_no_note_without_an_order() -> None:
    order.when(AddNote(order_id=A, note_id=K1, text="ring twice")).then_rejected(OrderUnknown)


def test_history_says_who_asked_and_nothing_where_nobody_is_known() -> None:
    [off] = order.given(*READY).ask(CancelOrder(order_id=A, by="ada"))
    [arrived] = order.given(*GONE["partly"]).ask(DeliverOrder(order_id=A, by="bob"))
    assert (off, arrived) == (
        cancelled().model_copy(update={"by": "ada"}),
        shipment_delivered().model_copy(update={"by": "bob"}),
    )
    assert '"by"' not in cancelled().model_dump_json()
