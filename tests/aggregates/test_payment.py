"""The money of one order: authorized, captured or voided, each at most once, and nothing kept once the order is off."""

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
    RecordRefusal,
    RecordVoid,
)
from tests.builders.order import TOTAL
from tests.builders.payment import (
    WHOLE,
    authorized,
    cancelled,
    capture_requested,
    captured,
    declined,
    lapsed,
    refund_requested,
    refused,
    request,
    requested,
    void_requested,
    voided,
)
from tests.builders.values import NOON, OVERDUE, A
from tests.spec import Spec

payment = Spec(decider(OVERDUE))
STREAM = f"payment-{A}"
Past = tuple[PaymentEvent, ...]
REQUESTED: Past = (requested(),)
AUTHORIZED: Past = (*REQUESTED, authorized())
CAPTURING: Past = (*AUTHORIZED, capture_requested())
CAPTURED: Past = (*CAPTURING, captured())
DECLINED: Past = (*REQUESTED, declined())
VOIDING: Past = (*AUTHORIZED, cancelled(), void_requested())
VOIDED: Past = (*VOIDING, voided())
UNCAPTURED: Past = (*CAPTURING, refused("capture"))
LAPSED: Past = (*REQUESTED, lapsed())
GIVEN_BACK = refund_requested(WHOLE, TOTAL, "order cancelled")

AUTHORIZATION = RecordAuthorization(order_id=A, reference="auth-1")
DECLINE = RecordDecline(order_id=A, reason="card_declined")
CAPTURE = CapturePayment(order_id=A)
CAPTURE_DONE = RecordCapture(order_id=A, reference="capture-1")
CANCEL = CancelPayment(order_id=A)
VOID_DONE = RecordVoid(order_id=A)
LAPSE = LapsePayment(order_id=A)

EVERYWHERE: dict[str, Past] = {
    "unknown": (),
    "requested": REQUESTED,
    "authorized": AUTHORIZED,
    "capturing": CAPTURING,
    "captured": CAPTURED,
    "declined": DECLINED,
    "voiding": VOIDING,
    "voided": VOIDED,
    "uncaptured": UNCAPTURED,
    "lapsed": LAPSED,
}


def but(*names: str) -> pytest.MarkDecorator:
    pasts = {name: past for name, past in EVERYWHERE.items() if name not in names}
    return pytest.mark.parametrize("past", pasts.values(), ids=pasts)


def test_a_request_is_recorded_before_the_provider_is_asked() -> None:
    payment.when(request()).then(requested())
    payment.given(*REQUESTED).leaves(STREAM, "authorize", "lapse")


def test_the_provider_has_so_long_to_answer() -> None:
    due = {todo.step: todo.due for todo in payment.decider.todos(payment.given(*REQUESTED).state(STREAM))}
    assert due == {"authorize": None, "lapse": NOON + OVERDUE}


@but("unknown")
def test_a_payment_is_requested_once(past: Past) -> None:
    payment.given(*past).when(request()).then_nothing()


def test_money_is_authorized_or_declined() -> None:
    payment.given(*REQUESTED).when(AUTHORIZATION).then(authorized())
    payment.given(*REQUESTED).when(DECLINE).then(declined())


@but("requested", "lapsed")
def test_an_answer_that_nobody_waits_for_changes_nothing(past: Past) -> None:
    if past is not DECLINED:  # then it is a stray
        payment.given(*past).when(AUTHORIZATION).then_nothing()
    payment.given(*past).when(DECLINE).then_nothing()
    payment.given(*past).when(LAPSE).then_nothing()


def test_authorized_money_waits_for_the_order() -> None:
    payment.given(*AUTHORIZED).leaves(STREAM)
    payment.given(*AUTHORIZED).when(CAPTURE).then(capture_requested())
    payment.given(*CAPTURING).leaves(STREAM, "capture")
    payment.given(*CAPTURING).when(CAPTURE_DONE).then(captured())
    payment.given(*CAPTURED).leaves(STREAM)


