"""Money taken per shipment: parts of one authorization, each once; the last takes what is still owed and ends it."""

import pytest

from aggregates.errors import NothingToRefund, RefundTooLarge
from aggregates.payment import decider
from events.payment import PaymentEvent
from schemas.payment import (
    CancelPayment,
    CapturePayment,
    CaptureShipment,
    LapsePayment,
    RecordAuthorization,
    RecordCapture,
    RecordDecline,
    RecordExpiry,
    RecordRefusal,
    ReducePayment,
    RefundPayment,
)
from tests.builders.order import TOTAL
from tests.builders.payment import (
    R1,
    S1,
    S2,
    WHOLE,
    authorized,
    cancelled,
    expired,
    part_captured,
    part_requested,
    reduced,
    refund_requested,
    refunded,
    refused,
    renewal,
    requested,
    void_requested,
)
from tests.builders.values import OVERDUE, A
from tests.spec import Spec

payment = Spec(decider(OVERDUE))
STREAM = f"payment-{A}"
Past = tuple[PaymentEvent, ...]
HELD: Past = (requested(capture="per_shipment"), authorized())
ASKED: Past = (*HELD, part_requested())
TAKEN: Past = (*ASKED, part_captured())
ALL: Past = (*TAKEN, part_requested(S2, TOTAL - 300, final=True), part_captured(S2, TOTAL - 300))


def shipment(which: str = S1, amount: int = 300, last: bool = False) -> CaptureShipment:
    return CaptureShipment(order_id=A, shipment_id=which, amount=amount, last=last)


def done(which: str = S1) -> RecordCapture:
    return RecordCapture(order_id=A, reference=f"capture-{which[0]}", shipment_id=which)


def less(amount: int, returned: bool = False, closes: bool = False) -> ReducePayment:
    reason = "items returned" if returned else "line cancelled"
    return ReducePayment(order_id=A, refund_id=R1, amount=amount, reason=reason, returned=returned, closes=closes)


def test_nothing_is_taken_when_the_order_is_confirmed() -> None:
    payment.given(*HELD).when(CapturePayment(order_id=A)).then_nothing()
    payment.given(*HELD).leaves(STREAM)


def test_a_shipment_takes_what_is_in_it_once() -> None:
    payment.given(*HELD).when(shipment()).then(part_requested())
    payment.given(*ASKED).leaves(STREAM, f"capture:{S1}")
    payment.given(*ASKED).when(shipment()).then_nothing()
    payment.given(*ASKED).when(done()).then(part_captured())
    payment.given(*TAKEN).leaves(STREAM)
    payment.given(*TAKEN).when(done()).then_nothing()
    payment.given(*TAKEN).when(shipment()).then_nothing()


def test_the_last_shipment_takes_what_is_still_owed_whatever_it_was_said_to_cost() -> None:
    life = payment.given(*TAKEN)
    life.when(shipment(S2, 1, last=True)).then(part_requested(S2, TOTAL - 300, final=True))
    payment.given(*ALL).leaves(STREAM)
    payment.given(*ALL).when(shipment("3c000000-0000-4000-8000-00000000000a", last=True)).then_nothing()


def test_a_single_shipment_takes_all_at_once() -> None:
    payment.given(*HELD).when(shipment(S1, TOTAL, last=True)).then(part_requested(S1, TOTAL, final=True))


def test_parts_are_asked_for_one_after_the_other() -> None:
    both = payment.given(*ASKED, part_requested(S2, TOTAL - 300, final=True))
    both.leaves(STREAM, f"capture:{S1}")
    both.ask(done())
    both.leaves(STREAM, f"capture:{S2}")


def test_no_more_is_taken_than_is_owed() -> None:
    payment.given(*TAKEN).when(shipment(S2, TOTAL)).then(part_requested(S2, TOTAL - 300))
    free = payment.given(*HELD, part_requested(S1, TOTAL), part_captured(S1, TOTAL))
    free.when(shipment(S2, 100)).then_nothing()
    free.when(shipment(S2, 100, last=True)).then(part_requested(S2, 0, final=True))


def test_a_cancelled_line_that_was_not_charged_for_lowers_what_will_be_taken() -> None:
    life = payment.given(*TAKEN)
    life.when(less(150)).then(reduced(amount=150))
    life.ask(less(150))
    life.when(shipment(S2, 1, last=True)).then(part_requested(S2, TOTAL - 450, final=True))


def test_a_cancelled_line_that_was_rounded_up_before_gives_the_difference_back() -> None:
    life = payment.given(*HELD, part_requested(S1, TOTAL - 100), part_captured(S1, TOTAL - 100))
    life.when(less(101)).then(reduced(amount=100), refund_requested(R1, 1, "line cancelled"))


def test_the_cancelling_of_the_rest_lets_go_of_what_is_left() -> None:
    rest = less(TOTAL - 300, closes=True)
    life = payment.given(*TAKEN)
    life.when(rest).then(reduced(amount=TOTAL - 300), part_requested(R1, 0, final=True))
    life.ask(rest)
    life.leaves(STREAM, f"capture:{R1}")
    life.when(rest).then_nothing()
    life.when(done(R1)).then(part_captured(R1, 0))


