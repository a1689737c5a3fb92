"""Lines that are added, and quantities that are changed, until the stock of all that is ordered is held."""

import pytest

from aggregates.errors import (
    OrderAlreadySecured,
    OrderAlreadyShipped,
    OrderSettled,
    OrderUnknown,
    PriceStands,
    TooManyLines,
)
from aggregates.order import DECIDER, Status
from events.order import OrderEvent, OrderStockSecured
from schemas.order import MAX_LINES, AmendOrder, CancelLine, OrderLine, RecordReservation
from tests.builders.order import (
    K1,
    K2,
    LINES,
    TOTAL,
    amended,
    cancelled,
    confirmed,
    items_of,
    line_cancelled,
    place,
    placed,
    rejected,
    reserved,
    secured,
    shipped,
)
from tests.builders.values import BREAD, CHEESE, FIGS, MILK, A
from tests.spec import Spec

order = Spec(DECIDER)
STREAM = f"order-{A}"
Past = tuple[OrderEvent, ...]
PLACED: Past = (placed(),)
FIGS_5 = OrderLine(sku=FIGS, quantity=5, unit_price=150)
NEW = OrderLine(sku=CHEESE, quantity=2, unit_price=400, tax_cents=30)
MORE = amended(FIGS_5, *LINES[1:], NEW, added=items_of((FIGS, 3), (CHEESE, 2)))


def amend(*lines: OrderLine, shipping: int | None = None, which: str = K1) -> AmendOrder:
    return AmendOrder(order_id=A, amendment_id=which, lines=lines, shipping_cents=shipping)


def held(*skus: str, which: str = "") -> RecordReservation:
    return RecordReservation(order_id=A, skus=skus, amendment_id=which)


def test_lines_are_added_and_quantities_changed_and_the_rest_stays() -> None:
    life = order.given(*PLACED)
    life.when(amend(FIGS_5, NEW)).then(MORE)
    assert MORE.total == TOTAL + 3 * 150 + 2 * 400 + 30
    life.ask(amend(FIGS_5, NEW))
    life.when(amend(FIGS_5, NEW)).then_nothing()
    life.when(amend(FIGS_5, NEW, which=K2)).then_nothing()


def test_fewer_may_be_ordered_and_shipping_is_what_it_was_or_is_told() -> None:
    sent = order.given(placed().model_copy(update={"shipping_cents": 40, "total": TOTAL + 40}))
    one = OrderLine(sku=FIGS, quantity=1, unit_price=150)
    fewer = amended(one, *LINES[1:], removed=items_of((FIGS, 1)), shipping=40)
    sent.when(amend(one)).then(fewer)
    assert fewer.total == TOTAL - 150 + 40
    sent.when(amend(LINES[0], shipping=60)).then(amended(*LINES, shipping=60))


def test_what_was_called_off_is_not_ordered_again_unless_it_is_told() -> None:
    life = order.given(*PLACED, line_cancelled(BREAD, 1, 0, 250, K2))
    life.when(amend(FIGS_5)).then(amended(FIGS_5, LINES[1], added=items_of((FIGS, 3))))
    back = OrderLine(sku=BREAD, quantity=1, unit_price=260)
    life.when(amend(back)).then(amended(*LINES[:2], back, added=items_of((BREAD, 1))))


def test_an_order_is_secured_when_all_that_was_placed_and_added_is_held_in_whatever_order() -> None:
    for steps in (
        (held(FIGS, MILK), held(BREAD), held(FIGS, which=K1), held(CHEESE, which=K1)),
        (held(CHEESE, which=K1), held(BREAD), held(FIGS, which=K1), held(FIGS, MILK)),
    ):
        life = order.given(*PLACED, MORE)
        for step in steps[:-1]:
            life.ask(step)
            assert life.state(STREAM).status is Status.PLACED
        [event] = life.ask(steps[-1])
        assert isinstance(event, OrderStockSecured)
        assert event.amount == MORE.total
    life.when(held(FIGS, which=K1)).then_nothing()


def test_a_line_that_is_called_off_while_it_is_added_is_awaited_no_more() -> None:
    life = order.given(*PLACED, MORE, reserved(), reserved(FIGS).model_copy(update={"amendment_id": K1}))
    events = life.ask(CancelLine(order_id=A, cancellation_id=K2, sku=CHEESE))
    assert [event.tag for event in events] == ["order.line_cancelled.v1", "order.stock_secured.v1"]


def test_what_is_ordered_keeps_its_price() -> None:
    cheaper = OrderLine(sku=FIGS, quantity=2, unit_price=1)
    refusal = order.given(*PLACED).when(amend(cheaper)).then_rejected(PriceStands)
    assert refusal.detail == "figs was ordered at 150 in minor units, and keeps that price."


def test_an_order_does_not_grow_without_end() -> None:
    many = tuple(OrderLine(sku=f"sku-{n}", quantity=1, unit_price=1) for n in range(MAX_LINES))
    order.given(*PLACED).when(amend(*many)).then_rejected(TooManyLines)
    order.given(placed(lines=many)).when(amend(many[0].model_copy(update={"quantity": 2}))).then(
        amended(many[0].model_copy(update={"quantity": 2}), *many[1:], added=items_of(("sku-0", 1)))
    )


@pytest.mark.parametrize(
    ("past", "refusal"),
    [
        ((*PLACED, secured()), OrderAlreadySecured),
        ((*PLACED, secured(), confirmed()), OrderAlreadySecured),
        ((*PLACED, secured(), confirmed(), shipped()), OrderAlreadyShipped),
        ((*PLACED, cancelled()), OrderSettled),
        ((*PLACED, rejected()), OrderSettled),
        ((), OrderUnknown),
    ],
)
def test_an_amendment_comes_in_time_or_is_refused(past: Past, refusal: type[Exception]) -> None:
    order.given(*past).when(amend(NEW)).then_rejected(refusal)  # type: ignore[arg-type]
    if past and MORE not in past:
        order.given(PLACED[0], MORE, *past[1:]).when(amend(FIGS_5, NEW)).then_nothing()  # it was in time


def test_an_order_placed_again_after_it_was_amended_is_still_the_same() -> None:
    order.given(*PLACED, MORE).when(place()).then_nothing()
