"""Amended orders that went wrong."""

from tests.faults.checker_cases.shop import Shop
from tests.faults.checker_cases.spoil import breaks
from tests.faults.checker_cases.story import MORE, TEA


@breaks("money.amounts")
def an_amended_order_comes_to_another_amount_than_its_lines(shop: Shop) -> str:
    shop.events("order", "order.amended.v1", MORE)[0]["value"]["total"] = 100
    return MORE


@breaks("orders.legal_steps")
def more_is_added_than_its_lines_have(shop: Shop) -> str:
    shop.events("order", "order.amended.v1", MORE)[0]["value"]["added"][0]["quantity"] = 3
    return MORE


@breaks("orders.legal_steps")
def an_order_is_amended_after_its_stock_was_secured(shop: Shop) -> str:
    body = {**shop.events("order", "order.amended.v1", MORE)[0]["value"], "added": []}
    shop.owner("order", f"order-{MORE}", ("order.amended.v1", f"order-{MORE}", body))
    shop.rows()
    return MORE


@breaks("stock.held_is_ordered")
def what_was_added_is_held_twice(shop: Shop) -> str:
    body = {"sku": TEA, "order_id": MORE, "quantity": 2}
    shop.owner("product", f"product-{TEA}", ("stock.reserved.v1", f"product-{TEA}", body))
    shop.rows()
    return MORE


@breaks("clients.as_asked")
def another_amendment_is_recorded_than_was_asked_for(shop: Shop) -> str:
    for line in shop.history:
        if line["phase"] == "send" and line["kind"] == "amend":
            line["body"] = {"lines": [{"sku": TEA, "quantity": 4, "unit_price": 100}]}
    return MORE
