"""What clients see of the money of an order."""

from projections.payment import PAYMENTS
from tests.builders.payment import (
    R1,
    R2,
    S1,
    S2,
    attempt_declined,
    attempted,
    authorized,
    cancelled,
    capture_requested,
    captured,
    card_awaited,
    card_awaited_for_the_rest,
    declined,
    expired,
    given_up,
    lapsed,
    part_captured,
    part_requested,
    reduced,
    refund_requested,
    refunded,
    refused,
    renewal,
    renewal_declined,
    requested,
    stray_authorized,
    stray_voided,
    void_requested,
    voided,
)
from tests.builders.values import CARD_WITHIN, NOON, OVERDUE
from tests.projections.view import at, rows, shown

CAPTURED = (requested(), authorized(), capture_requested(), captured())


def test_a_payment_shows_what_it_waits_for() -> None:
    statuses = [shown(PAYMENTS, *CAPTURED[:length]).status for length in range(1, 5)]
    assert statuses == ["requested", "authorized", "capturing", "captured"]


def test_only_captured_money_counts_as_captured() -> None:
    before, after = shown(PAYMENTS, *CAPTURED[:3]), shown(PAYMENTS, *CAPTURED)
    assert (before.amount, before.captured, before.reference) == (850, 0, "auth-1")
    assert (after.captured, after.refunded, after.reference) == (850, 0, "capture-1")
    assert (after.requested_at, after.updated_at) == (at(0), at(3))


def test_a_declined_payment_says_why() -> None:
    view = shown(PAYMENTS, requested(), declined("card_declined"))
    assert (view.status, view.reason) == ("declined", "card_declined")


def test_a_payment_that_lapsed_or_was_cancelled_still_shows_where_the_money_is() -> None:
    late = shown(PAYMENTS, requested(), lapsed())
    assert (late.status, late.reason) == ("requested", "the provider did not answer in time")
    off = shown(PAYMENTS, requested(), authorized(), cancelled(), void_requested())
    assert (off.status, off.reason) == ("voiding", "order off")
    assert shown(PAYMENTS, requested(), authorized(), cancelled(), void_requested(), voided()).status == "voided"


def test_a_payment_is_refunding_until_the_last_refund_is_answered() -> None:
    one = (*CAPTURED, refund_requested(R1, 100), refund_requested(R2, 200))
    assert shown(PAYMENTS, *one).status == "refunding"
    assert shown(PAYMENTS, *one, refunded(R1, 100)).status == "refunding"
    both = shown(PAYMENTS, *one, refunded(R1, 100), refunded(R2, 200))
    assert (both.status, both.refunded) == ("captured", 300)


def test_a_payment_whose_money_went_back_entirely_is_refunded() -> None:
    view = shown(PAYMENTS, *CAPTURED, refund_requested(R1, 850), refunded(R1, 850))
    assert (view.status, view.refunded) == ("refunded", 850)


def test_a_step_that_the_provider_refused_is_named() -> None:
    view = shown(PAYMENTS, *CAPTURED[:3], refused("capture", "expired"))
    assert (view.status, view.reason) == ("refused", "capture: expired")


def test_a_refused_refund_leaves_the_money_captured_for_all_to_see() -> None:
    view = shown(PAYMENTS, *CAPTURED, refund_requested(R1, 100), refused(f"refund:{R1}"))
    assert (view.status, view.captured, view.refunded) == ("captured", 850, 0)
    assert "expired" in view.reason


def test_a_payment_cancelled_before_it_was_requested_shows_nothing() -> None:
    assert rows(PAYMENTS, [cancelled()]) == {}


def test_a_reduced_payment_says_what_will_not_be_captured() -> None:
    view = shown(PAYMENTS, requested(), authorized(), reduced(R1, 150), capture_requested(), captured(700))
    assert (view.status, view.amount, view.reduced, view.captured) == ("captured", 850, 150, 700)


