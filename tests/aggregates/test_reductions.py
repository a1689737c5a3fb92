"""Less is owed: before the capture is asked for it takes less, after that the difference is given back, each once."""

import pytest

from aggregates.payment import decider
from events.payment import PaymentEvent
from schemas.payment import (
    CancelPayment,
    CapturePayment,
    RecordCapture,
    RecordRefusal,
    ReducePayment,
    RefundPayment,
    RequestPayment,
)
from tests.builders.order import TOTAL
from tests.builders.payment import (
    R1,
    R2,
    WHOLE,
    authorized,
    cancelled,
    capture_requested,
    captured,
    declined,
    reduced,
    refund_requested,
    refused,
    request,
    requested,
    voided,
)
from tests.builders.values import OVERDUE, A
from tests.spec import Spec

payment = Spec(decider(OVERDUE))
STREAM = f"payment-{A}"
Past = tuple[PaymentEvent, ...]
REQUESTED: Past = (requested(),)
AUTHORIZED: Past = (*REQUESTED, authorized())
CAPTURING: Past = (*AUTHORIZED, capture_requested())
CAPTURED: Past = (*CAPTURING, captured())
LESS = "line cancelled"


def less(amount: int = 150, refund_id: str = R1) -> ReducePayment:
    return ReducePayment(order_id=A, refund_id=refund_id, amount=amount, reason=LESS)


@pytest.mark.parametrize("past", [REQUESTED, AUTHORIZED], ids=["requested", "authorized"])
def test_before_the_capture_is_asked_for_it_takes_less(past: Past) -> None:
    payment.given(*past).when(less()).then(reduced())
    payment.given(*past, reduced()).when(less()).then_nothing()
    answered = payment.given(*past, *AUTHORIZED[len(past) :], reduced(), capture_requested())
    answered.when(RecordCapture(order_id=A, reference="capture-1")).then(captured(TOTAL - 150))


def test_while_the_capture_is_under_way_the_refund_waits_for_its_answer() -> None:
    payment.given(*CAPTURING).when(less()).then(refund_requested(R1, 150, LESS))
    waiting = payment.given(*CAPTURING, refund_requested(R1, 150, LESS))
    waiting.leaves(STREAM, "capture")
    waiting.record([captured()])
    waiting.leaves(STREAM, f"refund:{R1}")


def test_what_is_captured_is_given_back_once() -> None:
    payment.given(*CAPTURED).when(less()).then(refund_requested(R1, 150, LESS))
    payment.given(*CAPTURED, refund_requested(R1, 150, LESS)).when(less()).then_nothing()


def test_no_more_is_given_back_than_is_left_after_goodwill() -> None:
    payment.given(*CAPTURED, refund_requested(R2, TOTAL - 100)).when(less()).then(refund_requested(R1, 100, LESS))
    payment.given(*CAPTURED, refund_requested(R2, TOTAL)).when(less()).then_nothing()


def test_a_reduced_capture_is_refunded_up_to_what_it_took() -> None:
    took = (*AUTHORIZED, reduced(), capture_requested(), captured(TOTAL - 150))
    payment.given(*took).when(RefundPayment(order_id=A, refund_id=R2)).then(refund_requested(R2, TOTAL - 150))
    payment.given(*took).when(CancelPayment(order_id=A)).then(
        cancelled(), refund_requested(WHOLE, TOTAL - 150, "order cancelled")
    )


def test_an_order_that_is_off_gives_back_the_rest_of_a_capture_under_way() -> None:
    off = payment.given(*CAPTURING, refund_requested(R1, 150, LESS), cancelled())
    off.when(RecordCapture(order_id=A, reference="capture-1")).then(
        captured(), refund_requested(WHOLE, TOTAL - 150, "order cancelled")
    )


def test_a_capture_that_is_refused_leaves_nothing_to_give_back() -> None:
    life = payment.given(*CAPTURING, refund_requested(R1, 150, LESS))
    life.ask(RecordRefusal(order_id=A, step="capture", reason="expired"))
    life.leaves(STREAM)


@pytest.mark.parametrize(
    "past",
    [(), (*REQUESTED, declined()), (*AUTHORIZED, cancelled()), (*AUTHORIZED, cancelled(), voided()),
     (*CAPTURING, refused("capture"))],
    ids=["unknown", "declined", "off", "voided", "refused"],
)  # fmt: skip
def test_where_nothing_is_or_will_be_taken_nothing_is_reduced(past: Past) -> None:
    payment.given(*past).when(less()).then_nothing()


def test_nothing_less_is_nothing() -> None:
    payment.given(*CAPTURED).when(less(0)).then_nothing()


def test_what_was_off_before_the_money_was_asked_for_is_not_in_the_amount_asked() -> None:
    asked: RequestPayment = request(TOTAL - 150)
    life = payment.given()
    life.ask(less())
    life.when(asked).then(requested(TOTAL - 150))
    life.ask(asked)
    life.when(CapturePayment(order_id=A)).then_nothing()
