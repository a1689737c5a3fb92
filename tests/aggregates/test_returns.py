"""Returns: announced, received and inspected once; no more comes back than was delivered, and that is paid back."""

import pytest

from aggregates.errors import LineUnknown, OrderSettled, OrderUnknown, ReturnTooLarge, ReturnUnknown
from aggregates.order import DECIDER, Status
from events.order import OrderEvent
from schemas.order import CancelLine, InspectedItem, OrderItem, OrderLine, ReceiveReturn, RequestReturn
from schemas.values import Returned
from tests.builders.order import (
    K1,
    K2,
    R,
    cancelled,
    committed,
    confirmed,
    delivered,
    line_cancelled,
    partly_shipped,
    placed,
    return_received,
    return_requested,
    returned,
    secured,
    shipment_delivered,
    shipped,
)
from tests.builders.values import BREAD, CHEESE, FIGS, MILK, A
from tests.spec import Spec

order = Spec(DECIDER)
READY: tuple[OrderEvent, ...] = (placed(), secured(), confirmed(), committed())
DELIVERED = (*READY, shipped(), delivered())
ANNOUNCED = (*DELIVERED, return_requested((FIGS, 2)))
GOOD, BAD, NO = (returned(FIGS, 1, "restock", 150), returned(FIGS, 1, "damaged", 150), returned(FIGS, 1, "refuse", 0))


def back(*items: tuple[str, int], which: str = R) -> RequestReturn:
    found = tuple(OrderItem(sku=sku, quantity=quantity) for sku, quantity in items)
    return RequestReturn(order_id=A, return_id=which, items=found, reason="too small")


def seen(*items: tuple[str, int, str], which: str = R) -> ReceiveReturn:
    fields = [{"sku": sku, "quantity": quantity, "verdict": verdict} for sku, quantity, verdict in items]
    return ReceiveReturn(order_id=A, return_id=which, items=tuple(map(InspectedItem.model_validate, fields)))


def test_what_was_delivered_may_be_announced_to_come_back_once() -> None:
    order.given(*DELIVERED).when(back((FIGS, 1), (FIGS, 1))).then(return_requested((FIGS, 2)))
    order.given(*ANNOUNCED).when(back((FIGS, 2))).then_nothing()


def test_no_more_is_announced_than_was_delivered_and_is_not_coming_already() -> None:
    order.given(*DELIVERED).when(back((FIGS, 3))).then_rejected(ReturnTooLarge)
    no = order.given(*ANNOUNCED).when(back((FIGS, 1), which=K1)).then_rejected(ReturnTooLarge)
    assert no.detail == "0 of figs can be returned, not 1"
    order.given(*DELIVERED).when(back((CHEESE, 1))).then_rejected(LineUnknown)


def test_what_has_not_arrived_does_not_come_back() -> None:
    order.given(*READY).when(back((FIGS, 1))).then_rejected(ReturnTooLarge)
    order.given(*READY, shipped()).when(back((FIGS, 1))).then_rejected(ReturnTooLarge)
    part = (*READY, partly_shipped((FIGS, 1)), shipment_delivered())
    order.given(*part).when(back((FIGS, 2))).then_rejected(ReturnTooLarge)
    order.given(*part).when(back((FIGS, 1))).then(return_requested((FIGS, 1)))
    order.given(*READY, cancelled()).when(back((FIGS, 1))).then_rejected(OrderSettled)
    order.when(back((FIGS, 1))).then_rejected(OrderUnknown)


@pytest.mark.parametrize(("verdict", "item"), [("restock", GOOD), ("damaged", BAD), ("refuse", NO)])
def test_what_is_accepted_is_not_owed_any_more(verdict: str, item: Returned) -> None:
    order.given(*ANNOUNCED).when(seen((FIGS, 1, verdict))).then(return_received(item))


def test_a_return_is_received_once() -> None:
    order.given(*ANNOUNCED, return_received(GOOD)).when(seen((FIGS, 1, "restock"))).then_nothing()
    order.given(*DELIVERED).when(seen((FIGS, 1, "restock"))).then_rejected(ReturnUnknown)


def test_no_more_is_received_than_was_announced() -> None:
    order.given(*ANNOUNCED).when(seen((FIGS, 2, "restock"), (FIGS, 1, "refuse"))).then_rejected(ReturnTooLarge)
    order.given(*ANNOUNCED).when(seen((MILK, 1, "restock"))).then_rejected(ReturnTooLarge)


def test_what_was_refused_or_did_not_come_may_come_again_and_what_was_accepted_may_not() -> None:
    refused = (*ANNOUNCED, return_received(GOOD, NO))
    order.given(*refused).when(back((FIGS, 2), which=K1)).then_rejected(ReturnTooLarge)
    order.given(*refused).when(back((FIGS, 1), which=K1)).then(return_requested((FIGS, 1), which=K1))
    order.given(*ANNOUNCED, return_received()).when(back((FIGS, 2), which=K1)).then(
        return_requested((FIGS, 2), which=K1)
    )


def test_all_of_an_order_may_come_back_and_the_shipping_stays_owed() -> None:
    sent = placed().model_copy(update={"total": 850 + 490, "shipping_cents": 490})
    life = order.given(sent, secured(), confirmed(), committed(), shipped(), delivered())
    life.ask(back((FIGS, 2), (MILK, 1), (BREAD, 1)))
    life.ask(seen((FIGS, 2, "restock"), (MILK, 1, "damaged"), (BREAD, 1, "restock")))
    state = life.state(f"order-{A}")
    assert (state.amount, state.status, state.skus) == (490, Status.DELIVERED, ())


def test_a_part_that_came_back_takes_its_tax_along() -> None:
    lines = (OrderLine(sku=FIGS, quantity=3, unit_price=100, tax_cents=20),)
    all_sent = shipped("", (FIGS, 3))
    life = order.given(placed(lines=lines), secured(), confirmed(), committed(FIGS), all_sent, delivered())
    life.ask(back((FIGS, 3)))
    [received] = life.ask(seen((FIGS, 1, "restock"), (FIGS, 1, "refuse"), (FIGS, 1, "damaged")))
    assert [(item.amount, item.tax_cents) for item in received.items] == [(107, 7), (0, 0), (107, 7)]  # type: ignore[attr-defined]
    assert life.state(f"order-{A}").amount == 106


def test_with_all_that_was_sent_back_and_the_rest_cancelled_the_order_is_delivered_and_not_cancelled() -> None:
    part = (*READY, partly_shipped((FIGS, 2), (MILK, 1)), shipment_delivered())
    empty = (
        return_requested((FIGS, 2), (MILK, 1)),
        return_received(returned(FIGS, 2, "restock", 300), returned(MILK, 1, "damaged", 300)),
    )
    off = CancelLine(order_id=A, cancellation_id=K2, sku=BREAD)
    order.given(*part, *empty).when(off).then(line_cancelled(BREAD, 1, 0, 250, K2), delivered())