def test_a_refund_that_was_wanted_before_the_capture_waits_for_it() -> None:
    past = (requested(), authorized(), capture_requested(), refund_requested(R1, 150, "line cancelled"))
    assert shown(PAYMENTS, *past).status == "capturing"
    assert shown(PAYMENTS, *past, captured()).status == "refunding"
    assert shown(PAYMENTS, *past, refused("capture")).refunds == {}


def test_a_payment_that_awaits_another_card_shows_until_when_and_what_came_of_the_first() -> None:
    view = shown(PAYMENTS, requested(attempts=3), attempt_declined())
    assert (view.status, view.reason, view.attempts_left) == ("awaiting_method", "card_declined", 2)
    assert view.due_at == requested().due_at
    [first] = view.attempts
    assert (first["status"], first["reason"], first["amount"]) == ("declined", "card_declined", 850)
    assert (first["asked_at"], first["answered_at"]) == (at(0).isoformat(), at(1).isoformat())


def test_each_attempt_stands_beside_those_before() -> None:
    past = (requested(attempts=2), attempt_declined(), reduced(), attempted(amount=700))
    asked = shown(PAYMENTS, *past)
    assert (asked.status, asked.reason, asked.attempts_left) == ("requested", "", 0)
    paid = shown(PAYMENTS, *past, authorized(700, "auth-2"))
    assert [(each["attempt"], each["amount"], each["status"]) for each in paid.attempts] == [
        (1, 850, "declined"), (2, 700, "authorized"),
    ]  # fmt: skip


def test_a_payment_for_which_no_other_card_was_named_is_declined_and_says_so() -> None:
    late = shown(PAYMENTS, requested(attempts=2), attempt_declined(), lapsed())
    assert (late.status, late.reason) == ("declined", "no other card was named in time")
    off = shown(PAYMENTS, requested(attempts=2), attempt_declined(), cancelled())
    assert (off.status, off.reason) == ("declined", "order off")


def test_a_stray_authorization_leaves_the_payment_as_it_is() -> None:
    stray = (stray_authorized(), stray_voided())
    past = (requested(attempts=2), attempt_declined(), attempted())
    plain, strayed = shown(PAYMENTS, *past), shown(PAYMENTS, *past, *stray)
    assert (strayed.status, strayed.reference, strayed.attempts) == (plain.status, "", plain.attempts)
    refusal = shown(PAYMENTS, *past, stray[0], refused("void:auth-stray"))
    assert (refusal.status, refusal.reason) == ("requested", "void:auth-stray: expired")


def test_a_payment_shows_until_when_its_money_is_held_and_that_it_was_asked_for_again() -> None:
    held = shown(PAYMENTS, requested(), authorized(expires_at=at(9)))
    assert held.expires_at == at(9)
    gone = (requested(), authorized(expires_at=at(9)), capture_requested(), refund_requested(R1, 100), expired())
    view = shown(PAYMENTS, *gone)
    assert (view.status, view.reason, view.expires_at) == ("expired", "the authorization expired", None)
    assert (view.reduced, view.refunds) == (100, {})
    again = shown(PAYMENTS, *gone, renewal(amount=750))
    assert [each["status"] for each in again.attempts] == ["authorized", "asked"]
    assert (again.status, again.attempts_left) == ("requested", 0)
    assert shown(PAYMENTS, *gone, renewal(amount=750), renewal_declined()).status == "declined"


PARTS = (requested(capture="per_shipment"), authorized(), part_requested(), part_captured())


def test_money_that_is_taken_per_shipment_shows_each() -> None:
    asked = shown(PAYMENTS, *PARTS[:3])
    assert (asked.capture, asked.status, asked.captured, asked.closed) == ("per_shipment", "authorized", 0, False)
    [part] = asked.captures
    assert (part["shipment_id"], part["amount"], part["captured_at"]) == (S1, 300, None)
    taken = shown(PAYMENTS, *PARTS)
    assert (taken.status, taken.captured, taken.reference) == ("partially_captured", 300, "capture-1")
    assert taken.captures[0]["captured_at"] == at(3).isoformat()


