"""The watch follows the log beside the system: it tells the load when an order's time has come for its next step, and
the nemesis when work goes on again. It is a hint, not evidence: it counts stale records too.
"""

import asyncio
import threading
import time
from uuid import uuid4

from confluent_kafka import Consumer, Message, TopicPartition

STAGES = {
    b"order.placed.v1": "placed",
    b"order.stock_secured.v1": "secured",
    b"order.confirmed.v1": "confirmed",
    b"order.rejected.v1": "rejected",
    b"order.cancelled.v1": "cancelled",
    b"order.shipped.v1": "shipped",
    b"order.delivered.v1": "delivered",
    b"payment.captured.v1": "captured",
    b"payment.card_awaited.v1": "card awaited",
}
OVER = ("rejected", "cancelled")
TOPICS, PARTITIONS = ("order.events", "payment.events"), 4


class Watch:
    """A thread with a consumer of no group."""

    def __init__(self, kafka: str, placed: dict[str, float]) -> None:
        self._placed = placed
        self._reached: dict[str, set[str]] = {}
        self._waiting: dict[str, list[tuple[frozenset[str], asyncio.Future[str]]]] = {}
        self._loop = asyncio.get_running_loop()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(kafka,), name="watch", daemon=True)
        self.newest_confirmed = 0.0
        """When the latest order was sent that has been seen confirmed (seconds since 1970)."""
        self.newest_order = ""
        self.counts: dict[str, int] = dict.fromkeys(STAGES.values(), 0)
        self._thread.start()

    def close(self) -> None:
        """Stop reading."""
        self._over.set()
        self._thread.join(10)

    async def until(self, order_id: str, stage: str, seconds: float) -> bool:
        """Wait until an order has come to a stage; False if it ends otherwise, or does not in time."""
        wanted = frozenset({stage, *OVER})
        if found := self._reached.get(order_id, set()) & wanted:
            return stage in found
        future: asyncio.Future[str] = self._loop.create_future()
        self._waiting.setdefault(order_id, []).append((wanted, future))
        try:
            return await asyncio.wait_for(future, seconds) == stage
        except TimeoutError:
            return False

    async def confirmed_after(self, moment: float, seconds: float) -> float | None:
        """When (seconds since 1970) an order that was sent after this moment is seen confirmed; None if not in time."""
        deadline = time.time() + seconds
        while self.newest_confirmed < moment:
            if time.time() > deadline:
                return None
            await asyncio.sleep(0.01)
        return time.time()

    def _run(self, kafka: str) -> None:
        consumer = Consumer(
            {
                "bootstrap.servers": kafka,
                "group.id": f"watch-{uuid4()}",
                "enable.auto.commit": False,
                "auto.offset.reset": "earliest",
                "reconnect.backoff.max.ms": 300,
                "fetch.wait.max.ms": 100,
                "log_level": 0,
            },
            error_cb=lambda _: None,  # a broker that is down is what we are here for
        )
        consumer.assign([TopicPartition(topic, p, 0) for topic in TOPICS for p in range(PARTITIONS)])
        try:
            while not self._over.is_set():
                found = [seen for message in consumer.consume(500, 0.2) if (seen := _seen(message))]
                if found:
                    self._loop.call_soon_threadsafe(self._take, found)
        finally:
            consumer.close()

    def _take(self, found: list[tuple[str, str]]) -> None:
        for order_id, stage in found:
            self.counts[stage] += 1
            reached = self._reached.setdefault(order_id, set())
            stage = f"{stage} again" if stage in reached else stage
            reached.add(stage)
            if stage == "confirmed":
                self._confirmed(order_id)
            for wanted, future in self._waiting.get(order_id, ()):
                if stage in wanted and not future.done():
                    future.set_result(stage)

    def _confirmed(self, order_id: str) -> None:
        if (sent := self._placed.get(order_id, 0.0)) > self.newest_confirmed:
            self.newest_confirmed, self.newest_order = sent, order_id


def _seen(message: Message) -> tuple[str, str] | None:
    """The order and the stage that a record tells of, if it tells of one."""
    if message.error() or not (key := message.key()):
        return None
    headers = dict(message.headers() or ())
    kind = headers.get("ce_type")
    stage = STAGES.get(kind) if isinstance(kind, bytes) else None
    _, _, order_id = key.decode(errors="replace").partition("-")
    return (order_id, stage) if stage else None
