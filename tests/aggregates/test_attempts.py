"""Several attempts: another card may be named where one was declined, until the payment is due; one is held at last."""

import pytest

from aggregates.errors import AttemptNotAwaited, PaymentUnknown
from aggregates.payment import Payment, decider
from events.payment import PaymentEvent
from schemas.payment import (
    CancelPayment,
    CapturePayment,
    LapsePayment,
    RecordAuthorization,
    RecordCapture,
    RecordDecline,
    RecordRefusal,
    RecordVoid,
    ReducePayment,
    RequestPayment,
)
from tests.builders.order import TOTAL
from tests.builders.payment import (
    R1,
    T2,
    attempt,
    attempt_declined,
    attempted,
    authorized,
    cancelled,
    capture_requested,
    captured,
    card_awaited,
    declined,
    lapsed,
    reduced,
    refused,
    request,
    requested,
    stray_authorized,
    stray_voided,
    void_requested,
    voided,
)
from tests.builders.values import NOON, OVERDUE, A
from tests.spec import Spec

payment = Spec(decider(OVERDUE))
STREAM = f"payment-{A}"
Past = tuple[PaymentEvent, ...]
REQUESTED: Past = (requested(attempts=3),)
AWAITING: Past = (*REQUESTED, attempt_declined(), card_awaited())
SECOND: Past = (*AWAITING, attempted())
AWAITING_AGAIN: Past = (*SECOND, attempt_declined(2), card_awaited(2, 1))
THIRD: Past = (*AWAITING_AGAIN, attempted(T2, 3))
AUTHORIZED: Past = (*SECOND, authorized(reference="auth-2"))

YES = RecordAuthorization(order_id=A, reference="auth-2", attempt=2)
NO = RecordDecline(order_id=A, reason="card_declined")
LATE_YES = RecordAuthorization(order_id=A, reference="auth-stray")


def no(number: int) -> RecordDecline:
    return RecordDecline(order_id=A, reason="card_declined", attempt=number)


def test_a_declined_payment_that_may_be_tried_again_waits_for_another_card_until_it_is_due() -> None:
    payment.when(request(attempts=3)).then(requested(attempts=3))
    payment.given(*REQUESTED).when(NO).then(attempt_declined(), card_awaited())
    waiting = payment.given(*AWAITING)
    waiting.leaves(STREAM, "lapse")
    [lapse] = payment.decider.todos(waiting.state(STREAM))
    assert lapse.due == NOON + OVERDUE


def test_a_card_that_was_asked_for_before_that_was_told_is_awaited_alike() -> None:
    before = payment.given(*REQUESTED, attempt_declined())
    before.leaves(STREAM, "lapse")
    before.when(attempt()).then(attempted())


def test_another_card_is_asked_under_a_key_of_its_own() -> None:
    payment.given(*AWAITING).when(attempt()).then(attempted())
    payment.given(*SECOND).leaves(STREAM, "authorize:2", "lapse")
    payment.given(*SECOND).when(YES).then(authorized(reference="auth-2"))


def test_an_attempt_asked_for_twice_is_made_once() -> None:
    for past in (SECOND, AWAITING_AGAIN, AUTHORIZED, (*SECOND, lapsed())):
        payment.given(*past).when(attempt()).then_nothing()


def test_the_last_decline_is_final() -> None:
    payment.given(*AWAITING_AGAIN).when(attempt(T2)).then(attempted(T2, 3))
    payment.given(*THIRD).when(no(3)).then(declined())
    payment.given(*THIRD, declined()).leaves(STREAM)


def test_a_payment_that_nobody_pays_in_time_lapses_and_leaves_nothing_to_do() -> None:
    life = payment.given(*AWAITING)
    life.when(LapsePayment(order_id=A)).then(lapsed())
    life.ask(LapsePayment(order_id=A))
    life.leaves(STREAM)
    life.when(LapsePayment(order_id=A)).then_nothing()
    life.when(CancelPayment(order_id=A)).then_nothing()


def test_an_order_that_is_called_off_while_another_card_is_awaited_leaves_nothing_to_do() -> None:
    life = payment.given(*AWAITING)
    life.when(CancelPayment(order_id=A)).then(cancelled())
    life.ask(CancelPayment(order_id=A))
    life.leaves(STREAM)


def test_a_decline_after_the_order_is_off_is_final_whatever_might_have_followed() -> None:
    for off in (lapsed(), cancelled()):
        payment.given(*REQUESTED, off).when(NO).then(declined())


