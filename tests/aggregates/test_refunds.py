"""Refunds: in parts or whole, each once, never more together than was captured."""

import pytest

from aggregates.errors import NothingToRefund, PaymentUnknown, RefundTooLarge
from aggregates.payment import decider
from schemas.payment import CancelPayment, RecordRefund, RecordRefusal, RefundPayment
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
    refund_requested,
    refunded,
    refused,
    requested,
)
from tests.builders.values import OVERDUE, A
from tests.spec import Spec

payment = Spec(decider(OVERDUE))
STREAM = f"payment-{A}"
CAPTURED = (requested(), authorized(), capture_requested(), captured())


def refund(amount: int | None = None, refund_id: str = R1) -> RefundPayment:
    return RefundPayment(order_id=A, refund_id=refund_id, amount=amount)


def answer(refund_id: str = R1) -> RecordRefund:
    return RecordRefund(order_id=A, refund_id=refund_id, reference="refund-1")


def test_a_refund_without_an_amount_gives_back_all_that_is_left() -> None:
    payment.given(*CAPTURED).when(refund()).then(refund_requested(R1, TOTAL))
    partly = payment.given(*CAPTURED, refund_requested(R1, 100), refunded(R1, 100))
    partly.when(refund(refund_id=R2)).then(refund_requested(R2, TOTAL - 100))


def test_a_refund_is_recorded_before_the_provider_is_asked() -> None:
    life = payment.given(*CAPTURED, refund_requested(R1, 100), refund_requested(R2, 200))
    life.leaves(STREAM, f"refund:{R1}", f"refund:{R2}")


def test_each_refund_is_answered_once_and_in_any_order() -> None:
    life = payment.given(*CAPTURED, refund_requested(R1, 100), refund_requested(R2, 200))
    life.when(answer(R2)).then(refunded(R2, 200))
    life.ask(answer(R2))
    life.when(answer(R2)).then_nothing()
    life.when(answer(R1)).then(refunded(R1, 100))


def test_a_refund_asked_for_twice_is_given_once() -> None:
    payment.given(*CAPTURED, refund_requested(R1, 100)).when(refund(100)).then_nothing()
    payment.given(*CAPTURED, refund_requested(R1, 100), refunded(R1, 100)).when(refund(100)).then_nothing()


def test_a_refund_is_never_larger_than_what_was_captured() -> None:
    no = payment.given(*CAPTURED).when(refund(TOTAL + 1)).then_rejected(RefundTooLarge)
    assert "850 EUR" in no.detail


def test_partial_refunds_together_are_never_larger_than_what_was_captured() -> None:
    pending = payment.given(*CAPTURED, refund_requested(R1, 500))
    pending.when(refund(351, R2)).then_rejected(RefundTooLarge)
    pending.when(refund(350, R2)).then(refund_requested(R2, 350))


def test_nothing_is_refunded_twice() -> None:
    whole = payment.given(*CAPTURED, refund_requested(R1, TOTAL), refunded(R1, TOTAL))
    whole.when(refund(1, R2)).then_rejected(NothingToRefund)
    whole.when(refund(None, R2)).then_rejected(NothingToRefund)


@pytest.mark.parametrize("past", [CAPTURED[:1], CAPTURED[:2], CAPTURED[:3], (requested(), declined())])
def test_what_is_not_captured_cannot_be_refunded(past: tuple[object, ...]) -> None:
    payment.given(*past).when(refund(1)).then_rejected(NothingToRefund)  # type: ignore[arg-type]


def test_an_unknown_payment_cannot_be_refunded() -> None:
    payment.when(refund(1)).then_rejected(PaymentUnknown)


def test_a_cancellation_gives_back_what_refunds_have_left() -> None:
    rest = refund_requested(WHOLE, TOTAL - 300, "order cancelled")
    given_back = (refund_requested(R1, 100), refunded(R1, 100), refund_requested(R2, 200))
    payment.given(*CAPTURED, *given_back).when(CancelPayment(order_id=A)).then(cancelled(), rest)


def test_a_cancellation_of_what_is_refunded_already_asks_for_nothing() -> None:
    whole = payment.given(*CAPTURED, refund_requested(R1, TOTAL))
    whole.when(CancelPayment(order_id=A)).then(cancelled())


def test_a_refused_refund_is_recorded_and_may_be_asked_for_again_under_another_id() -> None:
    no = RecordRefusal(order_id=A, step=f"refund:{R1}", reason="exceeds_captured")
    life = payment.given(*CAPTURED, refund_requested(R1, 100))
    life.when(no).then(refused(f"refund:{R1}", "exceeds_captured"))
    life.ask(no)
    life.when(no).then_nothing()
    life.leaves(STREAM)
    life.when(refund(TOTAL, R2)).then(refund_requested(R2, TOTAL))


def test_an_answer_to_a_refund_that_nobody_asked_for_changes_nothing() -> None:
    payment.given(*CAPTURED).when(answer(R1)).then_nothing()
    payment.when(answer(R1)).then_nothing()
