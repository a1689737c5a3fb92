"""What clients were told, what read models show, and what people were sent, where it is not so."""

from tests.faults.checker_cases.paper import Command, Line, command_id, home, uuid
from tests.faults.checker_cases.shop import Shop
from tests.faults.checker_cases.spoil import breaks
from tests.faults.checker_cases.story import BREAD, CANCELLED, DELIVERED, KEPT, TEA


@breaks("clients.accepted_has_outcome")
def an_accepted_command_is_lost(shop: Shop) -> str:
    n = shop.send("ship", KEPT, f"/orders/{KEPT}/ship", {}, uuid("lost"))
    shop.answer(n, "ok", 202, uuid("lost"))
    return KEPT


@breaks("clients.one_outcome")
def a_repeat_counts_twice(shop: Shop) -> str:
    return receive_twice(shop, "ok")


@breaks("clients.one_outcome")
def one_key_makes_two_commands(shop: Shop) -> str:
    sent = sending_of(shop, "place", KEPT)
    n = shop.send("place", KEPT, "/orders", sent["body"], sent["key"], sent["n"])
    shop.answer(n, "ok", 202, uuid("another command"))
    return KEPT


@breaks("clients.unknown_at_most_once")
def a_request_without_an_answer_counts_twice(shop: Shop) -> str:
    return receive_twice(shop, "unknown")


@breaks("clients.no_ghost")
def an_order_that_nobody_placed(shop: Shop) -> str:
    sent = sending_of(shop, "place", KEPT)
    shop.history = [line for line in shop.history if line["n"] != sent["n"]]
    return KEPT


@breaks("clients.refused_has_no_effect")
def a_refused_order_is_placed_all_the_same(shop: Shop) -> str:
    answer_to(shop, "place", KEPT).update(outcome="refused", status=422, code="SkuUnknown", command_id=None)
    return KEPT


@breaks("clients.answers_are_true")
def a_client_is_told_no_and_it_was_yes(shop: Shop) -> str:
    answer_to(shop, "cancel", CANCELLED).update(outcome="refused", status=409, code="OrderAlreadyShipped")
    return CANCELLED


@breaks("clients.answers_are_true")
def a_client_is_told_yes_and_it_was_no(shop: Shop) -> str:
    stream = f"order-{KEPT}"
    said = {"about": stream, "code": "OrderNotShipped", "detail": ""}
    shop.client("deliver", KEPT, "/", {}, "order", "order.deliver", stream, ("command.rejected.v1", stream, said))
    shop.rows()
    answer_to(shop, "deliver", KEPT).update(status=200)
    return KEPT


@breaks("clients.as_asked")
def a_line_has_another_price_than_asked(shop: Shop) -> str:
    sending_of(shop, "place", KEPT)["body"]["lines"][0]["unit_price"] = 99
    return KEPT


@breaks("clients.as_asked")
def another_amount_is_refunded(shop: Shop) -> str:
    sending_of(shop, "refund", DELIVERED)["body"] = {"amount": 50}
    return DELIVERED


@breaks("views.orders")
def the_view_has_another_status(shop: Shop) -> str:
    shop.orders[KEPT]["status"] = "secured"
    return KEPT


@breaks("views.orders")
def an_order_is_missing_from_the_view(shop: Shop) -> str:
    shop.tables["order", "orders"].remove(shop.orders[KEPT])
    return KEPT


@breaks("views.orders")
def the_view_has_an_order_that_the_log_has_not(shop: Shop) -> str:
    shop.tables["order", "orders"].append({**shop.orders[KEPT], "order_id": uuid("ghost")})
    return uuid("ghost")


@breaks("views.products")
def the_view_has_stock_that_is_not_there(shop: Shop) -> str:
    shop.products[TEA]["held"] += 1
    return TEA


@breaks("views.payments")
def the_view_lacks_a_refund(shop: Shop) -> str:
    shop.payments[DELIVERED]["refunded"] = 0
    return DELIVERED


@breaks("views.notifications")
def the_view_has_a_mail_waiting(shop: Shop) -> str:
    message = next(iter(shop.messages.values()))
    message["status"] = "requested"
    return str(message["notification_id"])


@breaks("views.checkpoint")
def a_checkpoint_is_ahead_of_the_log(shop: Shop) -> str:
    shop.tables["order", "checkpoints"][0]["next"] += 5
    return "order"


@breaks("views.checkpoint")
def a_checkpoint_names_another_claim(shop: Shop) -> str:
    shop.tables["order", "checkpoints"][0]["epoch"] -= 1
    return "order"


