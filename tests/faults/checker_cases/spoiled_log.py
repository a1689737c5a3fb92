"""Logs that break what the fenced log promises."""

from tests.faults.checker_cases.paper import Command, home, uuid
from tests.faults.checker_cases.shop import Shop
from tests.faults.checker_cases.spoil import breaks
from tests.faults.checker_cases.story import CANCELLED, DELIVERED, KEPT, poison_event


@breaks("log.readable")
def an_effective_event_is_cut_short(shop: Shop) -> str:
    line = shop.events("order", "order.confirmed.v1", KEPT)[0]
    line["value"] = '{"order_id": "' + KEPT
    return line_of(shop, "order.events", line)


@breaks("log.readable")
def an_effective_event_lacks_a_field(shop: Shop) -> str:
    del shop.events("order", "order.confirmed.v1", KEPT)[0]["value"]["skus"]
    return KEPT


@breaks("log.one_owner")
def a_claim_does_not_raise_the_epoch_by_one(shop: Shop) -> str:
    line = shop.claim("user", 1)
    line["headers"]["epoch"] = "5"
    return f"user.events/1/{line['offset']}"


@breaks("log.one_owner")
def a_writer_claims_twice(shop: Shop) -> str:
    first = shop.topics["user.events", 0][0]
    line = shop.claim("user", 1)
    line["headers"]["writer"] = first["headers"]["writer"]
    return f"user.events/1/{line['offset']}"


@breaks("log.claims_again")
def an_owner_does_not_compare_offsets(shop: Shop) -> str:
    p = home(f"order-{KEPT}")
    foreign = shop.put("order.events", p, "?", {"ce_id": "1"}, {"base64": "/wA="})
    shop.poison.append({"topic": "order.events", "partition": p, "offset": foreign["offset"], "what": "bytes"})
    shop.ship(KEPT)
    shop.rows()
    return KEPT


@breaks("log.versions_gapless")
def a_version_is_left_out(shop: Shop) -> str:
    line = shop.events("order", "order.lines_committed.v1", KEPT)[-1]
    line["headers"]["version"] = str(int(line["headers"]["version"]) + 1)
    return KEPT


@breaks("log.versions_gapless")
def a_version_comes_twice(shop: Shop) -> str:
    line = shop.events("payment", "payment.captured.v1", KEPT)[-1]
    line["headers"]["version"] = str(int(line["headers"]["version"]) - 1)
    return KEPT


@breaks("log.at_home")
def a_record_has_another_key(shop: Shop) -> str:
    shop.events("order", "order.confirmed.v1", KEPT)[0]["key"] = f"order-{DELIVERED}"
    return KEPT


@breaks("log.answers_its_command")
def a_record_answers_another_position(shop: Shop) -> str:
    line = shop.events("order", "order.confirmed.v1", KEPT)[0]
    line["headers"]["position"] = "0"
    return KEPT


@breaks("log.every_command_answered")
def a_command_is_passed_over(shop: Shop) -> str:
    given = Command(uuid("lost"), "client", -1, uuid("lost"))
    shop.command("order", home(f"order-{KEPT}"), "order.cancel", f"order-{KEPT}", {"order_id": KEPT}, given)
    return KEPT


@breaks("log.reactions_once")
def a_reaction_never_came(shop: Shop) -> str:
    """As if its sender had acked the event before the command was written: the one after it takes its place."""
    line = shop.events("notification", "notification.requested.v1", f"order-{KEPT}")[0]
    line["headers"]["origin"] = "owner"
    return shop.last_place(KEPT, "order.confirmed.v1")


@breaks("log.reactions_once")
def a_reaction_takes_effect_twice(shop: Shop) -> str:
    line = shop.events("payment", "payment.cancelled.v1", CANCELLED)[0]
    headers, stream = line["headers"], f"payment-{CANCELLED}"
    again = Command(headers["causation"], headers["origin"], int(headers["position"]), "")
    shop.record("payment", home(stream), again, [("command.unchanged.v1", stream, {"about": stream})])
    shop.rows()
    return CANCELLED


@breaks("log.reactions_once")
def a_stale_event_is_reacted_to(shop: Shop) -> str:
    late = next(line for line in shop.topics["order.events", 0] if line["key"] == "late")
    stream, origin = f"payment-{KEPT}", f"order.events/0/{late['offset']}/0"
    given = shop.command("payment", home(stream), "payment.cancel", stream, {}, Command(uuid("p"), origin, -1, ""))
    shop.record("payment", home(stream), given, [("command.unchanged.v1", stream, {"about": stream})])
    shop.rows()
    return f"order.events/0/{late['offset']}"


@breaks("log.no_float")
def a_price_is_a_float(shop: Shop) -> str:
    line = shop.events("order", "order.placed.v1", KEPT)[0]
    line["value"] = {**line["value"], "total": float(line["value"]["total"])}
    return KEPT


@breaks("log.no_float")
def an_amount_is_a_float_in_a_command(shop: Shop) -> str:
    lines = shop.topics["payment.commands", home(f"payment-{KEPT}")]
    line = next(line for line in lines if line["value"].get("token") and line["value"]["order_id"] == KEPT)
    line["value"] = {**line["value"], "amount": 200.0}
    return KEPT


@breaks("views.dead_letters")
def a_stranger_among_the_events_is_not_shown(shop: Shop) -> str:
    line = poison_event(shop)
    shop.rows()
    shop.tables["payment", "dead_letters"].pop()
    return f"payment.events/0/{line['offset']}"


def line_of(shop: Shop, topic: str, wanted: object) -> str:
    """The place of a line."""
    return next(f"{topic}/{p}/{line['offset']}" for p in (0, 1) for line in shop.topics[topic, p] if line is wanted)
