"""Money, by the provider's ledger: what it took and gave back must be what the orders owe, and what our events say."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

from tests.faults.checker.findings import Violation
from tests.faults.checker.folds.order import Order
from tests.faults.checker.folds.payment import COMPENSATION, Payment
from tests.faults.checker.reading import World


def kept_is_owed(world: World) -> Iterator[Violation]:
    """For every order, and in total for each currency."""
    kept, owed = Counter[str](), Counter[str]()
    for order in world.orders.all.values():
        if order.open:
            continue  # told as not settled
        ours = _kept(world, order.order_id)
        due = _owed(order, world.payments.all.get(order.order_id))
        kept[order.currency] += ours
        owed[order.currency] += due
        if ours != due:
            said = f"the provider has {ours} {order.currency} of it, {due} are owed for an order {order.status}"
            yield Violation("money.kept_is_owed", order.order_id, said)
    for order_id in world.ledger.of:
        if order_id not in world.orders.all:
            yield Violation("money.kept_is_owed", order_id, "the provider knows an order that the log does not")
    for currency in owed | kept:
        if kept[currency] != owed[currency]:
            said = f"{kept[currency]} kept, {owed[currency]} owed"
            yield Violation("money.totals", currency, said)


def one_capture(world: World) -> Iterator[Violation]:
    """The same money is authorized, captured and voided once, strays and what expired apart; so is each refund."""
    for order_id, entries in world.ledger.of.items():
        payment = world.payments.all.get(order_id)
        strays = len(payment.strays) if payment else 0
        again = len(payment.gone) if payment else 0
        captures = len(payment.captures) if payment and payment.per_shipment else 1
        for operation, most in (("authorize", 1 + strays + again), ("capture", captures), ("void", 1 + strays)):
            if len(done := world.ledger.done(order_id, operation)) > most:
                said = f"{operation} was done {len(done)} times, under {len({e['key'] for e in done})} keys"
                yield Violation("money.one_capture", order_id, said)
        refunds = max(len(payment.refunds), len(payment.given)) if payment else 0
        if (given := len(world.ledger.done(order_id, "refund"))) > refunds:
            yield Violation("money.one_capture", order_id, f"{given} refunds were given, {refunds} were asked for")
        if len(keys := [entry["key"] for entry in entries]) != len(set(keys)):
            yield Violation("money.one_capture", order_id, "the provider has answered one key twice")


def amounts(world: World) -> Iterator[Violation]:
    """What the provider was asked for is what the order came to when its stock was secured, in its currency.

    It is to capture less where lines were cancelled in time, and to hold less where that was before a later attempt.
    """
    for order in world.orders.all.values():
        payment = world.payments.all.get(order.order_id) or Payment(order.order_id)
        parts = {each["amount"] for each in payment.captures}
        taken = parts if payment.per_shipment else {order.requested - payment.reduced}
        asked = {"authorize": payment.asked, "capture": taken}
        for entry in world.ledger.of.get(order.order_id, ()):
            wrong = entry["operation"] in asked and entry["amount"] not in asked[entry["operation"]]
            if wrong or entry["currency"] != order.currency:
                said = (
                    f"{entry['operation']} of {entry['amount']} {entry['currency']}, and {asked} were to be asked for"
                )
                yield Violation("money.amounts", order.order_id, said)
            if not isinstance(entry["amount"], int):
                yield Violation("log.no_float", order.order_id, f"the ledger has an amount of {entry['amount']}")


def events_agree(world: World) -> Iterator[Violation]:
    """Each answer that we recorded stands in the ledger, and each of its entries was recorded."""
    for order_id in {*world.payments.all, *world.ledger.of}:
        payment = world.payments.all.get(order_id) or Payment(order_id)
        for what, ours, theirs in _both(payment, world):
            if ours != theirs:
                said = f"{what}: we say {ours or 'nothing'}, the provider says {theirs or 'nothing'}"
                yield Violation("money.events_agree", order_id, said)


def compensated_once(world: World) -> Iterator[Violation]:
    """An order that is off holds no money: voided if it was authorized, refunded in full if it was captured, once."""
    for order in world.orders.all.values():
        payment = world.payments.all.get(order.order_id)
        compensations = [r for r in payment.refunds.values() if r[1] == COMPENSATION] if payment else []
        if order.over and (payment is None or not payment.refused):
            yield from _given_back(world, order)
        elif not order.open and not order.over and (compensations or _own_voids(world, order.order_id, payment)):
            yield Violation("money.compensated_once", order.order_id, f"compensated, and the order is {order.status}")
        if len(compensations) > 1:
            yield Violation("money.compensated_once", order.order_id, f"{len(compensations)} compensating refunds")


CHECKS = (kept_is_owed, one_capture, amounts, events_agree, compensated_once)


def _own_voids(world: World, order_id: str, payment: Payment | None) -> int:
    """How many authorizations were let go that were no strays."""
    return len(world.ledger.done(order_id, "void")) - (len(payment.strays) if payment else 0)


def _kept(world: World, order_id: str) -> int:
    return world.ledger.amount(order_id, "capture") - world.ledger.amount(order_id, "refund")


def _owed(order: Order, payment: Payment | None) -> int:
    """The order's total, without what is off of it, unless all of it is, less what was given back on request.

    Where money is taken per shipment and something is still to go, what was charged takes the total's place; a cent
    that rounding had charged too much has gone back. What no card was found for is not kept. What the provider has
    refused to give back stays with us: it said so, and a person must look.
    """
    if order.over:
        return payment.refused_refunds if payment else 0
    if payment is None:
        return order.total
    came_to = order.total
    if order.per_shipment and order.left():
        back = {each["return_id"] for each in order.returns}
        rounded = sum(each[0] for key, each in payment.refunds.items() if key in order.parts and key not in back)
        came_to = order.billed - rounded
    if payment.given_up:
        came_to -= max(0, payment.outstanding)
    return max(0, came_to - payment.given_beside(order.parts)) + payment.refused_refunds


def _given_back(world: World, order: Order) -> Iterator[Violation]:
    ledger, order_id = world.ledger, order.order_id
    payment = world.payments.all.get(order_id)
    apart = len(payment.strays) + len(payment.gone) if payment else 0
    held = len(ledger.done(order_id, "authorize")) - apart
    captured, refunded = ledger.amount(order_id, "capture"), ledger.amount(order_id, "refund")
    voids = _own_voids(world, order_id, payment)
    if ledger.done(order_id, "capture"):
        if refunded != captured:
            yield Violation(
                "money.compensated_once", order_id, f"{captured} captured, {refunded} refunded, and it is off"
            )
    elif voids != held:
        yield Violation("money.compensated_once", order_id, f"authorized, off, and voided {voids} times")


def _both(payment: Payment, world: World) -> Iterator[tuple[str, Any, Any]]:
    """What we recorded beside what the ledger has, step by step."""
    done, order_id = world.ledger.done, payment.order_id
    references = {
        "authorized": ([*payment.held, *payment.strays], "authorize"),
        "captured": (payment.captured_references, "capture"),
    }
    for what, (ours, operation) in references.items():
        yield what, sorted(ours), sorted({entry["id"] for entry in done(order_id, operation)})
    yield "voided", bool(payment.voided), bool(_own_voids(world, order_id, payment))
    yield "declined", bool(payment.declined), bool(world.ledger.declined(order_id, "authorize"))
    yield (
        "refunded",
        sorted(payment.given),
        sorted((entry["id"], entry["amount"]) for entry in done(order_id, "refund")),
    )