@pytest.mark.parametrize(
    ("past", "why"),
    [
        (REQUESTED, "still being asked"),
        (SECOND, "still being asked"),
        ((*REQUESTED, authorized()), "is made"),
        ((*AUTHORIZED, capture_requested()), "is made"),
        ((*AUTHORIZED, capture_requested(), captured()), "is made"),
        ((*AWAITING, lapsed()), "Order anew"),
        ((*AWAITING, cancelled()), "Order anew"),
        ((*REQUESTED, lapsed()), "Order anew"),
        ((*THIRD, declined()), "Order anew"),
        ((*AUTHORIZED, cancelled(), void_requested()), "Order anew"),
        ((*AUTHORIZED, cancelled(), void_requested(), voided()), "Order anew"),
        ((*AUTHORIZED, capture_requested(), refused("capture")), "Order anew"),
    ],
)
def test_a_card_that_nobody_waits_for_is_refused_and_says_why(past: Past, why: str) -> None:
    rejected = payment.given(*past).when(attempt("3b000000-0000-4000-8000-00000000000a"))
    assert why in rejected.then_rejected(AttemptNotAwaited).detail


def test_an_unknown_payment_cannot_be_tried() -> None:
    payment.when(attempt()).then_rejected(PaymentUnknown)


def test_an_answer_to_an_earlier_attempt_says_nothing_of_the_present_one() -> None:
    payment.given(*SECOND).when(NO).then_nothing()
    payment.given(*REQUESTED).when(no(2)).then_nothing()
    payment.given(*REQUESTED).when(YES).then_nothing()


@pytest.mark.parametrize(
    "past",
    [AWAITING, SECOND, AUTHORIZED, (*AUTHORIZED, capture_requested()), (*AWAITING, lapsed()), (*THIRD, declined())],
    ids=["awaiting", "asked", "authorized", "capturing", "lapsed", "declined"],
)
def test_money_that_is_held_after_all_for_a_declined_attempt_is_let_go_once(past: Past) -> None:
    life = payment.given(*past)
    own = {todo.key for todo in payment.decider.todos(life.state(STREAM))}
    life.when(LATE_YES).then(stray_authorized())
    life.ask(LATE_YES)
    life.leaves(STREAM, *own, "void:auth-stray")
    life.when(LATE_YES).then_nothing()
    done = RecordVoid(order_id=A, stray="auth-stray")
    life.when(done).then(stray_voided())
    life.ask(done)
    life.leaves(STREAM, *own)
    life.when(done).then_nothing()
    life.when(LATE_YES).then_nothing()


def test_an_authorization_that_is_the_payments_own_is_no_stray_however_often_it_is_told() -> None:
    for past in (AUTHORIZED, (*AUTHORIZED, capture_requested(), captured())):
        payment.given(*past).when(YES).then_nothing()


def test_a_stray_that_the_provider_does_not_let_go_is_for_a_person_and_leaves_the_payment_as_it_is() -> None:
    life = payment.given(*AUTHORIZED, stray_authorized())
    said = RecordRefusal(order_id=A, step="void:auth-stray", reason="already_captured")
    life.when(said).then(refused("void:auth-stray", "already_captured"))
    life.ask(said)
    life.leaves(STREAM)
    life.when(CapturePayment(order_id=A)).then(capture_requested())


def test_what_is_called_off_before_another_card_is_named_is_not_asked_of_it() -> None:
    less = ReducePayment(order_id=A, refund_id=R1, amount=150, reason="line cancelled")
    life = payment.given(*AWAITING)
    life.when(less).then(reduced())
    life.ask(less)
    life.when(attempt()).then(attempted(amount=TOTAL - 150))
    life.ask(attempt())
    assert _state(life.state(STREAM)).asking == TOTAL - 150
    life.when(YES).then(authorized(TOTAL - 150, "auth-2"))
    life.ask(YES)
    life.ask(CapturePayment(order_id=A))
    life.when(RecordCapture(order_id=A, reference="capture-1")).then(captured(TOTAL - 150))


def test_a_request_of_before_there_were_attempts_is_tried_once() -> None:
    old = RequestPayment(order_id=A, amount=TOTAL, currency="EUR", token="tok_visa", email="ada@example.org")
    assert "attempts" not in old.model_dump(mode="json")
    life = payment.given(requested())
    assert "attempts" not in life.history[0].model_dump(mode="json")
    life.when(NO).then(declined())


def _state(state: object) -> Payment:
    assert isinstance(state, Payment)
    return state
