"""Whatever is asked of a payment, in whatever order: what is kept is never negative, and nothing once it is off."""

from hypothesis import given
from hypothesis import strategies as st

from aggregates.payment import Payment, Status, decider
from events.payment import (
    AttemptDeclined,
    AuthorizationExpired,
    CaptureRequested,
    PaymentAuthorized,
    PaymentCaptured,
    PaymentDeclined,
    PaymentRefunded,
    RenewalDeclined,
    RenewalRequested,
    ShipmentCaptureRequested,
    StrayAuthorized,
    StrayVoided,
    VoidRequested,
)
from schemas.payment import (
    CancelPayment,
    CapturePayment,
    CaptureShipment,
    LapsePayment,
    PaymentCommand,
    RecordAuthorization,
    RecordCapture,
    RecordDecline,
    RecordExpiry,
    RecordRefund,
    RecordRefusal,
    RecordVoid,
    ReducePayment,
    RefundPayment,
)
from schemas.values import Capture
from tests.aggregates.laws import asking_twice_changes_nothing_more, every_law_of_history, lived, moderately
from tests.builders.order import TOTAL
from tests.builders.payment import R1, R2, R3, S1, S2, T2, WHOLE, attempt, request
from tests.builders.values import OVERDUE, A
from tests.spec import Life

DECIDER = decider(OVERDUE)
STREAM = f"payment-{A}"


def authorization(number: int) -> RecordAuthorization:
    return RecordAuthorization(order_id=A, reference=f"auth-{number}", attempt=number)


def expiry(number: int) -> RecordExpiry:
    return RecordExpiry(order_id=A, reference=f"auth-{number}")


def decline(number: int) -> RecordDecline:
    return RecordDecline(order_id=A, reason="card_declined", attempt=number)


refund_ids = st.sampled_from([R1, R2, R3, WHOLE])
wishes: st.SearchStrategy[PaymentCommand] = st.one_of(
    st.sampled_from([request(), CapturePayment(order_id=A), CancelPayment(order_id=A), attempt(), attempt(T2)]),
    st.builds(
        RefundPayment,
        order_id=st.just(A),
        refund_id=st.sampled_from([R1, R2]),
        amount=st.one_of(st.none(), st.integers(1, TOTAL + 1)),
    ),
    st.builds(
        ReducePayment,
        order_id=st.just(A),
        refund_id=st.sampled_from([R1, R2, R3]),
        amount=st.integers(0, TOTAL + 1),
        reason=st.just("line cancelled"),
        returned=st.booleans(),
        closes=st.sampled_from([False, False, True]),
    ),
    st.builds(
        CaptureShipment,
        order_id=st.just(A),
        shipment_id=st.sampled_from([S1, S2]),
        amount=st.integers(0, TOTAL + 1),
        last=st.booleans(),
    ),
)
answers: st.SearchStrategy[PaymentCommand] = st.one_of(
    st.sampled_from(
        [
            authorization(1),
            authorization(1),
            authorization(2),
            authorization(3),
            RecordCapture(order_id=A, reference="capture-1"),
            RecordCapture(order_id=A, reference="capture-1", shipment_id=S1),
            RecordCapture(order_id=A, reference="capture-2", shipment_id=S2),
            RecordCapture(order_id=A, reference="capture-1"),
            decline(1),
            decline(2),
            decline(3),
            expiry(1),
            expiry(2),
            expiry(3),
            RecordVoid(order_id=A),
            RecordVoid(order_id=A, stray="auth-1"),
            LapsePayment(order_id=A),
        ]
    ),
    refund_ids.map(lambda refund_id: RecordRefund(order_id=A, refund_id=refund_id, reference="refund-1")),
)
steps = st.one_of(
    st.sampled_from(["authorize", "capture", "capture:2", f"capture:{S1}", "void", "void:auth-1"]),
    refund_ids.map(lambda which: f"refund:{which}"),
)
refusals: st.SearchStrategy[PaymentCommand] = steps.map(
    lambda step: RecordRefusal(order_id=A, step=step, reason="expired")
)
captures: st.SearchStrategy[Capture] = st.sampled_from(["at_confirmation", "per_shipment"])
requests = st.tuples(st.integers(1, 3), captures).map(lambda said: request(attempts=said[0], capture=said[1]))
pasts = st.tuples(requests, st.lists(st.one_of(wishes, answers), max_size=15)).map(
    lambda asked: lived(DECIDER, [asked[0], *asked[1]])
)
pasts_with_refusals = st.tuples(requests, st.lists(st.one_of(wishes, answers, refusals), max_size=15)).map(
    lambda asked: lived(DECIDER, [asked[0], *asked[1]])
)


