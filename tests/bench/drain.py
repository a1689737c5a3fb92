"""Drain: all commands are in the topic before the workers start; orders per second from first to last."""

import asyncio
import time
from pathlib import Path

from msgspec import Struct

from events import topics
from events.kafka import KafkaLog, create_topics
from tests.bench import house, workload

PATH = ("order", "product", "payment")
SETTLED = ("order.confirmed.v1", "order.rejected.v1")


class Drained(Struct):
    """A drain's figures; seconds are of wall clock, CPU milliseconds an order; records are commands and events."""

    layout: str
    orders: int
    records: float
    seconds: float
    worker_ms: float
    broker_ms: float
    others_cores: float

    @property
    def rate(self) -> float:
        return self.orders / self.seconds


async def drain(
    kafka: str,
    postgres: str,
    home: Path,
    broker_pid: int,
    layout: tuple[tuple[str, ...], ...],
    orders: int,
    salt: str,
    start: house.Start = house.worker,
) -> Drained:
    """Stop nothing, start nothing else: measure one layout of worker processes on so many fresh orders."""
    await create_topics(kafka, topics.TOPICS)
    log = KafkaLog(kafka)
    env = house.environment(kafka, postgres, home)
    await house.send(log, "product", workload.products())
    starts = await house.ends(log, ["order.events"])
    first = await house.ends(log, ["order.events"])
    await house.send(log, "order", (order for order, _ in workload.orders(orders, salt)))
    children = [start(home, env, *contexts) for contexts in layout]
    pids = [child.pid for child in children]
    try:
        await house.watch(log, first, ["order.placed.v1"], 1, 60)
        began = time.time()
        used = house.cpu_seconds(pids), house.cpu_seconds([broker_pid]), house.machine_seconds(), house.own_seconds()
        ended = await house.watch(log, starts, SETTLED, orders, 300)
        seconds = ended - began
        workers = house.cpu_seconds(pids) - used[0]
        broker = house.cpu_seconds([broker_pid]) - used[1]
        own = house.own_seconds() - used[3]
        others = house.machine_seconds() - used[2] - workers - broker - own
        names = [kind(context) for context in PATH for kind in (topics.commands, topics.events)]
        records = sum((await house.ends(log, names)).values()) / orders
        name = " | ".join("+".join(contexts) for contexts in layout)
        return Drained(
            name,
            orders,
            records,
            seconds,
            workers / orders * 1e3,
            broker / orders * 1e3,
            max(others, 0) / max(seconds, 0.1),
        )
    finally:
        for child in children:
            child.ask_to_stop()
        for child in children:
            await asyncio.to_thread(child.stop)
        await log.close()
