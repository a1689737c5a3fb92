"""Shipments: some items now and others later, each shipment once, and each arrives once."""

from aggregates.errors import LineTooSmall, LineUnknown, OrderAlreadyShipped, OrderNotReady, ShipmentUnknown
from aggregates.order import DECIDER, Status
from events.order import OrderEvent
from schemas.order import CancelLine, CancelOrder, DeliverOrder, OrderItem, ShipOrder
from tests.builders.order import (
    K1,
    K2,
    committed,
    confirmed,
    delivered,
    line_cancelled,
    partly_shipped,
    placed,
    reserved,
    secured,
    shipment_delivered,
    shipped,
    shipped_in_the_early_days,
)
from tests.builders.values import BREAD, CHEESE, FIGS, MILK, A
from tests.spec import Life, Spec

order = Spec(DECIDER)
CONFIRMED: tuple[OrderEvent, ...] = (placed(), reserved(FIGS, MILK), secured(), confirmed())
READY = (*CONFIRMED, committed())
PART = (*READY, partly_shipped((FIGS, 1)))
REST = ((FIGS, 1), (MILK, 1), (BREAD, 1))
ALL = (*PART, shipped("1Z", *REST, which=K2))


def ship(*items: tuple[str, int], which: str = K1, tracking: str = "1Z") -> ShipOrder:
    lines = tuple(OrderItem(sku=sku, quantity=quantity) for sku, quantity in items)
    return ShipOrder(order_id=A, shipment_id=which, tracking=tracking, lines=lines)


def arrived(which: str | None = None) -> DeliverOrder:
    return DeliverOrder(order_id=A, shipment_id=which)


def off(sku: str, quantity: int | None = None) -> CancelLine:
    return CancelLine(order_id=A, cancellation_id=K2, sku=sku, quantity=quantity)


def status(life: Life) -> Status:
    found: Status = life.state(f"order-{A}").status
    return found


def test_some_items_are_shipped_and_the_others_are_still_to_go() -> None:
    order.given(*READY).when(ship((FIGS, 1))).then(partly_shipped((FIGS, 1)))
    assert order.given(*PART).state(f"order-{A}").unshipped == dict(REST)


def test_a_shipment_under_the_same_id_happens_once() -> None:
    order.given(*PART).when(ship((FIGS, 1))).then_nothing()
    order.given(*PART).when(ship((FIGS, 1), which=K2)).then(partly_shipped((FIGS, 1), which=K2))


def test_without_items_all_that_is_left_is_shipped() -> None:
    order.given(*PART).when(ship(which=K2)).then(shipped("1Z", *REST, which=K2))
    order.given(*ALL).when(ship(which=A)).then_nothing()


def test_the_shipment_that_leaves_nothing_says_that_all_is_shipped() -> None:
    order.given(*PART).when(ship(*reversed(REST), which=K2)).then(shipped("1Z", *REST, which=K2))


def test_no_more_is_shipped_than_is_left() -> None:
    no = order.given(*PART).when(ship((FIGS, 1), (FIGS, 1), which=K2)).then_rejected(LineTooSmall)
    assert no.detail == "1 of figs are left to ship, not 2"
    order.given(*PART).when(ship((CHEESE, 1), which=K2)).then_rejected(LineUnknown)
    order.given(*ALL).when(ship((FIGS, 1), which=A)).then_rejected(LineTooSmall)
    order.given(*READY, line_cancelled(MILK, 1, 0, 300)).when(ship((MILK, 1), which=K2)).then_rejected(LineTooSmall)


def test_nothing_is_shipped_in_parts_before_all_of_it_is_committed() -> None:
    order.given(*CONFIRMED).when(ship((FIGS, 1))).then_rejected(OrderNotReady)
    order.given(*CONFIRMED, committed(FIGS, MILK)).when(ship((FIGS, 1))).then_rejected(OrderNotReady)


def test_shipments_arrive_one_by_one_and_the_last_of_them_delivers_the_order() -> None:
    order.given(*ALL).when(arrived(K1)).then(shipment_delivered(K1))
    one = (*ALL, shipment_delivered(K1))
    order.given(*one).when(arrived(K1)).then_nothing()
    order.given(*one).when(arrived(K2)).then(delivered())
    order.given(*one, delivered()).when(arrived(K2)).then_nothing()


def test_without_a_shipment_all_that_are_under_way_have_arrived() -> None:
    order.given(*ALL).when(arrived()).then(delivered())
    order.given(*PART).when(arrived()).then(shipment_delivered(K1))
    order.given(*PART, shipment_delivered(K1)).when(arrived()).then_nothing()


def test_a_shipment_that_never_left_does_not_arrive() -> None:
    order.given(*PART).when(arrived(K2)).then_rejected(ShipmentUnknown)


def test_an_order_is_not_delivered_while_something_is_to_go() -> None:
    assert status(order.given(*PART, shipment_delivered(K1))) is Status.PARTIALLY_SHIPPED


def test_what_is_not_shipped_may_still_be_cancelled_by_line_and_what_is_may_not() -> None:
    order.given(*PART).when(off(FIGS)).then(line_cancelled(FIGS, 1, 1, 150, K2))
    order.given(*PART).when(off(FIGS, 2)).then_rejected(LineTooSmall)
    gone = (*READY, partly_shipped((MILK, 1)))
    order.given(*gone).when(off(MILK)).then_rejected(OrderAlreadyShipped)
    no = order.given(*PART).when(CancelOrder(order_id=A)).then_rejected(OrderAlreadyShipped)
    assert "by line" in no.detail


def test_with_the_rest_cancelled_the_order_is_shipped_and_if_all_has_arrived_delivered() -> None:
    most = (*READY, partly_shipped((FIGS, 2), (MILK, 1)))
    assert status(order.given(*most, line_cancelled(BREAD, 1, 0, 250, K2))) is Status.SHIPPED
    order.given(*most).when(off(BREAD)).then(line_cancelled(BREAD, 1, 0, 250, K2))
    there = (*most, shipment_delivered(K1))
    order.given(*there).when(off(BREAD)).then(line_cancelled(BREAD, 1, 0, 250, K2), delivered())


def test_an_order_that_was_shipped_in_the_early_days_is_shipped_whole() -> None:
    life = order.given(*READY, shipped_in_the_early_days())
    assert life.state(f"order-{A}").unshipped == {}
    life.when(ship((FIGS, 1))).then_rejected(LineTooSmall)
    life.when(arrived()).then(delivered())
    assert life.state(f"order-{A}").shipped == {FIGS: 2, MILK: 1, BREAD: 1}