def payment(life: Life) -> Payment:
    state = life.state(STREAM)
    assert isinstance(state, Payment)
    return state


def kept(life: Life) -> int:
    """Captured minus refunded money, as recorded."""
    captured = sum(event.amount for event in life.history if isinstance(event, PaymentCaptured))
    return captured - sum(event.amount for event in life.history if isinstance(event, PaymentRefunded))


def answer_all(life: Life, declines: bool) -> None:
    """The provider answers whatever it is asked, until nothing is left to ask."""
    for _ in range(15):
        for todo in DECIDER.todos(payment(life)):
            life.ask(answer(todo.key, declines))


def answer(step: str, declines: bool) -> PaymentCommand:
    match step.split(":"):
        case ["authorize", *number]:
            return (decline if declines else authorization)(int(*number) if number else 1)
        case ["void", stray]:
            return RecordVoid(order_id=A, stray=stray)
        case ["expire"]:
            return CapturePayment(order_id=A)  # in time
        case ["capture", which, *_] if len(which) == len(S1):
            return RecordCapture(order_id=A, reference=f"capture-{which}", shipment_id=which)
        case ["capture", *_]:
            return RecordCapture(order_id=A, reference="capture-1")
        case ["void"]:
            return RecordVoid(order_id=A)
        case ["refund", refund_id]:
            return RecordRefund(order_id=A, refund_id=refund_id, reference="refund-1")
        case _:
            return LapsePayment(order_id=A)


@moderately
@given(pasts_with_refusals)
def test_no_prefix_of_any_history_gives_back_more_than_was_taken(life: Life) -> None:
    again = Life(DECIDER)
    for event in life.history:
        again.record([event])
        assert 0 <= kept(again) <= TOTAL
        assert payment(again).refundable >= 0


@moderately
@given(pasts, st.booleans())
def test_once_the_order_is_off_and_all_is_answered_no_money_is_kept_or_held(life: Life, declines: bool) -> None:
    life.ask(CancelPayment(order_id=A))
    answer_all(life, declines)
    assert DECIDER.todos(payment(life)) == []
    assert kept(life) == 0
    assert payment(life).status not in (Status.AUTHORIZED, Status.CAPTURING, Status.VOIDING)


@moderately
@given(pasts)
def test_what_is_kept_in_the_end_is_what_was_asked_for_less_all_that_is_owed_less(life: Life) -> None:
    life.ask(CapturePayment(order_id=A))
    answer_all(life, declines=False)
    state = payment(life)
    if state.status is Status.CAPTURED and not (state.per_shipment and state.off):
        assert kept(life) == state.amount - state.reduced - state.refunded >= 0


@moderately
@given(pasts_with_refusals)
def test_the_provider_is_asked_for_each_step_once(life: Life) -> None:
    kinds = [type(event) for event in life.history]
    renewals = kinds.count(RenewalRequested)
    assert renewals <= 1
    again, once = (PaymentAuthorized, CaptureRequested), (VoidRequested, RenewalDeclined)
    assert all(kinds.count(step) <= 1 + renewals for step in again)
    assert all(kinds.count(step) <= 1 for step in once)
    assert not (PaymentCaptured in kinds and VoidRequested in kinds)
    parts = [event.shipment_id for event in life.history if isinstance(event, PaymentCaptured)]
    assert len(parts) == len(set(parts))
    asked = [event for event in life.history if isinstance(event, ShipmentCaptureRequested)]
    assert [event.final for event in asked[:-1]].count(True) == 0
    declines = [
        event for event in life.history if isinstance(event, PaymentDeclined | AttemptDeclined | RenewalDeclined)
    ]
    assert len(declines) <= payment(life).attempt <= payment(life).attempts


@moderately
@given(pasts)
def test_in_the_end_one_authorization_at_most_is_not_let_go(life: Life) -> None:
    answer_all(life, declines=False)
    held = [event.reference for event in life.history if isinstance(event, PaymentAuthorized | StrayAuthorized)]
    let_go = [event.reference for event in life.history if isinstance(event, StrayVoided | AuthorizationExpired)]
    assert len(set(held)) == len(held)
    assert len(held) - len(let_go) <= 1


@moderately
@given(pasts_with_refusals, st.one_of(wishes, answers, refusals))
def test_asking_a_payment_the_same_twice_changes_nothing_more(life: Life, command: PaymentCommand) -> None:
    asking_twice_changes_nothing_more(life, command)


@moderately
@given(pasts_with_refusals)
def test_replaying_a_payment_equals_living_it(life: Life) -> None:
    every_law_of_history(life)
