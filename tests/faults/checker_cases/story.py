"""Story is a day at the shop on which everything went as promised, faults included."""

from tests.faults.checker_cases.paper import PARTITIONS, Command, Line, home, uuid
from tests.faults.checker_cases.shop import Shop

DELIVERED, CANCELLED, REJECTED, VOIDED, KEPT, FEWER, RETRIED, RENEWED, PARTS, OPEN, REST, MORE = (
    uuid(f"order {name}") for name in "ABCDEFGHIJKL"
)
TEA, BREAD, HOT = "tea", "bread", "hot"


def usual() -> Shop:
    """One order of each fate, a kill, a stale writer, and poison; every promise is kept."""
    shop = Shop()
    for sku, stock in ((TEA, 100), (BREAD, 100), (HOT, 2)):
        shop.list_product(sku, stock)
    poison_command(shop)
    poison_event(shop)
    shop.place(DELIVERED, {TEA: 2, BREAD: 1})
    kill(shop)
    shop.pay(DELIVERED)
    shop.refund(DELIVERED, 100)
    shop.ship(DELIVERED)
    shop.place(CANCELLED, {TEA: 1, HOT: 1})
    shop.pay(CANCELLED)
    shop.compensate(CANCELLED, shop.cancel(CANCELLED))
    shop.place(REJECTED, {HOT: 5})
    cancel_while_asked(shop)
    shop.place(KEPT, {BREAD: 2})
    shop.pay(KEPT)
    shop.place(FEWER, {TEA: 3, BREAD: 4})
    shop.pay(FEWER, fewer=TEA)
    shop.cancel_line(FEWER, BREAD, 2)
    shop.ship_part(FEWER, BREAD, 1)
    shop.ship(FEWER)
    shop.send_back(FEWER, TEA, 1, 1)
    pay_with_another_card(shop)
    shop.place(RENEWED, {BREAD: 1})
    shop.request_payment(RENEWED)
    shop.confirm(RENEWED, late=True)
    pay_in_parts(shop)
    pay_the_rest_with_another_card(shop)
    shop.place_and_amend(MORE, {TEA: 1, BREAD: 1}, TEA, 2)
    shop.pay(MORE)
    shop.rows()
    return shop


def pay_with_another_card(shop: Shop) -> None:
    """The first is declined, and held after all when the second is asked; a line was called off in between."""
    shop.place(RETRIED, {TEA: 2}, attempts=2)
    shop.request_payment(RETRIED)
    shop.decline(RETRIED)
    shop.cancel_line(RETRIED, TEA, 1)
    shop.try_again(RETRIED)
    shop.lose(RETRIED, 1)
    shop.confirm(RETRIED)


def pay_in_parts(shop: Shop) -> None:
    """Each shipment is paid for when it leaves; one line is called off before, and some goods come back."""
    shop.place(PARTS, {TEA: 2, BREAD: 3}, in_parts=True)
    shop.pay(PARTS)
    shop.ship_part(PARTS, TEA, 1)
    shop.cancel_line(PARTS, BREAD, 1)
    shop.ship(PARTS)
    shop.send_back(PARTS, TEA, 1, 0)
    shop.place(OPEN, {TEA: 1, BREAD: 1}, in_parts=True)
    shop.pay(OPEN)
    shop.ship_part(OPEN, BREAD, 1)


def pay_the_rest_with_another_card(shop: Shop) -> None:
    """What is held expires between two shipments, and the card that had authorized will not do so again."""
    shop.place(REST, {TEA: 2, BREAD: 1}, in_parts=True)
    shop.pay(REST)
    shop.ship_part(REST, TEA, 1)
    shop.lose_hold(REST)
    shop.decline(REST)
    shop.try_again(REST)
    shop.authorize(REST)
    shop.react(shop.last[REST]["authorized"], "order", "order.confirm", f"order-{REST}", {})
    shop.ship(REST)


def kill(shop: Shop) -> None:
    """The owner of the first partition of orders is killed; its last append arrives after the next one's claim."""
    shop.faults.append({"at": shop.now, "until": None, "fault": "kill", "target": "worker-order", "detail": {}})
    stale = next(line for line in reversed(shop.topics["order.events", 0]) if "epoch" in line["headers"])
    epoch, writer = stale["headers"]["epoch"], stale["headers"]["writer"]
    shop.claim("order", 0)
    late = {"ce_type": "order.cancelled.v1", "ce_subject": f"order-{uuid('late')}", "ce_time": shop.time()}
    late |= {"ce_id": uuid("late"), "ce_source": "order", "correlation": "", "causation": "", "origin": "client"}
    shop.put("order.events", 0, "late", {**late, "version": "9", "epoch": epoch, "writer": writer}, {})
    shop.claim("order", 0)


def cancel_while_asked(shop: Shop) -> None:
    """The provider's yes comes after the customer's no."""
    order = VOIDED
    shop.place(order, {TEA: 1})
    shop.request_payment(order)
    shop.cancel_payment(order, shop.cancel(order))
    shop.authorize(order, ("payment.void_requested.v1", f"payment-{order}", {"order_id": order}))
    shop.react(shop.last[order]["authorized"], "order", "order.confirm", f"order-{order}", {})
    shop.void(order)


def poison_command(shop: Shop) -> Line:
    """Bytes among the commands; they are parked."""
    line = shop.put("order.commands", 0, "?", {"ce_id": "1"}, {"base64": "/wA="})
    place = {"topic": "order.commands", "partition": 0, "offset": line["offset"]}
    shop.poison.append({**place, "what": "bytes"})
    body = {"about": "order-unknown", **place, "reason": "header is missing", "key": "", "value": ""}
    command = Command(uuid("poison"), "owner", line["offset"], "")
    shop.record("order", 0, command, [("record.parked.v1", "order-unknown", body)])
    return line


def poison_event(shop: Shop) -> Line:
    """Bytes among the events; they do not count, and whoever owns the partition claims it again."""
    line = shop.put("payment.events", 0, "?", {"ce_id": "1"}, {"base64": "/wA="})
    shop.poison.append({"topic": "payment.events", "partition": 0, "offset": line["offset"], "what": "bytes"})
    shop.claim("payment", 0)
    return line


assert {home(f"product-{sku}") for sku in (TEA, BREAD)} == set(range(PARTITIONS)), "two shelves make a better story"
