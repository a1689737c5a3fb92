"""Authorizations expire: what is held no longer is asked for once more, of the same card, and then captured."""

from datetime import timedelta

import pytest

from aggregates.payment import decider
from events.payment import PaymentEvent
from schemas.payment import (
    CancelPayment,
    CapturePayment,
    LapsePayment,
    RecordAuthorization,
    RecordCapture,
    RecordDecline,
    RecordExpiry,
    RecordRefusal,
    ReducePayment,
)
from tests.builders.order import TOTAL
from tests.builders.payment import (
    R1,
    attempt_declined,
    attempted,
    authorized,
    cancelled,
    capture_awaited,
    capture_requested,
    captured,
    declined,
    expired,
    part_requested,
    refund_requested,
    refused,
    renewal,
    renewal_declined,
    requested,
    void_requested,
    voided,
)
from tests.builders.values import NOON, OVERDUE, A
from tests.spec import Spec

payment = Spec(decider(OVERDUE))
STREAM = f"payment-{A}"
UNTIL = NOON + timedelta(days=7)
Past = tuple[PaymentEvent, ...]
REQUESTED: Past = (requested(),)
HELD: Past = (*REQUESTED, authorized(expires_at=UNTIL))
CAPTURING: Past = (*HELD, capture_requested())
RENEWING: Past = (*HELD, expired(), renewal())
CAPTURE_LOST: Past = (*CAPTURING, expired(), renewal())
HELD_AGAIN: Past = (*RENEWING, authorized(reference="auth-2", expires_at=UNTIL))

EXPIRY = RecordExpiry(order_id=A, reference="auth-1", step="capture")
AGAIN = RecordAuthorization(order_id=A, reference="auth-2", attempt=2)
NOT_AGAIN = RecordDecline(order_id=A, reason="card_declined", attempt=2)
CAPTURE = CapturePayment(order_id=A)


def test_what_is_held_until_a_moment_is_looked_at_then_and_not_before() -> None:
    told = RecordAuthorization(order_id=A, reference="auth-1", expires_at=UNTIL)
    payment.given(*REQUESTED).when(told).then(authorized(expires_at=UNTIL))
    [expire] = payment.decider.todos(payment.given(*HELD).state(STREAM))
    assert (expire.step, expire.due) == ("expire", UNTIL)
    payment.given(*CAPTURING).leaves(STREAM, "capture")  # whose answer says what became of it


def test_what_nobody_captured_in_time_is_asked_for_once_more() -> None:
    payment.given(*HELD).when(EXPIRY).then(expired(), renewal())
    payment.given(*RENEWING).leaves(STREAM, "authorize:2")  # and waits for the provider as long as that takes
    payment.given(*RENEWING).when(LapsePayment(order_id=A)).then_nothing()
    payment.given(*RENEWING).when(EXPIRY).then_nothing()


def test_a_capture_that_came_too_late_is_made_once_the_money_is_held_again() -> None:
    life = payment.given(*CAPTURING)
    life.when(EXPIRY).then(expired(), renewal())
    life.ask(EXPIRY)
    life.when(AGAIN).then(authorized(reference="auth-2"), capture_requested())
    life.ask(AGAIN)
    life.leaves(STREAM, "capture:2")
    life.when(RecordCapture(order_id=A, reference="capture-1")).then(captured())


def test_what_expires_by_the_clock_while_it_is_captured_waits_for_the_captures_own_answer() -> None:
    by_clock = RecordExpiry(order_id=A, reference="auth-1")
    payment.given(*CAPTURING).when(by_clock).then_nothing()
    payment.given(*HELD).when(by_clock).then(expired(), renewal())
    part = (requested(capture="per_shipment"), authorized(), part_requested())
    payment.given(*part).when(by_clock).then_nothing()


