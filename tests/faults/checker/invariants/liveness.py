"""Liveness: once all is healed, everything comes to its end, and soon."""

from collections.abc import Iterator

from tests.faults.checker.findings import Violation
from tests.faults.checker.reading import World

SOON = 60.0
"""Seconds from healing, or from an order's last request if that came later, until all of it is settled."""

MOMENT = 10.0
"""Seconds that a read model may lag behind a log that still moves."""


def settled(world: World) -> Iterator[Violation]:
    """Nothing is under way."""
    for order in world.orders.all.values():
        if order.open:
            yield Violation("liveness.settled", order.order_id, f"the order is still {order.status}")
    for payment in world.payments.all.values():
        if payment.under_way:
            left = payment.status if not payment.pending else f"refunding {sum(payment.pending.values())}"
            yield Violation("liveness.settled", payment.order_id, f"the payment is still {left}")
    for message in world.messages.all.values():
        if message.status == "requested":
            said = f"the mail {message.template} is still waiting"
            yield Violation("liveness.settled", message.about.removeprefix("order-"), said)


def read_models_are_there(world: World) -> Iterator[Violation]:
    """No read model stands still while its log has gone on."""
    collected = float(world.evidence.layout.get("at") or 0)
    for context, views in world.views.items():
        for partition, fact in views.ahead.items():
            if fact.timestamp / 1000 < collected - MOMENT:
                said = f"the read model stands at {views.upto[partition]}, the log has gone on to {fact.offset}"
                yield Violation("liveness.settled", f"{context}.events/{partition}", said, place=fact.place)


def in_time(world: World) -> Iterator[Violation]:
    """The last thing that happened to each order happened soon after the healing."""
    evidence = world.evidence
    healed = evidence.healed_at
    if not healed:
        return
    if "settled_at" in evidence.said and not evidence.settled_at:
        yield Violation("liveness.in_time", "the run", "it never settled")
    asked: dict[str, float] = {}
    for request in evidence.requests:
        for attempt in request.attempts:
            asked[request.target] = max(asked.get(request.target, 0.0), attempt.at)
    if evidence.settled_at > max(healed, max(asked.values(), default=0.0)) + SOON:
        yield Violation(
            "liveness.in_time", "the run", f"it settled {evidence.settled_at - healed:.0f} s after the healing"
        )
    for order_id, (last, what) in _last(world).items():
        limit = max(healed, asked.get(order_id, 0.0)) + SOON
        if last > limit:
            said = f"{what} {last - healed:.1f} s after the healing"
            yield Violation("liveness.in_time", order_id, said, last)


CHECKS = (settled, read_models_are_there, in_time)


def _last(world: World) -> dict[str, tuple[float, str]]:
    """When the last thing happened to each order, in seconds, and to what part of it."""
    found: dict[str, tuple[float, str]] = {}

    def note(order_id: str, milliseconds: int, what: str) -> None:
        if milliseconds / 1000 > found.get(order_id, (0.0, ""))[0]:
            found[order_id] = milliseconds / 1000, what

    for order in world.orders.all.values():
        note(order.order_id, order.ended, "the order moved")
    for payment in world.payments.all.values():
        note(payment.order_id, payment.last, "the payment moved")
    for order_id, last in world.products.last.items():
        note(order_id, last, "the stock moved")
    for message in world.messages.all.values():
        note(message.about.removeprefix("order-"), message.last, f"the mail {message.template} moved")
    return found
