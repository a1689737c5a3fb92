"""Orders, goods and money that went wrong."""

from tests.faults.checker_cases.paper import Command, home, uuid
from tests.faults.checker_cases.shop import Shop
from tests.faults.checker_cases.spoil import breaks
from tests.faults.checker_cases.story import BREAD, CANCELLED, DELIVERED, HOT, KEPT, REJECTED, TEA, VOIDED


@breaks("orders.one_end")
def a_cancelled_order_is_confirmed(shop: Shop) -> str:
    row, stream = shop.orders[CANCELLED], f"order-{CANCELLED}"
    money = {"email": row["email"], "skus": [TEA, HOT], "amount": row["total"], "currency": "EUR"}
    shop.owner("order", stream, ("order.confirmed.v1", stream, {"order_id": CANCELLED, **money}))
    shop.rows()
    return CANCELLED


@breaks("orders.one_end")
def an_order_is_placed_twice(shop: Shop) -> str:
    stream, body = f"order-{KEPT}", shop.events("order", "order.placed.v1", KEPT)[0]["value"]
    shop.owner("order", stream, ("order.placed.v1", stream, body))
    shop.rows()
    return KEPT


@breaks("orders.legal_steps")
def an_order_arrives_before_it_was_sent(shop: Shop) -> str:
    stream = f"order-{KEPT}"
    shop.owner("order", stream, ("order.delivered.v1", stream, {"order_id": KEPT, "email": ""}))
    shop.rows()
    return KEPT


@breaks("stock.no_oversell")
def more_is_held_than_there_is(shop: Shop) -> str:
    shop.products[HOT]["available"] = 10
    shop.place(uuid("greedy"), {HOT: 3})
    shop.rows()
    return HOT


@breaks("stock.no_oversell")
def stock_is_counted_below_what_is_held(shop: Shop) -> str:
    stream = f"product-{BREAD}"
    shop.owner("product", stream, ("stock.counted.v1", stream, {"sku": BREAD, "quantity": 1}))
    shop.rows()
    return BREAD


@breaks("stock.released_once")
def stock_is_released_twice(shop: Shop) -> str:
    stream, body = f"product-{TEA}", {"sku": TEA, "order_id": VOIDED, "quantity": 1}
    shop.owner("product", stream, ("stock.released.v1", stream, body))
    shop.rows()
    return VOIDED


@breaks("stock.legal_steps")
def a_reservation_lapses_after_it_was_committed(shop: Shop) -> str:
    shelf = home(f"product-{BREAD}")
    body = {"order_id": KEPT, "partition": shelf, "skus": [BREAD]}
    command = Command(uuid("lapse"), "owner", -1, "")
    shop.record("product", shelf, command, [("reservation.lapsed.v1", f"reservation-{shelf}-{KEPT}", body)])
    shop.rows()
    return KEPT


@breaks("stock.held_is_ordered")
def less_is_held_than_was_ordered(shop: Shop) -> str:
    shop.events("product", "stock.reserved.v1", KEPT)[0]["value"]["quantity"] = 1
    return KEPT


@breaks("stock.settled")
def a_rejected_order_keeps_its_stock(shop: Shop) -> str:
    stream = f"product-{TEA}"
    body = {"sku": TEA, "order_id": REJECTED, "quantity": 1}
    shop.owner("product", stream, ("stock.reserved.v1", stream, body))
    shop.rows()
    return REJECTED


@breaks("stock.settled")
def a_confirmed_order_loses_its_stock(shop: Shop) -> str:
    stream = f"product-{BREAD}"
    body = {"sku": BREAD, "order_id": KEPT, "quantity": 2}
    shop.owner("product", stream, ("stock.released.v1", stream, body))
    shop.rows()
    return KEPT


@breaks("stock.refusals_honest")
def stock_is_refused_though_there_is_enough(shop: Shop) -> str:
    shop.products[HOT]["available"] = 0
    shop.place(uuid("modest"), {HOT: 1})
    shop.rows()
    return uuid("modest")


@breaks("money.kept_is_owed")
def a_refund_that_was_promised_is_not_given(shop: Shop) -> str:
    del shop.ledger[entry(shop, DELIVERED, "refund")]
    return DELIVERED


@breaks("money.kept_is_owed")
def the_provider_has_money_for_no_order(shop: Shop) -> str:
    shop.provide(uuid("nobody"), "authorize", 100)
    return uuid("nobody")


@breaks("money.totals")
def a_capture_is_missing(shop: Shop) -> str:
    del shop.ledger[entry(shop, KEPT, "capture")]
    return "EUR"


@breaks("money.one_capture")
def an_order_is_charged_twice(shop: Shop) -> str:
    shop.provide(KEPT, "capture", 200, key=uuid("another attempt"))
    return KEPT


@breaks("money.one_capture")
def a_card_is_authorized_under_two_keys(shop: Shop) -> str:
    shop.provide(KEPT, "authorize", 200, key=uuid("another attempt"))
    return KEPT


@breaks("money.amounts")
def another_amount_is_captured(shop: Shop) -> str:
    shop.ledger[entry(shop, KEPT, "capture")]["amount"] = 199
    return KEPT


@breaks("money.amounts")
def another_amount_is_requested(shop: Shop) -> str:
    shop.events("payment", "payment.requested.v1", KEPT)[0]["value"]["amount"] = 199
    return KEPT


@breaks("money.events_agree")
def a_void_was_recorded_and_never_made(shop: Shop) -> str:
    del shop.ledger[entry(shop, VOIDED, "void")]
    return VOIDED


@breaks("money.events_agree")
def a_capture_was_never_recorded(shop: Shop) -> str:
    shop.events("payment", "payment.captured.v1", KEPT)[0]["value"]["reference"] = "capt_other"
    return KEPT


@breaks("money.compensated_once")
def a_cancelled_order_keeps_the_money(shop: Shop) -> str:
    del shop.ledger[entry(shop, CANCELLED, "refund")]
    return CANCELLED


@breaks("money.compensated_once")
def an_authorization_is_never_voided(shop: Shop) -> str:
    del shop.ledger[entry(shop, VOIDED, "void")]
    return VOIDED


@breaks("money.legal_steps")
def money_is_captured_that_was_voided(shop: Shop) -> str:
    stream = f"payment-{VOIDED}"
    said = {"order_id": VOIDED, "reference": "capt", "amount": 100, "currency": "EUR"}
    shop.owner("payment", stream, ("payment.captured.v1", stream, said))
    shop.rows()
    return VOIDED


def entry(shop: Shop, order: str, operation: str) -> int:
    """Where the ledger has it."""
    return next(
        number
        for number, line in enumerate(shop.ledger)
        if (line["reference"], line["operation"]) == (order, operation)
    )
