"""What is left once a part is taken expires too: the same card is asked, then the customer, then no more is taken."""

from datetime import timedelta

from aggregates.errors import AttemptNotAwaited
from aggregates.payment import Status, decider
from events.payment import PaymentEvent
from schemas.payment import (
    CancelPayment,
    CaptureShipment,
    LapsePayment,
    RecordAuthorization,
    RecordCapture,
    RecordDecline,
    RecordExpiry,
    RecordRefund,
    RecordVoid,
    ReducePayment,
    RefundPayment,
)
from tests.builders.order import TOTAL
from tests.builders.payment import (
    R1,
    R2,
    S1,
    S2,
    WHOLE,
    attempt,
    attempt_declined,
    attempted,
    authorized,
    cancelled,
    card_awaited_for_the_rest,
    declined,
    expired,
    given_up,
    part_captured,
    part_requested,
    reduced,
    refund_requested,
    refunded,
    renewal,
    renewal_declined,
    requested,
    stray_authorized,
    void_requested,
)
from tests.builders.values import CARD_WITHIN, NOON, OVERDUE, A
from tests.spec import Life, Spec

payment = Spec(decider(OVERDUE, CARD_WITHIN))
STREAM = f"payment-{A}"
REST = TOTAL - 300
Past = tuple[PaymentEvent, ...]
TAKEN: Past = (requested(capture="per_shipment"), authorized(), part_requested(), part_captured())
RENEWING: Past = (*TAKEN, expired(), renewal(amount=REST))
AWAITING: Past = (*RENEWING, attempt_declined(2), card_awaited_for_the_rest(REST))
OTHER_CARD: Past = (*AWAITING, attempted(number=3, amount=REST))
HELD_AGAIN: Past = (*RENEWING, authorized(REST, "auth-2"))
OWING: Past = (*TAKEN, part_requested(S2, 200), expired(), renewal(amount=REST))
AWAITING_OWING: Past = (*OWING, attempt_declined(2), card_awaited_for_the_rest(REST))

EXPIRY = RecordExpiry(order_id=A, reference="auth-1", step="capture")
LAPSE = LapsePayment(order_id=A)
CANCEL = CancelPayment(order_id=A)


def no(number: int) -> RecordDecline:
    return RecordDecline(order_id=A, reason="card_declined", attempt=number)


def yes(number: int) -> RecordAuthorization:
    return RecordAuthorization(order_id=A, reference=f"auth-{number}", attempt=number)


def ship(which: str = S2, amount: int = 200, last: bool = False) -> CaptureShipment:
    return CaptureShipment(order_id=A, shipment_id=which, amount=amount, last=last)


def less(amount: int, returned: bool = False, closes: bool = False, which: str = R1) -> ReducePayment:
    reason = "items returned" if returned else "line cancelled"
    return ReducePayment(order_id=A, refund_id=which, amount=amount, reason=reason, returned=returned, closes=closes)


def back(which: str = R1, piece: int = 1) -> RecordRefund:
    return RecordRefund(order_id=A, refund_id=which, reference="refund-1", piece=piece)


def next_refund(life: Life) -> tuple[str, int]:
    """Of which capture the next refund is, and how much."""
    state = life.state(STREAM)
    return state.pot.reference, state.piece(next(iter(state.refunds)))[1]


def test_what_expires_after_a_part_was_taken_is_asked_for_again_less_what_was_taken() -> None:
    payment.given(*TAKEN).when(EXPIRY).then(expired(), renewal(amount=REST))
    payment.given(*RENEWING).leaves(STREAM, "authorize:2")
    payment.given(*RENEWING).when(yes(2)).then(authorized(REST, "auth-2"))
    life = payment.given(*HELD_AGAIN)
    life.ask(ship(last=True))
    life.leaves(STREAM, f"capture:{S2}:2")
    life.when(RecordCapture(order_id=A, reference="capture-2", shipment_id=S2)).then(part_captured(S2, REST))


def test_a_part_that_came_too_late_waits_for_what_is_held_again() -> None:
    payment.given(*TAKEN, part_requested(S2, 200)).when(EXPIRY).then(expired(), renewal(amount=REST))
    payment.given(*OWING, authorized(REST, "auth-2")).leaves(STREAM, f"capture:{S2}:2")