def test_a_capture_that_is_asked_for_meanwhile_is_not_forgotten() -> None:
    life = payment.given(*RENEWING)
    life.when(CAPTURE).then(capture_awaited())
    life.ask(CAPTURE)
    life.when(CAPTURE).then_nothing()
    life.when(AGAIN).then(authorized(reference="auth-2"), capture_requested())
    payment.given(*RENEWING).when(AGAIN).then(authorized(reference="auth-2"))  # nobody has asked


def test_what_expires_a_second_time_is_not_asked_for_again() -> None:
    again = RecordExpiry(order_id=A, reference="auth-2", step="capture")
    for past in (HELD_AGAIN, (*HELD_AGAIN, capture_requested())):
        life = payment.given(*past)
        life.when(again).then(expired("auth-2", final=True))
        life.ask(again)
        life.leaves(STREAM)
        life.when(CancelPayment(order_id=A)).then_nothing()


def test_a_card_that_declines_the_second_time_is_told_apart_from_a_first_decline() -> None:
    for past in (RENEWING, CAPTURE_LOST):
        life = payment.given(*past)
        life.when(NOT_AGAIN).then(renewal_declined())
        life.ask(NOT_AGAIN)
        life.leaves(STREAM)
        life.when(CancelPayment(order_id=A)).then_nothing()


def test_an_order_that_is_off_while_its_money_is_asked_for_anew_keeps_none() -> None:
    for past in (RENEWING, CAPTURE_LOST):
        life = payment.given(*past, cancelled())
        life.leaves(STREAM, "authorize:2")
        life.when(AGAIN).then(authorized(reference="auth-2"), void_requested())
        life.when(NOT_AGAIN).then(declined())


def test_a_capture_for_an_order_that_is_off_needs_no_renewal_where_it_has_expired() -> None:
    payment.given(*CAPTURING, cancelled()).when(EXPIRY).then(expired(final=True))


def test_what_was_to_be_given_back_of_a_capture_that_came_too_late_is_not_asked_for_again() -> None:
    life = payment.given(*CAPTURING, refund_requested(R1, 150, "line cancelled"))
    life.when(EXPIRY).then(expired(), renewal(amount=TOTAL - 150))
    life.ask(EXPIRY)
    life.ask(AGAIN)
    life.when(RecordCapture(order_id=A, reference="capture-1")).then(captured(TOTAL - 150))
    life.when(ReducePayment(order_id=A, refund_id=R1, amount=150, reason="line cancelled")).then_nothing()


def test_expiry_of_another_authorization_says_nothing_of_this_one() -> None:
    payment.given(*HELD_AGAIN).when(EXPIRY).then_nothing()
    stranger = RecordAuthorization(order_id=A, reference="auth-1")
    payment.given(*HELD_AGAIN).when(stranger).then_nothing()  # it was ours, and is told again


@pytest.mark.parametrize(
    "past",
    [
        (),
        REQUESTED,
        (*REQUESTED, declined()),
        (*CAPTURING, captured()),
        (*HELD, cancelled(), void_requested()),
        (*HELD, cancelled(), void_requested(), voided()),
        (*CAPTURING, refused("capture")),
    ],
)
def test_nothing_expires_where_nothing_is_held(past: Past) -> None:
    payment.given(*past).when(EXPIRY).then_nothing()


def test_a_renewed_capture_that_is_refused_is_for_a_person_like_any_other() -> None:
    no = RecordRefusal(order_id=A, step="capture:2", reason="fraud")
    life = payment.given(*HELD_AGAIN, capture_requested())
    life.when(no).then(refused("capture:2", "fraud"))
    life.ask(no)
    life.leaves(STREAM)


def test_a_renewal_is_no_attempt_of_the_customers() -> None:
    tried = (requested(attempts=3), attempt_declined(), attempted(), authorized(reference="auth-2"))
    life = payment.given(*tried)
    gone = RecordExpiry(order_id=A, reference="auth-2", step="capture")
    life.when(gone).then(expired("auth-2"), renewal(3))
    life.ask(gone)
    no = RecordDecline(order_id=A, reason="card_declined", attempt=3)
    life.when(no).then(renewal_declined(3))