def test_the_cancelling_of_the_rest_takes_what_rounding_has_left() -> None:
    rest = less(TOTAL - 301, closes=True)
    payment.given(*TAKEN).when(rest).then(reduced(amount=TOTAL - 301), part_requested(R1, 1, final=True))


def test_money_of_goods_that_came_back_is_given_back_of_what_was_taken() -> None:
    life = payment.given(*TAKEN)
    life.when(less(150, returned=True)).then(refund_requested(R1, 150, "items returned"))
    life.ask(less(150, returned=True))
    life.leaves(STREAM, f"refund:{R1}")
    life.when(shipment(S2, 1, last=True)).then(part_requested(S2, TOTAL - 300, final=True))


def test_a_refund_waits_for_the_capture_that_it_is_of() -> None:
    life = payment.given(*ASKED)
    life.ask(less(150, returned=True))
    life.leaves(STREAM, f"capture:{S1}")
    life.ask(done())
    life.leaves(STREAM, f"refund:{R1}")


def test_goodwill_is_given_of_what_was_taken_by_then() -> None:
    def give(amount: int | None) -> RefundPayment:
        return RefundPayment(order_id=A, refund_id=R1, amount=amount)

    payment.given(*HELD).when(give(1)).then_rejected(NothingToRefund)
    payment.given(*TAKEN).when(give(301)).then_rejected(RefundTooLarge)
    payment.given(*TAKEN).when(give(None)).then(refund_requested(R1, 300))


def test_an_order_that_is_off_before_anything_was_charged_is_voided() -> None:
    payment.given(*HELD).when(CancelPayment(order_id=A)).then(cancelled(), void_requested())


def test_an_order_that_is_off_after_something_was_taken_gives_it_back_and_lets_the_rest_go() -> None:
    life = payment.given(*TAKEN)
    life.ask(CancelPayment(order_id=A))
    [_, release, back] = life.history[-3:]
    assert (release.amount, release.final, back.amount) == (0, True, 300)  # type: ignore[attr-defined]
    [todo] = payment.decider.todos(life.state(STREAM))
    assert todo.step == "capture_shipment"
    life.ask(done(todo.key.partition(":")[2]))
    life.leaves(STREAM, f"refund:{WHOLE}")


def test_an_order_that_is_off_while_a_part_is_asked_for_waits_for_its_answer() -> None:
    life = payment.given(*ASKED)
    life.when(CancelPayment(order_id=A)).then(cancelled())
    life.ask(CancelPayment(order_id=A))
    life.ask(done())
    kinds = [event.tag for event in life.history[-3:]]
    assert kinds == ["payment.captured.v1", "payment.shipment_capture_requested.v1", "payment.refund_requested.v1"]


def test_what_expires_before_anything_was_taken_is_asked_for_again_and_its_parts_wait() -> None:
    life = payment.given(*ASKED)
    life.when(RecordExpiry(order_id=A, reference="auth-1", step="capture")).then(expired(), renewal())
    life.ask(RecordExpiry(order_id=A, reference="auth-1", step="capture"))
    life.leaves(STREAM, "authorize:2")
    life.ask(shipment(S2, 1, last=True))
    life.ask(RecordAuthorization(order_id=A, reference="auth-2", attempt=2))
    life.leaves(STREAM, f"capture:{S1}:2")
    life.ask(done())
    life.leaves(STREAM, f"capture:{S2}:2")


def test_nothing_is_given_back_of_what_was_never_taken_when_a_renewal_is_declined() -> None:
    life = payment.given(*ASKED)
    for command in (
        less(150, returned=True),
        RecordExpiry(order_id=A, reference="auth-1", step="capture"),
        RecordDecline(order_id=A, reason="card_declined", attempt=2),
        LapsePayment(order_id=A),
    ):
        life.ask(command)
    life.leaves(STREAM)


def test_a_refused_part_is_for_a_person_and_leaves_what_was_taken_refundable() -> None:
    life = payment.given(*TAKEN, part_requested(S2, 100))
    no = RecordRefusal(order_id=A, step=f"capture:{S2}", reason="fraud")
    life.when(no).then(refused(f"capture:{S2}", "fraud"))
    life.ask(no)
    life.leaves(STREAM)
    life.when(less(100, returned=True)).then(refund_requested(R1, 100, "items returned"))


@pytest.mark.parametrize("past", [HELD, ASKED, TAKEN, ALL])
def test_a_capture_without_a_shipment_says_nothing_of_parts(past: Past) -> None:
    payment.given(*past).when(RecordCapture(order_id=A, reference="capture-1")).then_nothing()


def test_what_is_owed_in_the_end_is_what_was_taken_less_what_went_back() -> None:
    life = payment.given(*ALL, refund_requested(R1, 150, "items returned"), refunded(R1, 150))
    life.leaves(STREAM)
    assert life.state(STREAM).kept == TOTAL - 150