def test_a_card_that_does_not_authorize_the_rest_lets_the_customer_name_another() -> None:
    payment.given(*RENEWING).when(no(2)).then(attempt_declined(2), card_awaited_for_the_rest(REST))
    waiting = payment.given(*AWAITING)
    waiting.leaves(STREAM, "lapse:2")
    assert [todo.due for todo in payment.decider.todos(waiting.state(STREAM))] == [NOON + CARD_WITHIN]
    waiting.when(attempt()).then(attempted(number=3, amount=REST))
    payment.given(*OTHER_CARD).leaves(STREAM, "authorize:3")
    payment.given(*OTHER_CARD).when(yes(3)).then(authorized(REST, "auth-3"))


def test_who_said_so_when_ordering_may_name_as_many_cards_as_are_left() -> None:
    held = (requested(attempts=3, capture="per_shipment"), *TAKEN[1:], expired(), renewal(amount=REST))
    life = payment.given(*held)
    life.when(no(2)).then(attempt_declined(2), card_awaited_for_the_rest(REST, left=2))
    life.ask(no(2))
    life.ask(attempt())
    life.when(no(3)).then(attempt_declined(3), card_awaited_for_the_rest(REST, 3))


def test_the_last_card_that_declines_ends_it_and_what_was_taken_stays() -> None:
    life = payment.given(*OTHER_CARD)
    life.when(no(3)).then(attempt_declined(3), given_up())
    life.ask(no(3))
    life.leaves(STREAM)
    assert life.state(STREAM).status is Status.CAPTURED
    life.when(attempt("5b000000-0000-4000-8000-00000000000a")).then_rejected(AttemptNotAwaited)
    life.when(less(REST)).then(reduced(amount=REST))  # the rest is called off
    life.when(less(REST, closes=True)).then(reduced(amount=REST))
    life.when(ship()).then_nothing()
    life.when(yes(3)).then(stray_authorized(3, "auth-3"))


def test_no_card_in_time_ends_it_too() -> None:
    reason = "no other card was named in time"
    payment.given(*AWAITING).when(LAPSE).then(given_up(reason))
    payment.given(*OTHER_CARD).when(LAPSE).then_nothing()  # the provider is being asked, as long as that takes
    payment.given(*AWAITING, given_up(reason)).when(LAPSE).then_nothing()


def test_what_expires_once_more_is_asked_of_the_customer() -> None:
    again = RecordExpiry(order_id=A, reference="auth-2", step="capture")
    payment.given(*HELD_AGAIN).when(again).then(expired("auth-2"), card_awaited_for_the_rest(REST))
    third = payment.given(*OTHER_CARD, authorized(REST, "auth-3"))
    gone = RecordExpiry(order_id=A, reference="auth-3")
    third.when(gone).then(expired("auth-3"), card_awaited_for_the_rest(REST, 3))
    third.ask(gone, NOON + timedelta(days=7))
    third.leaves(STREAM, "lapse:3")


def test_goods_that_were_sent_without_money_are_told_as_unpaid() -> None:
    life = payment.given(*AWAITING_OWING)
    life.when(LAPSE).then(given_up("no other card was named in time", 200))
    life.ask(LAPSE)
    assert life.state(STREAM).status is Status.DECLINED
    life.ask(less(REST - 200))
    state = life.state(STREAM)
    assert (state.due, state.taken) == (500, 300)


def test_a_shipment_while_a_card_is_awaited_waits_for_it() -> None:
    life = payment.given(*AWAITING)
    life.when(ship()).then(part_requested(S2, 200))
    life.ask(ship())
    for command in (attempt(), yes(3)):
        life.ask(command)
    life.leaves(STREAM, f"capture:{S2}:3")


def test_nobody_names_a_card_for_nothing() -> None:
    life = payment.given(*AWAITING)
    rest = less(REST, closes=True)
    life.when(rest).then(reduced(amount=REST), given_up("line cancelled"))
    life.ask(rest)
    life.leaves(STREAM)


def test_the_cancelling_of_the_rest_takes_what_is_unpaid_of_another_card() -> None:
    life = payment.given(*AWAITING_OWING)
    life.when(less(REST - 200, closes=True)).then(reduced(amount=REST - 200), part_requested(R1, 0, final=True))
    life.ask(less(REST - 200, closes=True))
    life.when(attempt()).then(attempted(number=3, amount=200))


def test_money_goes_back_while_a_card_is_awaited_of_what_was_taken() -> None:
    life = payment.given(*AWAITING)
    life.when(less(150, returned=True)).then(refund_requested(R1, 150, "items returned"))
    life.ask(less(150, returned=True))
    life.leaves(STREAM, "lapse:2", f"refund:{R1}")
    assert next_refund(life) == ("capture-1", 150)
    payment.given(*AWAITING_OWING, refund_requested(R1, 150)).leaves(STREAM, "lapse:2")  # its part may be unpaid


