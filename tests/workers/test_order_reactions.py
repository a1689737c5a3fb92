"""What an order asks of itself when stock or money has spoken."""

from schemas.order import (
    CancelOrder,
    CancelRest,
    ConfirmOrder,
    RecordCommitment,
    RecordLapse,
    RecordReservation,
    RejectOrder,
)
from tests.builders import payment, product
from tests.builders.values import FIGS, MILK, A
from tests.workers.hearing import asks
from workers.order import REACTIONS


def test_stock_held_on_a_shelf_is_noted() -> None:
    assert asks(REACTIONS, product.made()) == [RecordReservation(order_id=A, skus=(FIGS, MILK))]


def test_stock_refused_rejects_the_order_and_says_which() -> None:
    no = product.refused(MILK, reason="withdrawn")
    assert asks(REACTIONS, no) == [RejectOrder(order_id=A, reason="withdrawn", skus=(MILK,))]


def test_stock_committed_is_noted() -> None:
    assert asks(REACTIONS, product.committed()) == [RecordCommitment(order_id=A, skus=(FIGS, MILK))]


def test_a_lapsed_hold_is_noted() -> None:
    assert asks(REACTIONS, product.lapsed(FIGS)) == [RecordLapse(order_id=A, skus=(FIGS,))]


def test_authorized_money_confirms_the_order() -> None:
    assert asks(REACTIONS, payment.authorized()) == [ConfirmOrder(order_id=A)]


def test_declined_or_overdue_money_rejects_the_order() -> None:
    declined = RejectOrder(order_id=A, reason="payment declined: card_declined")
    assert asks(REACTIONS, payment.declined()) == [declined]
    assert asks(REACTIONS, payment.lapsed()) == [RejectOrder(order_id=A, reason="payment overdue")]


def test_money_that_cannot_be_captured_cancels_the_order() -> None:
    no = payment.refused("capture", "expired")
    assert asks(REACTIONS, no) == [CancelOrder(order_id=A, reason="payment not captured: expired")]


def test_a_refused_void_or_refund_leaves_the_order_as_it_is() -> None:
    for step in ("void", f"refund:{payment.R1}"):
        assert asks(REACTIONS, payment.refused(step)) == []


def test_a_long_reason_of_the_provider_is_still_a_reason() -> None:
    [asked] = asks(REACTIONS, payment.refused("capture", "no " * 200))
    assert isinstance(asked, CancelOrder)


def test_money_that_has_expired_for_good_cancels_the_order() -> None:
    assert asks(REACTIONS, payment.expired()) == []
    assert asks(REACTIONS, payment.expired(final=True)) == [CancelRest(order_id=A, reason="payment expired")]
    why = "payment expired, and declined: card_declined"
    assert asks(REACTIONS, payment.renewal_declined()) == [CancelRest(order_id=A, reason=why)]


def test_a_payment_that_is_given_up_cancels_what_has_not_left_the_house() -> None:
    why = "payment expired: card_declined"
    assert asks(REACTIONS, payment.given_up()) == [CancelRest(order_id=A, reason=why)]


def test_a_capture_that_is_refused_cancels_the_order_renewed_or_not() -> None:
    for step in ("capture", "capture:2"):
        why = "payment not captured: expired"
        assert asks(REACTIONS, payment.refused(step)) == [CancelOrder(order_id=A, reason=why)]
    assert asks(REACTIONS, payment.refused("void")) == []