@but("authorized")
def test_only_authorized_money_is_captured_and_once(past: Past) -> None:
    payment.given(*past).when(CAPTURE).then_nothing()


@but("capturing")
def test_a_capture_is_recorded_once(past: Past) -> None:
    payment.given(*past).when(CAPTURE_DONE).then_nothing()


def test_a_payment_that_was_cancelled_before_it_was_requested_is_never_made() -> None:
    life = payment.given()
    life.when(CANCEL).then(cancelled())
    life.ask(CANCEL)
    life.when(request()).then_nothing()
    life.leaves(STREAM)


def test_a_cancellation_voids_authorized_money_once() -> None:
    life = payment.given(*AUTHORIZED)
    life.when(CANCEL).then(cancelled(), void_requested())
    life.ask(CANCEL)
    life.leaves(STREAM, "void")
    life.when(CANCEL).then_nothing()
    life.when(VOID_DONE).then(voided())
    life.ask(VOID_DONE)
    life.leaves(STREAM)
    life.when(VOID_DONE).then_nothing()


def test_an_authorization_after_the_cancellation_is_voided_once() -> None:
    life = payment.given(*REQUESTED)
    life.when(CANCEL).then(cancelled())
    life.ask(CANCEL)
    life.leaves(STREAM, "authorize")  # whether money is held must still be found out
    life.when(AUTHORIZATION).then(authorized(), void_requested())
    life.ask(AUTHORIZATION)
    life.when(AUTHORIZATION).then_nothing()
    life.when(CAPTURE).then_nothing()


def test_a_decline_after_the_cancellation_leaves_nothing_to_do() -> None:
    life = payment.given(*REQUESTED, cancelled())
    life.when(DECLINE).then(declined())
    life.ask(DECLINE)
    life.leaves(STREAM)


def test_a_capture_after_the_cancellation_is_refunded_once() -> None:
    life = payment.given(*CAPTURING)
    life.when(CANCEL).then(cancelled())
    life.ask(CANCEL)
    life.leaves(STREAM, "capture")
    life.when(CAPTURE_DONE).then(captured(), GIVEN_BACK)
    life.ask(CAPTURE_DONE)
    life.leaves(STREAM, f"refund:{WHOLE}")
    life.when(CAPTURE_DONE).then_nothing()


def test_a_cancellation_refunds_captured_money() -> None:
    payment.given(*CAPTURED).when(CANCEL).then(cancelled(), GIVEN_BACK)
    payment.given(*CAPTURED, cancelled(), GIVEN_BACK).when(CANCEL).then_nothing()


def test_where_no_money_can_be_a_cancellation_changes_nothing() -> None:
    for past in (DECLINED, VOIDED, UNCAPTURED):
        payment.given(*past).when(CANCEL).then_nothing()


def test_a_silent_provider_lets_the_payment_lapse_and_its_late_yes_is_voided() -> None:
    life = payment.given(*REQUESTED)
    life.when(LAPSE).then(lapsed())
    life.ask(LAPSE)
    life.when(LAPSE).then_nothing()
    life.when(CANCEL).then_nothing()
    life.leaves(STREAM, "authorize")
    life.when(AUTHORIZATION).then(authorized(), void_requested())
    life.when(DECLINE).then(declined())


def test_a_payment_that_is_off_already_does_not_lapse() -> None:
    payment.given(*REQUESTED, cancelled()).when(LAPSE).then_nothing()


def test_a_refused_capture_or_void_is_recorded_once_for_a_person_to_look_at() -> None:
    for past, step in ((CAPTURING, "capture"), (VOIDING, "void")):
        no = RecordRefusal(order_id=A, step=step, reason="expired")
        life = payment.given(*past)
        life.when(no).then(refused(step))
        life.ask(no)
        life.leaves(STREAM)
        life.when(no).then_nothing()


def test_a_free_order_has_nothing_to_give_back() -> None:
    free = (requested(0), authorized(0), capture_requested(), captured(0))
    payment.given(*free).when(CANCEL).then(cancelled())