def test_money_that_is_taken_per_shipment_is_captured_with_the_final_part_and_refunded_like_any() -> None:
    last = (*PARTS, part_requested(S2, 550, final=True))
    assert (shown(PAYMENTS, *last).status, shown(PAYMENTS, *last).closed) == ("partially_captured", True)
    whole = (*last, part_captured(S2, 550))
    view = shown(PAYMENTS, *whole)
    assert (view.status, view.captured) == ("captured", 850)
    assert shown(PAYMENTS, *whole, refund_requested(R1, 850), refunded(R1, 850)).status == "refunded"


def test_a_refund_of_one_shipment_leaves_the_others_to_come() -> None:
    asked = shown(PAYMENTS, *PARTS, refund_requested(R1, 300))
    assert (asked.status, asked.refunds) == ("partially_captured", {R1: 300})
    given = shown(PAYMENTS, *PARTS, refund_requested(R1, 300), refunded(R1, 300))
    assert (given.status, given.refunded, given.refunds) == ("partially_captured", 300, {})
    late = (*PARTS, refund_requested(R1, 300), part_requested(S2, 550, final=True), part_captured(S2, 550))
    assert shown(PAYMENTS, *late).status == "refunding"


def test_a_part_that_is_refused_or_expires_leaves_what_was_taken() -> None:
    more = (*PARTS, refund_requested(R1, 100), part_requested(S2, 550, final=True))
    for event, status in ((refused(f"capture:{S2}"), "refused"), (expired(final=True), "expired")):
        view = shown(PAYMENTS, *more, event)
        assert (view.status, view.captured, view.refunds, view.reduced) == (status, 300, {R1: 100}, 0)


def test_a_card_that_is_awaited_says_until_when_and_how_many_may_follow() -> None:
    view = shown(PAYMENTS, requested(attempts=3), attempt_declined(), card_awaited())
    assert (view.status, view.attempts_left, view.due_at) == ("awaiting_method", 2, NOON + OVERDUE)
    assert shown(PAYMENTS, requested(attempts=3), attempt_declined(), card_awaited(), attempted()).attempts_left == 1


REST = (*PARTS, expired(), renewal(amount=550))
AWAITED = (*REST, attempt_declined(2), card_awaited_for_the_rest(550))


def test_the_rest_of_what_is_taken_per_shipment_is_held_again_or_asked_of_another_card() -> None:
    assert [shown(PAYMENTS, *REST[:length]).status for length in (5, 6)] == ["expired", "requested"]
    held = shown(PAYMENTS, *REST, authorized(550, "auth-2"))
    assert (held.status, held.captured) == ("partially_captured", 300)
    waits = shown(PAYMENTS, *AWAITED)
    assert (waits.status, waits.attempts_left, waits.due_at) == ("awaiting_method", 1, NOON + CARD_WITHIN)


def test_a_payment_that_was_given_up_keeps_what_was_taken_and_says_what_was_not_paid() -> None:
    over = shown(PAYMENTS, *AWAITED, given_up("too late"))
    assert (over.status, over.reason, over.captured, over.closed) == ("captured", "too late", 300, True)
    back = shown(PAYMENTS, *AWAITED, refund_requested(R1, 100), given_up())
    assert back.status == "refunding"
    owing = (*PARTS, part_requested(S2, 200), refund_requested(R1, 250), *AWAITED[len(PARTS) :])
    view = shown(PAYMENTS, *owing, given_up("too late", 200, **{R1: 200}))
    assert (view.status, view.refunds, view.reduced) == ("declined", {R1: 50}, 200)


def test_a_refund_that_is_given_in_pieces_is_under_way_until_the_last() -> None:
    both = (*REST, authorized(550, "auth-2"), part_requested(S2, 550, final=True), part_captured(S2, 550))
    asked = (*both, refund_requested(R1, 400), refunded(R1, 300))
    view = shown(PAYMENTS, *asked)
    assert (view.status, view.refunded, view.refunds) == ("refunding", 300, {R1: 100})
    view = shown(PAYMENTS, *asked, refunded(R1, 100, piece=2))
    assert (view.status, view.refunded, view.refunds) == ("captured", 400, {})
