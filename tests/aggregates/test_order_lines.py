"""Lines that are called off before they leave the house: the items, their money and their tax, each once."""

import pytest

from aggregates.errors import LineTooSmall, LineUnknown, OrderAlreadyShipped, OrderSettled, OrderUnknown
from aggregates.order import DECIDER
from events.order import OrderEvent
from schemas.order import CancelLine, OrderLine, RecordCommitment, RecordLapse, RecordReservation, RejectOrder
from tests.builders.order import (
    K1,
    K2,
    cancelled,
    committed,
    confirmed,
    line_cancelled,
    placed,
    rejected,
    reserved,
    secured,
    shipped,
)
from tests.builders.values import BREAD, CHEESE, FIGS, MILK, A
from tests.spec import Spec

order = Spec(DECIDER)
Past = tuple[OrderEvent, ...]
PLACED: Past = (placed(),)
SECURED: Past = (*PLACED, reserved(FIGS, MILK), secured())
CONFIRMED: Past = (*SECURED, confirmed())
READY: Past = (*CONFIRMED, committed())
OPEN = {"placed": PLACED, "secured": SECURED, "confirmed": CONFIRMED, "ready": READY}
NO_BREAD = line_cancelled(BREAD, 1, 0, 250)


def off(sku: str, quantity: int | None = None, which: str = K1) -> CancelLine:
    return CancelLine(order_id=A, cancellation_id=which, sku=sku, quantity=quantity)


@pytest.mark.parametrize("past", OPEN.values(), ids=OPEN)
def test_a_line_may_be_cancelled_in_part_or_whole_until_the_order_is_shipped(past: Past) -> None:
    order.given(*past).when(off(FIGS, 1)).then(line_cancelled(FIGS, 1, 1, 150))
    order.given(*past).when(off(FIGS)).then(line_cancelled(FIGS, 2, 0, 300))


@pytest.mark.parametrize("past", OPEN.values(), ids=OPEN)
def test_a_cancellation_under_the_same_id_happens_once(past: Past) -> None:
    order.given(*past, line_cancelled()).when(off(FIGS, 1)).then_nothing()
    order.given(*past, line_cancelled()).when(off(FIGS, 1, K2)).then(line_cancelled(FIGS, 1, 0, 150, K2))


@pytest.mark.parametrize("past", OPEN.values(), ids=OPEN)
def test_the_last_line_takes_the_order_with_it(past: Past) -> None:
    rest = (line_cancelled(FIGS, 2, 0, 300), line_cancelled(MILK, 1, 0, 300, K2))
    whole = cancelled().model_copy(update={"skus": (BREAD,)})
    order.given(*past, *rest).when(off(BREAD, which=A)).then(whole)


def test_more_than_is_left_and_what_was_never_ordered_are_refused() -> None:
    refusal = order.given(*READY, line_cancelled()).when(off(FIGS, 2, K2)).then_rejected(LineTooSmall)
    assert refusal.detail == "1 of figs can be cancelled, not 2"
    order.given(*READY).when(off(CHEESE)).then_rejected(LineUnknown)
    order.given(*READY, NO_BREAD).when(off(BREAD, which=K2)).then_nothing()


def test_no_line_is_cancelled_of_an_order_that_is_gone_or_over_or_unknown() -> None:
    order.given(*READY, shipped()).when(off(FIGS)).then_rejected(OrderAlreadyShipped)
    order.given(*SECURED, rejected()).when(off(FIGS)).then_rejected(OrderSettled)
    order.given(*SECURED, cancelled()).when(off(FIGS)).then_nothing()
    order.when(off(FIGS)).then_rejected(OrderUnknown)


def test_with_the_last_line_that_was_awaited_off_the_order_is_secured_at_its_new_amount() -> None:
    less = secured().model_copy(update={"amount": 600})
    order.given(*PLACED, reserved(FIGS, MILK)).when(off(BREAD)).then(NO_BREAD, less)
    order.given(*PLACED, NO_BREAD).when(RecordReservation(order_id=A, skus=(FIGS, MILK))).then(less)


def test_what_is_off_need_not_be_committed() -> None:
    life = order.given(*CONFIRMED, committed(FIGS, MILK), NO_BREAD)
    assert life.state(f"order-{A}").uncommitted == frozenset()
    life.when(RecordCommitment(order_id=A, skus=(BREAD,))).then_nothing()


def test_a_refusal_or_a_lapse_of_what_is_off_changes_nothing() -> None:
    refused = RejectOrder(order_id=A, reason="out of stock", skus=(BREAD,))
    order.given(*PLACED, NO_BREAD, secured()).when(refused).then_nothing()
    order.given(*SECURED, NO_BREAD).when(RecordLapse(order_id=A, skus=(BREAD,))).then_nothing()
    order.given(*READY, NO_BREAD).when(RecordLapse(order_id=A, skus=(BREAD,))).then_nothing()


def test_of_several_lines_with_a_sku_the_last_gives_first_and_tax_is_neither_lost_nor_made() -> None:
    lines = (
        OrderLine(sku=FIGS, quantity=3, unit_price=100, tax_cents=20),
        OrderLine(sku=FIGS, quantity=1, unit_price=50, tax_cents=7),
        OrderLine(sku=MILK, quantity=1, unit_price=10),
    )
    life = order.given(placed(lines=lines))
    amounts = []
    for which in (K1, K2, A):
        [gone] = life.ask(off(FIGS, 1, which))
        amounts.append((gone.amount, gone.tax_cents))  # type: ignore[attr-defined]
    life.ask(off(FIGS, 1, "3c000000-0000-4000-8000-00000000000a"))
    assert amounts == [(57, 7), (107, 7), (107, 7)]
    assert life.state(f"order-{A}").amount == 10


def test_shipping_stays_owed_until_all_of_the_order_is_off() -> None:
    sent = placed().model_copy(update={"total": 850 + 490, "shipping_cents": 490})
    life = order.given(sent)
    life.ask(off(FIGS))
    life.ask(off(MILK, which=K2))
    assert life.state(f"order-{A}").amount == 250 + 490
