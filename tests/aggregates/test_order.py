"""An order on its good way: placed, secured, confirmed, committed, shipped, delivered, each once."""

from aggregates.errors import OrderExists, OrderNotReady, OrderNotShipped, OrderSettled, OrderUnknown
from aggregates.order import DECIDER
from schemas.order import ConfirmOrder, DeliverOrder, OrderLine, RecordCommitment, RecordReservation, ShipOrder
from tests.builders.order import (
    cancelled,
    committed,
    confirmed,
    delivered,
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
SECURED = (placed(), reserved(FIGS, MILK), secured())
CONFIRMED = (*SECURED, confirmed())
READY = (*CONFIRMED, committed())


def test_an_order_is_placed_with_the_total_of_its_lines() -> None:
    order.when(place()).then(placed())
    assert placed().total == 2 * 150 + 300 + 250


def test_the_same_order_placed_again_changes_nothing() -> None:
    order.given(placed()).when(place()).then_nothing()
    order.given(*READY, shipped()).when(place()).then_nothing()
    order.given(placed(), cancelled()).when(place()).then_nothing()


def test_an_order_id_that_is_taken_by_another_customer_is_refused() -> None:
    order.given(placed()).when(place(customer_id="bob")).then_rejected(OrderExists)


def test_an_order_id_that_is_taken_by_an_order_of_other_goods_is_refused_even_at_the_same_total() -> None:
    cheese = (OrderLine(sku=CHEESE, quantity=1, unit_price=placed().total),)
    order.given(placed()).when(place(lines=cheese)).then_rejected(OrderExists)


def test_stock_held_on_one_shelf_does_not_secure_an_order_that_waits_for_another() -> None:
    some = RecordReservation(order_id=A, skus=(FIGS, MILK))
    order.given(placed()).when(some).then(reserved(FIGS, MILK))


def test_the_last_shelf_secures_the_order() -> None:
    last = RecordReservation(order_id=A, skus=(BREAD,))
    order.given(placed(), reserved(FIGS, MILK)).when(last).then(secured())


def test_an_order_whose_lines_live_on_one_shelf_is_secured_at_once() -> None:
    lines = tuple(line for line in placed().lines if line.sku != BREAD)
    small = placed().model_copy(update={"lines": lines, "total": 600})
    order.given(small).when(RecordReservation(order_id=A, skus=(FIGS, MILK))).then(
        secured().model_copy(update={"amount": 600})
    )


def test_a_sku_on_two_lines_is_awaited_once() -> None:
    twice = tuple(OrderLine(sku=FIGS, quantity=1, unit_price=425) for _ in range(2))
    order.given(placed(lines=twice)).when(RecordReservation(order_id=A, skus=(FIGS,))).then(secured())


def test_a_reservation_told_twice_or_of_strange_skus_changes_nothing() -> None:
    told = RecordReservation(order_id=A, skus=(FIGS, MILK))
    order.given(placed(), reserved(FIGS, MILK)).when(told).then_nothing()
    order.given(placed()).when(RecordReservation(order_id=A, skus=(CHEESE,))).then_nothing()


def test_a_reservation_after_the_end_changes_nothing() -> None:
    late = RecordReservation(order_id=A, skus=(BREAD,))
    order.given(placed(), reserved(FIGS, MILK), rejected()).when(late).then_nothing()
    order.given(placed(), reserved(FIGS, MILK), cancelled()).when(late).then_nothing()


def test_authorized_money_confirms_a_secured_order() -> None:
    order.given(*SECURED).when(ConfirmOrder(order_id=A)).then(confirmed())


def test_authorized_money_confirms_an_order_once() -> None:
    order.given(*CONFIRMED).when(ConfirmOrder(order_id=A)).then_nothing()
    order.given(*READY, shipped()).when(ConfirmOrder(order_id=A)).then_nothing()


def test_money_does_not_confirm_an_order_whose_stock_is_not_held() -> None:
    order.given(placed()).when(ConfirmOrder(order_id=A)).then_nothing()


def test_a_late_payment_does_not_revive_a_cancelled_or_rejected_order() -> None:
    order.given(placed(), cancelled()).when(ConfirmOrder(order_id=A)).then_nothing()
    order.given(*SECURED, rejected()).when(ConfirmOrder(order_id=A)).then_nothing()


def test_committed_stock_is_noted_shelf_by_shelf_and_once() -> None:
    some = RecordCommitment(order_id=A, skus=(FIGS, MILK))
    order.given(*CONFIRMED).when(some).then(committed(FIGS, MILK))
    order.given(*CONFIRMED, committed(FIGS, MILK)).when(some).then_nothing()


def test_stock_committed_after_the_order_was_cancelled_changes_nothing() -> None:
    order.given(*CONFIRMED, cancelled()).when(RecordCommitment(order_id=A, skus=(BREAD,))).then_nothing()


def test_an_order_ships_once_no_line_can_lapse_any_more() -> None:
    order.given(*READY).when(ShipOrder(order_id=A, tracking="1Z")).then(shipped("1Z"))


def test_an_order_does_not_ship_while_a_line_may_still_lapse() -> None:
    order.given(*CONFIRMED).when(ShipOrder(order_id=A)).then_rejected(OrderNotReady)
    order.given(*CONFIRMED, committed(FIGS, MILK)).when(ShipOrder(order_id=A)).then_rejected(OrderNotReady)


def test_an_order_does_not_ship_before_it_is_confirmed() -> None:
    order.given(placed()).when(ShipOrder(order_id=A)).then_rejected(OrderNotReady)
    order.given(*SECURED).when(ShipOrder(order_id=A)).then_rejected(OrderNotReady)


def test_a_settled_or_unknown_order_does_not_ship() -> None:
    order.given(placed(), cancelled()).when(ShipOrder(order_id=A)).then_rejected(OrderSettled)
    order.given(placed(), rejected()).when(ShipOrder(order_id=A)).then_rejected(OrderSettled)
    order.when(ShipOrder(order_id=A)).then_rejected(OrderUnknown)


def test_an_order_ships_once_and_is_delivered_once() -> None:
    order.given(*READY, shipped()).when(ShipOrder(order_id=A, tracking="other")).then_nothing()
    order.given(*READY, shipped()).when(DeliverOrder(order_id=A)).then(delivered())
    order.given(*READY, shipped(), delivered()).when(DeliverOrder(order_id=A)).then_nothing()
    order.given(*READY, shipped(), delivered()).when(ShipOrder(order_id=A)).then_nothing()


def test_what_was_not_shipped_is_not_delivered() -> None:
    order.given(*READY).when(DeliverOrder(order_id=A)).then_rejected(OrderNotShipped)
    order.given(placed(), cancelled()).when(DeliverOrder(order_id=A)).then_rejected(OrderSettled)
    order.when(DeliverOrder(order_id=A)).then_rejected(OrderUnknown)