@breaks("views.history")
def the_history_lacks_an_event(shop: Shop) -> str:
    rows = shop.tables["order", "history"]
    rows.remove(next(row for row in rows if row["type"] == "order.confirmed.v1" and row["stream"].endswith(KEPT)))
    return KEPT


@breaks("views.outcomes")
def an_outcome_is_another(shop: Shop) -> str:
    rows = shop.tables["order", "outcomes"]
    next(row for row in rows if row["stream"] == f"order-{KEPT}")["status"] = "rejected"
    return KEPT


@breaks("views.snapshots")
def a_snapshot_is_ahead_of_the_log(shop: Shop) -> str:
    rows = shop.tables["order", "snapshots"]
    next(row for row in rows if row["stream"] == f"order-{KEPT}")["version"] = "99"
    return KEPT


@breaks("views.statistics")
def a_minute_counts_an_order_twice(shop: Shop) -> str:
    row = next(row for row in shop.tables["notification", "statistics"] if row["name"] == "placed")
    row["value"] += 1
    return f"{row['source']}/{row['upto']}"


@breaks("notifications.never_missing")
def a_mail_never_came(shop: Shop) -> str:
    shop.mails = [mail for mail in shop.mails if KEPT not in mail["subject"]]
    return KEPT


@breaks("notifications.at_most_once")
def a_mail_comes_twice_under_two_ids(shop: Shop) -> str:
    mail = next(mail for mail in shop.mails if KEPT in mail["subject"])
    shop.mails.append({**mail, "id": uuid("another attempt")})
    return KEPT


@breaks("liveness.settled")
def an_order_is_never_decided(shop: Shop) -> str:
    shop.place(uuid("slow"), {BREAD: 1})
    shop.rows()
    return uuid("slow")


@breaks("liveness.settled")
def a_read_model_stands_still(shop: Shop) -> str:
    checkpoint = shop.tables["user", "checkpoints"][0]
    stream = "user-standing-still"
    while home(stream):
        stream += "!"
    said = {"user_id": stream.removeprefix("user-"), "email": "", "name": "", "password_hash": ""}
    [event] = shop.owner("user", stream, ("user.registered.v1", stream, said))
    assert checkpoint["next"] == event.offset
    return f"user.events/0/{event.offset}"


@breaks("liveness.in_time")
def a_refund_takes_two_minutes(shop: Shop) -> str:
    shop.said["healed_at"] = shop.now
    shop.now += 120
    shop.refund(KEPT, 100)
    shop.rows()
    shop.history = [{**line, "at": line["at"] - 120} if line["at"] > shop.now - 60 else line for line in shop.history]
    return KEPT


@breaks("letters.only_poison")
def a_good_command_is_parked(shop: Shop) -> str:
    shop.poison = [line for line in shop.poison if line["topic"] != "order.commands"]
    return "order.commands/0/0"


@breaks("letters.all_poison")
def poison_is_passed_over(shop: Shop) -> str:
    line = shop.put("order.commands", 0, "?", {"ce_id": "1"}, {"base64": "/wA="})
    shop.poison.append({"topic": "order.commands", "partition": 0, "offset": line["offset"], "what": "bytes"})
    return f"order.commands/0/{line['offset']}"


@breaks("letters.all_poison")
def an_odd_command_is_parked(shop: Shop) -> str:
    shop.poison[0]["parked"] = False
    return "order.events/0/"


def sending_of(shop: Shop, kind: str, target: str) -> Line:
    """The first send of a request."""
    return next(line for line in shop.history if line.get("kind") == kind and line["target"] == target)


def answer_to(shop: Shop, kind: str, target: str) -> Line:
    """Its answer."""
    n = sending_of(shop, kind, target)["n"]
    return next(line for line in shop.history if line["n"] == n and line["phase"] == "answer")


def receive_twice(shop: Shop, outcome: str) -> str:
    """One delivery of goods, sent twice and booked twice."""
    key, stream, news = uuid("twice"), f"product-{TEA}", {"sku": TEA, "quantity": 5}
    path = f"/products/{TEA}/stock/receive"
    name = command_id(key, path)
    for repeat_of in (None, len(shop.history) // 2 + 1):
        n = shop.send("stock", TEA, path, {"quantity": 5}, key, repeat_of)
        given = shop.command(
            "product", home(stream), "product.receive_stock", stream, news, Command(name, "client", -1, "")
        )
        shop.answer(n, outcome, 202 if outcome == "ok" else None, name if outcome == "ok" else None)
        shop.record("product", home(stream), given, [("stock.received.v1", stream, news)])
    shop.rows()
    return TEA
