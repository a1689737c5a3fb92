"""Messages that come twice, and reactions that begin again from the first record."""

import asyncio
from uuid import uuid4

import pytest

from events import topics
from events.log import Place, Position
from events.memory import MemoryLog
from schemas.order import CancelOrder, PlaceOrder
from schemas.settings import CONTEXTS
from tests.scenarios.house import EVERY, House
from tests.scenarios.moments import PLACING
from tests.scenarios.shop import order, sku_on
from tests.scenarios.till import held_after

pytestmark = pytest.mark.anyio


async def delete_positions(house: House) -> None:
    places = [Place(topics.events(source), p) for source in CONTEXTS for p in EVERY]
    for name in CONTEXTS:
        await house.log.commit(f"{name}.reactions", dict.fromkeys(places, Position(0, "0 ")))


async def bought_of(house: House, shelf: int) -> PlaceOrder:
    apple, pear = sku_on(shelf), sku_on((shelf + 1) % 4)
    await house.stocked({apple: 10, pear: 10})
    return order((apple, 1), (pear, 2))


@pytest.mark.parametrize("way", ["beside its writer", "over the topic"])
async def test_every_message_twice_changes_nothing(house: House, way: str) -> None:
    house.log.twice, house.log.far = True, way == "over the topic"
    bought = await bought_of(house, 0)

    await house.send(bought)
    await house.settle()
    await house.handed_over(bought.order_id)

    assert house.status(bought.order_id) == "delivered"
    await house.check()


@pytest.mark.parametrize("moment", [PLACING[4], PLACING[6], PLACING[9]])
async def test_every_message_twice_compensates_once(house: House, moment: str) -> None:
    house.log.twice = True
    bought, placing = await bought_of(house, 1), str(uuid4())
    house.log.at(moment, placing, lambda: house.send(CancelOrder(order_id=bought.order_id)))

    await house.send(bought, placing)
    await house.said()
    await house.settle()

    assert house.status(bought.order_id) == "cancelled"
    assert house.money(bought.order_id) == 0
    await house.check()


async def test_a_client_that_sends_its_command_again_much_later_is_heard_once(house: House) -> None:
    bought, placing = await bought_of(house, 2), str(uuid4())
    await house.send(bought, placing)
    await house.settle()

    await house.restart("order")
    await house.send(bought, placing)

    await house.check()


async def test_reactions_that_begin_again_from_the_first_record_repeat_nothing(house: House) -> None:
    gate, bought = asyncio.Event(), await bought_of(house, 3)
    house.till.script(bought.order_id, "authorize", held_after(gate))
    placing = await house.send(bought)
    await house.told("payment.requested.v1", placing)

    await house.stop(*CONTEXTS)
    await delete_positions(house)
    house.till.script(bought.order_id, "authorize", held_after(gate))
    await house.start(*CONTEXTS)
    gate.set()
    await house.settle()
    await house.handed_over(bought.order_id)

    assert house.status(bought.order_id) == "delivered"
    await house.check()


@pytest.mark.parametrize("fault", ["lost_acks", "failures"])
async def test_commits_of_which_nobody_hears_are_neither_lost_nor_repeated(house: House, fault: str) -> None:
    bought = await bought_of(house, 1)
    setattr(house.log, fault, 3)

    await house.send(bought)
    await house.settle()

    assert getattr(house.log, fault) == 0
    assert house.status(bought.order_id) == "confirmed"
    await house.check()


async def test_writers_start_again_when_retention_has_taken_every_command(memory_house: House) -> None:
    memory_house.log.twice = True
    bought = await bought_of(memory_house, 0)
    await memory_house.send(bought)
    await memory_house.check()

    log = memory_house.log.log
    assert isinstance(log, MemoryLog)
    for place in [place for place in log.records if place.topic.endswith(".commands")]:
        log.first[place] = len(log.records[place])
    await memory_house.restart(*CONTEXTS)
    await memory_house.handed_over(bought.order_id)

    assert memory_house.status(bought.order_id) == "delivered"
    await memory_house.check()
