"""An order that cannot be fulfilled: refused, declined, overdue, lapsed or called off, at every step of its way."""

import pytest

from aggregates.errors import OrderAlreadyShipped, OrderSettled, OrderUnknown
from aggregates.order import DECIDER, Status
from events.order import OrderEvent, OrderLineCancelled
from schemas.order import CancelOrder, CancelRest, RecordLapse, RejectOrder
from tests.builders.order import (
    cancelled,
    committed,
    confirmed,
    delivered,
    partly_shipped,
    placed,
    rejected,
    reserved,
    secured,
    shipped,
)
from tests.builders.values import BREAD, FIGS, MILK, A
from tests.spec import Spec

order = Spec(DECIDER)
Past = tuple[OrderEvent, ...]
PLACED: Past = (placed(),)
HALF_RESERVED: Past = (*PLACED, reserved(FIGS, MILK))
SECURED: Past = (*HALF_RESERVED, secured())
CONFIRMED: Past = (*SECURED, confirmed())
HALF_COMMITTED: Past = (*CONFIRMED, committed(FIGS, MILK))
READY: Past = (*CONFIRMED, committed())
SHIPPED: Past = (*READY, shipped())
DELIVERED: Past = (*SHIPPED, delivered())
CANCELLED: Past = (*SECURED, cancelled())
REJECTED: Past = (*SECURED, rejected())

OPEN = {"placed": PLACED, "half reserved": HALF_RESERVED, "secured": SECURED}
BOUGHT = {"confirmed": CONFIRMED, "half committed": HALF_COMMITTED, "ready": READY}
OVER = {"shipped": SHIPPED, "delivered": DELIVERED, "cancelled": CANCELLED, "rejected": REJECTED, "unknown": ()}


def each(pasts: dict[str, Past]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("past", pasts.values(), ids=pasts)


@each(OPEN)
def test_a_refused_line_rejects_the_order_though_others_are_reserved(past: Past) -> None:
    no = RejectOrder(order_id=A, reason="out of stock", skus=(BREAD,))
    order.given(*past).when(no).then(rejected("out of stock", BREAD))


@each(OPEN)
def test_a_declined_or_overdue_payment_rejects_the_order(past: Past) -> None:
    order.given(*past).when(RejectOrder(order_id=A, reason="payment overdue")).then(rejected("payment overdue"))


@each(BOUGHT | OVER)
def test_what_is_confirmed_or_over_cannot_be_rejected(past: Past) -> None:
    order.given(*past).when(RejectOrder(order_id=A, reason="out of stock")).then_nothing()


@each(OPEN)
def test_a_lapse_before_the_confirmation_rejects_the_order(past: Past) -> None:
    lapse = RecordLapse(order_id=A, skus=(BREAD,))
    order.given(*past).when(lapse).then(rejected("reservation lapsed", BREAD))


@each(BOUGHT)
def test_a_lapse_that_the_confirmation_came_too_late_for_cancels_the_order(past: Past) -> None:
    order.given(*past).when(RecordLapse(order_id=A, skus=(BREAD,))).then(cancelled("reservation lapsed"))


@each(OVER)
def test_a_lapse_after_the_end_changes_nothing(past: Past) -> None:
    order.given(*past).when(RecordLapse(order_id=A, skus=(BREAD,))).then_nothing()


@each(OPEN | BOUGHT)
def test_the_customer_can_cancel_at_every_step_until_shipped(past: Past) -> None:
    order.given(*past).when(CancelOrder(order_id=A, reason="too slow")).then(cancelled("too slow"))


def test_a_cancellation_names_every_sku_so_that_each_shelf_lets_go() -> None:
    events = order.given(*PLACED).when(CancelOrder(order_id=A)).events
    assert events[0].model_dump()["skus"] == (FIGS, MILK, BREAD)


def test_cancelling_twice_is_cancelling_once() -> None:
    order.given(*CANCELLED).when(CancelOrder(order_id=A)).then_nothing()


def test_a_shipped_or_delivered_order_cannot_be_cancelled() -> None:
    order.given(*SHIPPED).when(CancelOrder(order_id=A)).then_rejected(OrderAlreadyShipped)
    order.given(*DELIVERED).when(CancelOrder(order_id=A)).then_rejected(OrderAlreadyShipped)


def test_a_rejected_or_unknown_order_cannot_be_cancelled() -> None:
    order.given(*REJECTED).when(CancelOrder(order_id=A)).then_rejected(OrderSettled)
    order.when(CancelOrder(order_id=A)).then_rejected(OrderUnknown)


@each(OPEN | BOUGHT)
def test_an_order_whose_money_cannot_be_had_is_off_before_anything_is_shipped(past: Past) -> None:
    order.given(*past).when(CancelRest(order_id=A, reason="payment expired")).then(cancelled("payment expired"))


@each(OVER)
def test_an_order_of_which_nothing_is_left_to_ship_stays_as_it_is(past: Past) -> None:
    order.given(*past).when(CancelRest(order_id=A, reason="payment expired")).then_nothing()


def test_of_a_partly_shipped_order_all_that_has_not_left_the_house_is_off() -> None:
    life = order.given(*READY, partly_shipped((FIGS, 1)))
    off = life.ask(CancelRest(order_id=A, reason="payment expired"))
    lines = {event.sku: (event.quantity, event.left) for event in off if isinstance(event, OrderLineCancelled)}
    assert lines == {FIGS: (1, 1), MILK: (1, 0), BREAD: (1, 0)}
    assert (life.state(f"order-{A}").status, life.state(f"order-{A}").unshipped) == (Status.SHIPPED, {})
    life.when(CancelRest(order_id=A, reason="payment expired")).then_nothing()
