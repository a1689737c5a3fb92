"""History that is gone must stop those who need it; whole runs are `make faults`."""

import asyncio
import time
from pathlib import Path

import psycopg
import pytest
from confluent_kafka import TopicPartition
from confluent_kafka.admin import AdminClient
from psycopg import conninfo

from events.topics import PARTITIONS
from tests.bench import workload
from tests.system.house import House, house, wait_until
from workers.steps import Moments

pytestmark = [pytest.mark.infra, pytest.mark.anyio]


@pytest.mark.long
async def test_history_that_is_gone_from_before_a_checkpoint_stops_views_and_writer_and_they_say_so(
    tmp_path: Path,
) -> None:
    async with house(tmp_path, workers=((),), env={"ORDERLOG_SESSION_TIMEOUT_MS": "3000"}) as here:
        products = list(workload.products())
        await here.shop.offer(products, lambda _: None)
        await Moments().until_listed(here.shop, len(products), 60)
        for order, _ in workload.orders(12, "before the gap"):
            await here.shop.place(order)
        assert await here.settled()
        here.run.child("worker").kill()
        before = _rewound(here.run.address.postgres)
        _forget_history(here.run.address.kafka)
        here.run.spawn("worker-again", "workers", "worker")

        async def said() -> bool:
            return "order read models refuse to go on" in here.log_of("worker-again")

        async def refused() -> bool:
            return "order writer begins again" in here.log_of("worker-again")

        await wait_until(said, 40, "the read models say that history is missing")
        await wait_until(refused, 40, "the writer says that it cannot begin")
        await asyncio.sleep(3)

        assert here.run.child("worker-again").poll() is None
        assert " order/" not in _claims(here)
        assert " payment/" in _claims(here)
        assert _positions(here.run.address.postgres) == [(p, 1) for p in range(PARTITIONS)]
        assert await _orders(here) == before


def _rewound(url: str) -> int:
    """The orders that there are; checkpoints and resume points are then as of long ago."""
    with psycopg.connect(conninfo.make_conninfo(url, dbname="orderlog_order"), autocommit=True) as connection:
        connection.execute("UPDATE checkpoints SET next = 1, epoch = 1")
        connection.execute("UPDATE resume_points SET next = 1, epoch = 1")
        row = connection.execute("SELECT count(*) FROM orders").fetchone()
    return int(row[0]) if row else 0


def _forget_history(kafka: str) -> None:
    places = [TopicPartition("order.events", partition, -1) for partition in range(PARTITIONS)]
    admin = AdminClient({"bootstrap.servers": kafka})
    for future in admin.delete_records(places).values():
        assert future.result(30).low_watermark > 1
    time.sleep(0.2)


def _claims(here: House) -> str:
    return "\n".join(line for line in here.log_of("worker-again").splitlines() if " is ours, epoch" in line)


def _positions(url: str) -> list[tuple[int, int]]:
    with psycopg.connect(conninfo.make_conninfo(url, dbname="orderlog_order")) as connection:
        rows = connection.execute("SELECT partition, next FROM checkpoints ORDER BY partition").fetchall()
    return [(int(partition), int(position)) for partition, position in rows]


async def _orders(here: House) -> int:
    return sum(row["orders"] for row in (await here.shop.get("/summary"))["orders"])
