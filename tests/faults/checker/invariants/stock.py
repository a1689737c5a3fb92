"""Stock in the end; what must hold at every moment is seen during the pass (folds/product.py)."""

from collections.abc import Iterator

from tests.faults.checker.findings import Violation
from tests.faults.checker.folds.order import Order
from tests.faults.checker.reading import World

GOING = ("confirmed", "partially_shipped")
"""States in which an order holds what has not left the house."""


def settled(world: World) -> Iterator[Violation]:
    """Nothing is held for what is over or shipped, and all of it for what is confirmed."""
    for order_id, holds in world.products.holds.items():
        order = world.orders.all.get(order_id)
        if order is not None and (order.open or order.status in GOING):
            continue
        for sku, hold in holds.items():
            if hold.left > 0:
                status = order.status if order else "unknown"
                yield Violation("stock.settled", order_id, f"{hold.left} of {sku} still held for an order {status}")
    for order in world.orders.all.values():
        if order.status in (*GOING, "shipped", "delivered"):
            yield from _all_there(world, order)


def _all_there(world: World, order: Order) -> Iterator[Violation]:
    holds = world.products.holds.get(order.order_id, {})
    left, sent = order.left(), order.sent()
    for sku in order.ordered():
        hold = holds.get(sku)
        held, shipped = (hold.left, hold.shipped) if hold else (0, 0)
        if held != left.get(sku, 0):
            said = f"{left.get(sku, 0)} of {sku} are still to go, {held} held, for an order {order.status}"
            yield Violation("stock.settled", order.order_id, said)
        if shipped != sent[sku]:
            said = f"{sent[sku]} of {sku} are shipped, {shipped} have left the shelf"
            yield Violation("stock.settled", order.order_id, said)


def held_is_ordered(world: World) -> Iterator[Violation]:
    """Whatever was held for an order is what it asked for, and no order went on without all of it."""
    for order in world.orders.all.values():
        holds, wanted = world.products.holds.get(order.order_id, {}), order.ordered()
        for sku, hold in holds.items():
            if hold.reserved and hold.reserved not in order.asked_for.get(sku, ()):
                said = f"{hold.reserved} of {sku} reserved, {wanted.get(sku, 0)} ordered"
                yield Violation("stock.held_is_ordered", order.order_id, said)
        missing = [sku for sku, quantity in order.wanted().items() if quantity and sku not in holds]
        if order.secured and missing:
            yield Violation("stock.held_is_ordered", order.order_id, f"it went on without {', '.join(missing)}")


CHECKS = (settled, held_is_ordered)
