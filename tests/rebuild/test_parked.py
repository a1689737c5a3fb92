"""A live read model that cannot take an event in sets that one key aside, and others go on; a fix brings it back."""

from collections.abc import AsyncIterator, Sequence

import psycopg
import pytest

from events.event import Event
from events.fence import Fence
from events.log import Record
from projections.mending import mend
from projections.order import ORDERS
from projections.postgres import Database
from projections.reading import decoded
from projections.recorded import Step
from projections.registry import COMMON
from projections.store import Moved, Store
from projections.versions import DDL, PARKED
from tests.builders.order import confirmed, placed, reserved, secured
from tests.builders.values import FIGS, A, B
from tests.rebuild.workshop import Raises, changed
from tests.workers.test_reactor import record

pytestmark = [pytest.mark.infra, pytest.mark.anyio]


@pytest.fixture
async def database(postgres: str) -> AsyncIterator[Database]:
    with psycopg.connect(postgres, autocommit=True) as connection:
        connection.execute("DROP DATABASE IF EXISTS orderlog_parked WITH (FORCE)")
    database = Database(postgres, "parked")
    await database.create(DDL + COMMON)
    yield database
    await database.close()


def step(start: int, events: Sequence[Event], versions: Sequence[int]) -> Step:
    """A batch of one partition, its events' versions given."""
    items = []
    for offset, (event, version) in enumerate(zip(events, versions, strict=True), start):
        _, key, body, headers, timestamp = record(event)
        headers = {**headers, "version": b"%d" % version}
        items.append(decoded(Record(offset, key, body, headers, timestamp)))
    return Step(0, Fence(start), Fence(start + len(events)), items)


async def status(database: Database) -> dict[str, str]:
    rows = await database.fetch("SELECT order_id, status FROM orders ORDER BY order_id")
    return {row["order_id"]: row["status"] for row in rows}


async def test_one_order_waits_and_all_others_go_on_until_it_is_mended(database: Database) -> None:
    broken = changed(Raises(A, "order.stock_secured.v1"))
    store = Store(database, "order", [broken])
    await store.checkpoints([0])
    life = [reserved(FIGS), secured(), confirmed()]
    await store.apply([step(0, [placed(A), placed(B)], [1, 1])])
    await store.apply([step(2, [*life, secured(order_id=B)], [2, 3, 4, 2])])
    await store.apply([step(6, [confirmed(order_id=B)], [3])])

    assert await status(database) == {A: "placed", B: "confirmed"}
    [parked] = await database.fetch(PARKED, {"name": "orders"})
    assert (parked["key"], parked["position"], parked["waiting"]) == (A, 3, 1)
    assert "order.stock_secured.v1 at 0:3" in parked["reason"]
    assert "ZeroDivisionError" in parked["reason"]
    history = await database.fetch("SELECT count(*) AS n FROM history")
    assert history[0]["n"] == 7, "the other read models have it all"

    mended = Store(database, "order", [ORDERS])
    await mended.checkpoints([0])
    [live] = [version for version in await mended.versions.all() if version.name == "orders"]
    view = {"status": "confirmed", "version": 4, "partition": 0, "position": 4}
    row = {**(await database.fetch("SELECT * FROM orders WHERE order_id = %(a)s", {"a": A}))[0], **view}
    async with mended.versions.changing() as (connection, _):
        assert await mend(connection, live, ORDERS, A, [row]) == "changed"
    with pytest.raises(Moved):
        await mended.apply([step(7, [confirmed(order_id=B)], [4])])  # it looks again at what is parked
    assert await database.fetch(PARKED, {"name": "orders"}) == []
    assert await status(database) == {A: "confirmed", B: "confirmed"}
