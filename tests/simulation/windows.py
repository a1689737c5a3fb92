"""Windows are the moments that faults are made for; a run counts those that it has hit, from what is left of it."""

from collections import Counter, defaultdict
from typing import Protocol

from events import order, payment, product
from events.event import Event
from events.fence import CLAIM, Fence, Verdict
from tests.scenarios.laws import Facts
from tests.simulation.broker import Broker

COUNTED: dict[type[Event], str] = {
    product.ReservationRefused: "orders refused for want of stock",
    product.ReservationLapsed: "reservations lapsed",
    payment.PaymentLapsed: "payments overdue",
    payment.PaymentDeclined: "payments declined",
    payment.PaymentAttempted: "other cards tried",
    payment.RenewalRequested: "authorizations renewed",
    payment.ShipmentCaptureRequested: "shipments paid for",
    payment.PaymentRefused: "captures refused",
    payment.VoidRequested: "compensated by a void",
    payment.PaymentRefunded: "refunded",
    order.OrderCancelled: "orders cancelled",
    order.OrderLineCancelled: "lines cancelled",
    order.OrderConfirmed: "orders confirmed",
    order.OrderPartlyShipped: "orders partly shipped",
    order.OrderShipped: "orders shipped",
    order.OrderReturnReceived: "returns received",
}


class Seen(Protocol):
    """What a run leaves behind."""

    facts: Facts
    broker: Broker


def of(town: Seen) -> Counter[str]:
    """How often each was hit."""
    return _in_the_log(town) + _in_the_story(town.facts) + _outside(town.facts)


def _in_the_log(town: Seen) -> Counter[str]:
    found: Counter[str] = Counter()
    for place, records in town.broker.log.records.items():
        if place.topic.endswith(".commands"):
            sent = Counter(record.headers.get("ce_id", b"") for record in records if record.headers)
            found["commands that came again"] += sum(n - 1 for n in sent.values())
            continue
        fence = Fence()
        for record in records:
            verdict = fence.judge(record.offset, record.headers)
            claim = record.headers.get("ce_type") == CLAIM.encode()
            found["claims"] += verdict is Verdict.CLAIM
            found["claims that lost"] += verdict is Verdict.IGNORED and claim
            found["appends of stale writers"] += verdict is Verdict.IGNORED and not claim and "epoch" in record.headers
    return found


def _in_the_story(facts: Facts) -> Counter[str]:
    found = Counter(COUNTED[type(told.event)] for told in facts.chronicle.told if type(told.event) in COUNTED)
    off: defaultdict[str, bool] = defaultdict(bool)
    for told in facts.chronicle.told:
        match told.event:
            case payment.PaymentCancelled() | payment.PaymentLapsed():
                off[told.envelope.subject] = True
            case payment.PaymentAuthorized():
                found["authorized after the end"] += off[told.envelope.subject]
            case payment.PaymentCaptured():
                found["captured after the end"] += off[told.envelope.subject]
            case payment.RefundRequested(reason="order cancelled"):
                found["compensated by a refund"] += 1
    return found


def _outside(facts: Facts) -> Counter[str]:
    found: Counter[str] = Counter({"mails handed over again": facts.mailbox.repeats})
    for (_, step), keys in facts.till.calls.items():
        found[f"{step} asked again"] += len(keys) - len(set(keys))
    return found
