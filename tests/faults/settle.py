"""Settling is the end of a run: all that was broken is whole again, and everything under way comes to its end."""

import asyncio
import time

from confluent_kafka import Consumer, KafkaException, TopicPartition

from events.topics import TOPICS
from schemas.client import Problem
from tests.faults.nemesis import Site
from tests.faults.nemesis_links import provider_mode
from tests.faults.nemesis_processes import write_clock
from tests.faults.proxy import FAIR
from workers.mailbox import set_mode
from workers.shop import Shop
from workers.steps import under_way

STILL = 2.5
"""Seconds without a new record on any topic, after which nothing moves any more."""


async def heal(site: Site) -> None:
    """Undo whatever may still be wrong."""
    world = site.world
    for link in world.links.values():
        link.set(FAIR)
    set_mode(world.folder / "mailbox", "normal")
    await provider_mode(site, mode="normal")
    for name in world.workers:
        write_clock(world.clock_of(name), 0)


async def settled(site: Site, shop: Shop, seconds: float) -> tuple[float | None, list[str]]:
    """When all had come to its end (seconds since 1970), or None, with what was still under way after so long."""
    deadline, ends, since = time.time() + seconds, "", time.time()
    ask = _ends_of(site.world.address.kafka)
    left = ["everything"]
    try:
        while time.time() < deadline:
            left = await _left(shop)
            now = await asyncio.to_thread(ask)
            if left or now != ends:
                ends, since = now, time.time()
            elif time.time() - since > STILL:
                return since, []
            await asyncio.sleep(0.25)
    finally:
        await asyncio.to_thread(ask.close)
    return None, left or ["the topics still grow"]


async def _left(shop: Shop) -> list[str]:
    """What is under way, or read models do not show yet."""
    try:
        left = await under_way(shop)
        checks = (await shop.get("/ready"))["checks"]
    except (Problem, OSError) as error:
        return [f"no answer: {error}"]
    except Exception as error:  # of the client's library, while connections break
        return [f"no answer: {error!r}"]
    for context, check in checks.items():
        if behind := sum((check.get("lag") or {}).values()):
            left.append(f"{context} views are {behind} behind")
    return left


class _ends_of:  # noqa: N801  reads as a phrase where it is used
    """Asks where all topics end."""

    def __init__(self, kafka: str) -> None:
        self._consumer = Consumer({"bootstrap.servers": kafka, "group.id": "settling", "log_level": 0})

    def __call__(self) -> str:
        places = [TopicPartition(topic.name, partition) for topic in TOPICS for partition in range(topic.partitions)]
        try:
            return " ".join(str(self._consumer.get_watermark_offsets(place, timeout=5)[1]) for place in places)
        except KafkaException as error:
            return repr(error)

    def close(self) -> None:
        self._consumer.close()
