"""Steps are what the demonstration does with the shop, and how it knows that nothing is left under way."""

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import Any

from schemas.order import PlaceOrder
from workers.shop import Shop

OPEN_ORDERS = {"placed", "secured"}

MILESTONES = {
    "order_confirmed", "order_rejected", "order_cancelled", "order_partly_shipped", "order_shipped", "order_delivered",
}  # fmt: skip
"""Mails that the states of orders ask for; an order whose rest is called off has been shipped, in part only."""

Show = Callable[[str, float, float, str], None]


class Moments:
    """When the orders were sent (seconds since 1970), and how long placing them took."""

    def __init__(self) -> None:
        self.sent: dict[str, float] = {}
        self.seconds = 0.0
        self.late = 0.0

    async def until_listed(self, shop: Shop, count: int, seconds: float) -> None:
        """Wait until the catalogue shows so many products.

        Raises:
            TimeoutError: it does not.
        """
        async with asyncio.timeout(seconds):
            while (await shop.get_summary())["stock"][0]["products"] < count:  # noqa: ASYNC110  it is another process
                await asyncio.sleep(0.1)

    async def place(self, shop: Shop, orders: Sequence[PlaceOrder], rate: float, show: Show) -> None:
        """Place the orders at so many a second, whether or not the answers keep up (an open loop)."""
        began = time.monotonic()
        tasks = []
        for number, order in enumerate(orders):
            due = began + number / rate
            if (early := due - time.monotonic()) > 0:
                await asyncio.sleep(early)
            self.late = max(self.late, time.monotonic() - due)
            self.sent[order.order_id] = time.time()
            tasks.append(asyncio.create_task(shop.place(order)))
            show("placing orders", number + 1, len(orders), f"{rate:.0f} a second")
        await asyncio.gather(*tasks)
        self.seconds = time.monotonic() - began


async def settle(shop: Shop, seconds: float) -> bool:
    """Wait until nothing is under way; False if something still is after so many seconds."""
    deadline = time.monotonic() + seconds
    quiet = 0
    while time.monotonic() < deadline:
        quiet = quiet + 1 if not await under_way(shop) else 0
        if quiet >= 3:
            return True
        await asyncio.sleep(0.1)
    return False


async def under_way(shop: Shop) -> list[str]:
    """What is not settled yet: orders, money, and mails of milestones that were reached."""
    summary = await shop.get_summary()
    left = [f"{row['orders']} orders {row['status']}" for row in summary["orders"] if row["status"] in OPEN_ORDERS]
    left += [f"{row['under_way']} payments under way" for row in summary["money"] if row["under_way"]]
    left += [f"{row['messages']} mails on their way" for row in summary["messages"] if row["status"] == "requested"]
    mails = sum(row["messages"] for row in summary["messages"] if row["template"] in MILESTONES)
    if mails < (reached := _milestones(summary["orders"])):
        left.append(f"{reached - mails} mails not yet asked for")
    return left


def _milestones(rows: Sequence[dict[str, Any]]) -> int:
    """Mails that the orders' states ask for: one when confirmed, and one more for each of the later milestones."""
    count: dict[str, int] = {row["status"]: row["orders"] for row in rows}
    ends = (
        count.get("rejected", 0) + count.get("cancelled", 0) + count.get("shipped", 0) + 2 * count.get("delivered", 0)
    )
    return ends + sum(int(row["confirmed_once"]) for row in rows)


async def walk(shop: Shop, orders: Sequence[PlaceOrder], say: Callable[[str], None]) -> None:
    """Take some confirmed orders further: ship, deliver, cancel, refund a part."""
    ready = {row["order_id"] async for row in shop.pages("/api/orders", status="confirmed") if row["ready_to_ship"]}
    ours = [order.order_id for order in orders if order.order_id in ready][:15]
    shipped, cancelled = ours[:10], ours[10:]
    for order_id in shipped:
        await shop.ship_order(order_id, key=f"ship {order_id}", wait=10)
    for order_id in shipped[:5]:
        await shop.deliver_order(order_id, key=f"deliver {order_id}", wait=10)
    for order_id in cancelled:
        await shop.cancel_order(order_id, key=f"cancel {order_id}", wait=10)
    say(f"Shipped {len(shipped)} of them, delivered {len(shipped[:5])}, cancelled {len(cancelled)} that were paid")
    for order_id in shipped[:1]:
        captured = (await shop.get_payment(order_id))["captured"]
        if captured >= 3:
            await shop.refund_payment(order_id, {"amount": captured // 3}, key=f"refund {order_id}", wait=10)
            say("Refunded a third of one")
