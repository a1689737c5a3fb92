"""Who is cancelled while it connects to Kafka leaves no connection behind."""

import asyncio
import gc

import pytest
from aiokafka.conn import AIOKafkaConnection

from events.cluster import asking
from events.kafka import KafkaLog

pytestmark = [pytest.mark.infra, pytest.mark.anyio]


@pytest.mark.parametrize("after", [n / 1000 for n in range(12)])
async def test_a_question_that_is_cut_off_leaves_no_connection(kafka: str, after: float) -> None:
    async def asked() -> None:
        async with asking(kafka) as cluster:
            await cluster.names()

    log = KafkaLog(kafka)
    there = connected()
    tasks = [asyncio.create_task(doing) for doing in (asked(), log.committed("nobody"))]
    await asyncio.sleep(after)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert connected() == there
    await log.close()


def connected() -> int:
    """The connections that somebody has, or nobody has any more."""
    return sum(type(each) is AIOKafkaConnection and each.connected() for each in gc.get_objects())
