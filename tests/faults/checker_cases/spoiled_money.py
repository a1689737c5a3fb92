"""Money that went wrong where several cards were tried, an authorization expired, or it was taken per shipment."""

from tests.faults.checker_cases.paper import uuid
from tests.faults.checker_cases.shop import Shop
from tests.faults.checker_cases.spoil import breaks
from tests.faults.checker_cases.spoiled_trade import entry
from tests.faults.checker_cases.story import DELIVERED, KEPT, OPEN, PARTS, RENEWED, REST, RETRIED


@breaks("money.one_capture")
def a_second_card_is_held_that_nobody_recorded(shop: Shop) -> str:
    shop.provide(RETRIED, "authorize", 200, key=uuid("both cards"))
    return RETRIED


@breaks("money.events_agree")
def a_stray_authorization_is_never_let_go(shop: Shop) -> str:
    del shop.ledger[entry(shop, RETRIED, "void")]
    return RETRIED


@breaks("liveness.settled")
def a_stray_authorization_waits_for_ever(shop: Shop) -> str:
    stream = f"payment-{RETRIED}"
    said = {"order_id": RETRIED, "attempt": 1, "reference": shop.provide(RETRIED, "authorize", 200)}
    shop.owner("payment", stream, ("payment.stray_authorized.v1", stream, said))
    shop.rows()
    return RETRIED


@breaks("money.legal_steps")
def more_cards_are_tried_than_were_agreed(shop: Shop) -> str:
    for event in shop.events("order", "order.placed.v1", RETRIED):
        event["value"].pop("payment_attempts")
    for event in shop.events("payment", "payment.requested.v1", RETRIED):
        event["value"].pop("attempts")
    return RETRIED


@breaks("money.amounts")
def the_second_card_is_asked_for_what_was_called_off(shop: Shop) -> str:
    shop.events("payment", "payment.attempted.v1", RETRIED)[0]["value"]["amount"] = 200
    return RETRIED


@breaks("money.one_capture")
def money_is_held_again_for_no_reason(shop: Shop) -> str:
    shop.provide(RENEWED, "authorize", 100, key=uuid("a third time"))
    return RENEWED


@breaks("money.legal_steps")
def money_is_asked_for_again_that_had_not_expired(shop: Shop) -> str:
    stream = f"payment-{KEPT}"
    again = {"order_id": KEPT, "attempt": 2, "amount": 200}
    shop.owner("payment", stream, ("payment.renewal_requested.v1", stream, again))
    shop.rows()
    return KEPT


@breaks("money.legal_steps")
def another_authorization_expires_than_was_held(shop: Shop) -> str:
    shop.events("payment", "payment.authorization_expired.v1", RENEWED)[0]["value"]["reference"] = "auth_other"
    return RENEWED


@breaks("money.amounts")
def more_is_held_again_than_is_owed(shop: Shop) -> str:
    shop.events("payment", "payment.renewal_requested.v1", RENEWED)[0]["value"]["amount"] = 101
    return RENEWED


@breaks("money.kept_is_owed")
def a_shipment_is_not_paid_for(shop: Shop) -> str:
    del shop.ledger[entry(shop, OPEN, "capture")]
    return OPEN


@breaks("money.one_capture")
def a_shipment_is_paid_for_twice(shop: Shop) -> str:
    shop.provide(OPEN, "capture", 100, key=uuid("again"))
    return OPEN


@breaks("money.amounts")
def another_amount_is_taken_for_a_shipment(shop: Shop) -> str:
    shop.ledger[entry(shop, PARTS, "capture")]["amount"] = 99
    return PARTS


@breaks("money.amounts")
def the_last_shipment_is_charged_for_too_little(shop: Shop) -> str:
    shop.events("order", "order.shipped.v1", PARTS)[0]["value"]["charge"] = 100
    return PARTS


@breaks("money.amounts")
def the_last_capture_takes_less_than_is_owed(shop: Shop) -> str:
    shop.events("payment", "payment.shipment_capture_requested.v1", PARTS)[1]["value"]["amount"] = 100
    return PARTS


@breaks("money.legal_steps")
def money_is_taken_for_a_shipment_after_the_last(shop: Shop) -> str:
    stream = f"payment-{PARTS}"
    more = {"order_id": PARTS, "shipment_id": uuid("one more"), "amount": 0, "final": True}
    shop.owner("payment", stream, ("payment.shipment_capture_requested.v1", stream, more))
    shop.rows()
    return PARTS


@breaks("orders.legal_steps")
def a_shipment_is_charged_for_that_was_paid_before(shop: Shop) -> str:
    shop.events("order", "order.shipped.v1", DELIVERED)[0]["value"]["charge"] = 300
    return DELIVERED


@breaks("money.amounts")
def the_rest_is_held_again_with_what_was_taken(shop: Shop) -> str:
    shop.events("payment", "payment.renewal_requested.v1", REST)[0]["value"]["amount"] = 300
    return REST


@breaks("money.amounts")
def another_card_is_awaited_for_what_was_taken(shop: Shop) -> str:
    shop.events("payment", "payment.card_awaited.v1", REST)[0]["value"]["amount"] = 300
    return REST


@breaks("money.legal_steps")
def a_card_is_awaited_for_longer_than_the_payment_has(shop: Shop) -> str:
    shop.events("payment", "payment.card_awaited.v1", RETRIED)[0]["value"]["due_at"] = "2027-01-01T00:00:00Z"
    return RETRIED


@breaks("money.legal_steps")
def a_payment_is_given_up_for_which_no_card_is_awaited(shop: Shop) -> str:
    stream = f"payment-{OPEN}"
    shop.owner("payment", stream, ("payment.given_up.v1", stream, {"order_id": OPEN, "reason": "", "unpaid": 0}))
    shop.rows()
    return OPEN


@breaks("notifications.never_missing")
def a_customer_is_not_told_that_a_card_is_awaited(shop: Shop) -> str:
    name = next(key for key, said in shop.messages.items() if said["template"] == "card_awaited")
    shop.events("notification", "notification.requested.v1", name)[0]["value"]["template"] = "order_shipped"
    return RETRIED