def test_a_refund_of_money_of_two_authorizations_is_given_in_pieces_the_earlier_first() -> None:
    both = (*HELD_AGAIN, part_requested(S2, REST, final=True), part_captured(S2, REST))
    life = payment.given(*both)
    life.ask(RefundPayment(order_id=A, refund_id=R1, amount=400))
    life.ask(RefundPayment(order_id=A, refund_id=R2, amount=50))
    life.leaves(STREAM, f"refund:{R1}")
    assert next_refund(life) == ("capture-1", 300)
    life.when(back()).then(refunded(R1, 300))
    life.when(back(R1, 2)).then_nothing()
    life.ask(back())
    life.leaves(STREAM, f"refund:{R1}:2")
    assert next_refund(life) == ("capture-2", 100)
    life.when(back()).then_nothing()
    life.when(back(R1, 2)).then(refunded(R1, 100, piece=2))
    life.ask(back(R1, 2))
    life.leaves(STREAM, f"refund:{R2}")
    assert next_refund(life) == ("capture-2", 50)


def test_a_refund_that_was_asked_for_before_the_expiry_is_asked_for_as_before() -> None:
    life = payment.given(*TAKEN, refund_requested(R1, 100), refund_requested(R2, 150))
    assert next_refund(life) == ("capture-1", 100)
    life.ask(EXPIRY)
    life.ask(yes(2))
    assert next_refund(life) == ("capture-1", 100)
    life.when(back(R2)).then(refunded(R2, 150))  # its answer was under way


def test_what_came_back_unpaid_is_not_paid_back() -> None:
    unpaid = payment.given(*TAKEN, part_requested(S2, 200), refund_requested(R1, 250, "items returned"))
    for command in (EXPIRY, no(2)):
        unpaid.ask(command)
    unpaid.when(LAPSE).then(given_up("no other card was named in time", 200, **{R1: 200}))
    unpaid.ask(LAPSE)
    unpaid.leaves(STREAM, f"refund:{R1}")
    assert next_refund(unpaid) == ("capture-1", 50)
    later = payment.given(*AWAITING_OWING, given_up(unpaid=200))
    later.ask(less(200, returned=True))
    later.leaves(STREAM)
    assert later.state(STREAM).due == TOTAL - 200


def test_an_order_that_is_off_after_all_gives_back_what_was_taken_and_lets_go_of_the_rest() -> None:
    waiting = payment.given(*AWAITING)
    waiting.when(CANCEL).then(cancelled(), refund_requested(WHOLE, 300, "order cancelled"))
    renewing = payment.given(*RENEWING, cancelled())
    give_back = refund_requested(WHOLE, 300, "order cancelled")
    renewing.when(yes(2)).then(authorized(REST, "auth-2"), void_requested(), give_back)
    renewing.when(no(2)).then(declined(), give_back)
    renewing.ask(yes(2))
    renewing.ask(RecordVoid(order_id=A))
    renewing.leaves(STREAM, f"refund:{WHOLE}")


def test_a_first_part_that_came_too_late_is_asked_of_the_customer_too_for_its_goods_are_gone() -> None:
    first = payment.given(*TAKEN[:3], expired(), renewal())
    first.when(no(2)).then(attempt_declined(2), card_awaited_for_the_rest(TOTAL))
    first.ask(no(2))
    first.when(LAPSE).then(given_up("no other card was named in time", 300))
    assert S1 in first.state(STREAM).parts


def test_goods_that_left_before_the_order_heard_that_nothing_is_held_are_paid_of_another_card() -> None:
    none_left = (*TAKEN[:2], expired(), renewal(), authorized(TOTAL, "auth-2"), expired("auth-2", final=True))
    for lost in (none_left, (*none_left[:4], renewal_declined())):
        life = payment.given(*lost)
        asked = (part_requested(S2, 200), card_awaited_for_the_rest(TOTAL))
        life.when(ship()).then(*asked)
        life.ask(ship())
        life.leaves(STREAM, "lapse:2")
        life.ask(less(TOTAL - 200, closes=True))  # the rest is called off, as the order has heard
        life.when(attempt()).then(attempted(number=3, amount=200))
    payment.given(*none_left, cancelled()).when(ship()).then_nothing()
