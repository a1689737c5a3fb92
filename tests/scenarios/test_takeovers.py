"""Writers that are replaced in the middle of a saga, and those that do not know it yet."""

import asyncio
import gc
from collections.abc import Iterator
from uuid import uuid4

import pytest

from aggregates.stage import Incoming, Stage
from events import topics
from events.envelope import Envelope
from events.errors import Fenced
from events.log import Place
from schemas.order import CancelOrder, PlaceOrder
from schemas.settings import CONTEXTS
from tests.scenarios.house import House
from tests.scenarios.moments import PLACING
from tests.scenarios.shop import PRICE, client_draft, order, sku_on
from tests.scenarios.till import held_after
from workers.writer import now_utc

pytestmark = [pytest.mark.anyio, pytest.mark.filterwarnings("ignore:Unclosed AIOKafka:ResourceWarning")]

DELETE_SNAPSHOTS = (
    "DELETE FROM snapshots; DELETE FROM resume_points",
    "DELETE FROM resume_points",
    "DELETE FROM snapshots WHERE NOT pending",
    "UPDATE snapshots SET entity = '[]'",
)


@pytest.fixture(scope="module", autouse=True)
def cut_off() -> Iterator[None]:
    """Who is cut off closes nothing: what it leaves is found here, and in no other test."""
    yield
    gc.collect()


async def bought_of(house: House) -> PlaceOrder:
    apple, pear = sku_on(0), sku_on(1)
    await house.stocked({apple: 10, pear: 10})
    return order((apple, 1), (pear, 2))


@pytest.mark.parametrize("moment", ["order.placed.v1", "reservation.made.v1", "payment.authorized.v1", PLACING[9]])
async def test_a_saga_goes_on_when_all_writers_are_replaced_in_its_middle(house: House, moment: str) -> None:
    bought, reached, placing = await bought_of(house), asyncio.Event(), str(uuid4())

    async def say() -> None:
        reached.set()
        await asyncio.sleep(0)  # whoever waits for this goes first

    house.log.at(moment, placing, say)
    await house.send(bought, placing)
    await asyncio.wait_for(reached.wait(), 10)
    await house.restart(*CONTEXTS)
    await house.settle()
    await house.handed_over(bought.order_id)

    assert house.status(bought.order_id) == "delivered"
    await house.check()


@pytest.mark.parametrize("step", ["authorize", "capture", "refund"])
async def test_a_crash_between_the_providers_answer_and_its_recording_charges_once(house: House, step: str) -> None:
    bought = await bought_of(house)
    house.till.script(bought.order_id, step, held_after(asyncio.Event()))

    await house.send(bought)
    if step == "refund":
        await house.settle()
        await house.send(CancelOrder(order_id=bought.order_id))
    await house.until(lambda: house.till.ledger(bought.order_id, step), f"{step} at the provider")
    await house.restart("payment")
    await house.settle()

    first, second = house.till.calls[bought.order_id, step]
    assert first == second
    assert house.till.ledger(bought.order_id, step) == [3 * PRICE]
    await house.check()


async def test_a_stale_writers_late_append_is_ignored_by_everyone(house: House) -> None:
    bought = await bought_of(house)
    await house.send(bought)
    await house.settle()
    stale = house.contexts["order"].writer.tenures[topics.partition_of(bought.stream)]
    await house.restart("order")

    late = CancelOrder(order_id=bought.order_id)
    envelope = Envelope.read(dict(client_draft(late, str(uuid4())).headers))
    stage = Stage(stale.repository, stale.owner, now_utc())
    stage.handle(Incoming(envelope, late, "order.commands", stale.partition, 0))
    with pytest.raises(Fenced):
        await stale.owner.append(stage.commit)
    await house.handed_over(bought.order_id)

    fence = house.chronicle.fences[Place("order.events", stale.partition)]
    assert fence.ignored >= 1
    assert house.status(bought.order_id) == "delivered"
    await house.check()


async def test_two_processes_that_both_believe_to_own_a_context_lose_and_repeat_nothing(house: House) -> None:
    apple = sku_on(2)
    await house.stocked({apple: 6})
    rivals = [asyncio.create_task(house.another(name).run()) for name in ("order", "product", "payment")]

    orders = [order((apple, 1)) for _ in range(10)]
    requests = [await house.send(bought) for bought in orders]
    await house.until(lambda: any(house.chronicle.saw("order.confirmed.v1", one) for one in requests), "progress")
    for rival in rivals:
        rival.cancel()
    await asyncio.gather(*rivals, return_exceptions=True)
    await house.settle()

    assert sorted(house.status(bought.order_id) for bought in orders) == 6 * ["confirmed"] + 4 * ["rejected"]
    await house.check()


@pytest.mark.parametrize("deletion", DELETE_SNAPSHOTS)
async def test_snapshots_that_are_gone_or_spoiled_come_back_from_the_log(house: House, deletion: str) -> None:
    bought, gate = await bought_of(house), asyncio.Event()
    house.till.script(bought.order_id, "capture", held_after(gate))
    placing = await house.send(bought)
    await house.told("payment.capture_requested.v1", placing)

    await house.stop(*CONTEXTS)
    for database in house.databases.values():
        async with database.transaction() as connection:
            for statement in deletion.split("; "):
                await connection.execute(statement)
    await house.start(*CONTEXTS)
    await house.settle()
    await house.handed_over(bought.order_id)

    assert house.status(bought.order_id) == "delivered"
    await house.check()


@pytest.mark.parametrize("deletion", ["DELETE FROM snapshots WHERE NOT pending", "TRUNCATE snapshots"])
async def test_snapshots_deleted_under_a_living_owner_are_not_taken_for_what_never_was(
    house: House, deletion: str
) -> None:
    bought = await bought_of(house)
    await house.settle()
    await house.stop("product")
    await house.start("product")
    await house.settle()
    for database in house.databases.values():
        async with database.transaction() as connection:
            await connection.execute(deletion)

    await house.send(bought)
    await house.settle()

    assert house.status(bought.order_id) == "confirmed"
    await house.check()
