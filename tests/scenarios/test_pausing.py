"""A consumer that is set to pause stands still at a failure, in its partition alone, and goes on once it is mended."""

import pytest

from events.order import OrderPlaced
from events.product import ReservationMade
from events.topics import shelf_of
from schemas.order import PlaceOrder, RecordReservation
from schemas.settings import Settings
from tests.scenarios.house import House
from tests.scenarios.shop import order, place_of, sku_on
from tests.scenarios.test_bad_records import replace_rule
from tests.scenarios.test_letters import bug_in, settled
from workers import pausing

pytestmark = pytest.mark.anyio


async def three_orders(house: House) -> tuple[PlaceOrder, PlaceOrder, PlaceOrder]:
    """One that fails, in the partition where all of them hear of their stock; one there as well, one elsewhere."""
    apple = sku_on(0)
    await house.stocked({apple: 10})
    several = [order((apple, 1)) for _ in range(60)]
    unlucky = next(each for each in several if place_of(each).partition == shelf_of(apple))
    here = [each for each in several[1:] if place_of(each) == place_of(unlucky)]
    elsewhere = [each for each in several[1:] if place_of(each) != place_of(unlucky)]
    return unlucky, here[0], elsewhere[0]


async def all_is_well(house: House, *orders: PlaceOrder) -> None:
    """In the end these orders are confirmed, and nothing was set aside on the way."""
    await house.settle()
    assert {house.status(each.order_id) for each in orders} == {"confirmed"}
    assert not house.chronicle.parked
    await house.check()


async def test_a_paused_writer_stands_still_in_one_partition_and_sets_nothing_aside(
    memory_house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pausing, "FIRST", 60.0)  # others must not need that it is tried again
    house = memory_house
    house.pause = frozenset({"order.writer"})
    unlucky, near, far = await three_orders(house)
    await replace_rule(house, lambda c: isinstance(c, RecordReservation) and c.order_id == unlucky.order_id)

    await house.send(unlucky)
    pauses = house.contexts["order"].writer.pauses
    await house.until(lambda: pauses.why, "it stands still")
    await house.send(near)
    await house.send(far)
    await house.until(lambda: settled(house, far), "others go on")

    await house.until(
        lambda: list(pauses.why) == [place_of(unlucky).partition],
        "one partition stands still, but when it is tried again",
    )
    assert "a bug, for a test" in pauses.told()
    assert not settled(house, near)
    await replace_rule(house, lambda c: False)
    await all_is_well(house, unlucky, near)


async def test_reactions_that_fail_where_their_writer_stands_still_wait_for_it(
    memory_house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pausing, "FIRST", 60.0)  # nobody tries again before this test has looked
    house = memory_house
    house.pause = frozenset({"order.writer"})
    right = house.parts["order"]
    unlucky, _, far = await three_orders(house)
    bug_in(house, "order", ReservationMade, lambda event: event.order_id == far.order_id)
    await replace_rule(house, lambda c: isinstance(c, RecordReservation) and c.order_id == unlucky.order_id)

    await house.send(unlucky)
    context = house.contexts["order"]
    await house.until(lambda: context.writer.pauses.why, "the writer stands still")
    await house.send(far)
    await house.until(lambda: context.reactor.pauses.why, "nobody could set aside what cannot be reacted to")

    house.parts["order"] = right
    await house.restart("order")
    await all_is_well(house, unlucky, far)


async def test_paused_reactions_stand_still_at_an_event_and_hear_it_again_once_mended(memory_house: House) -> None:
    house = memory_house
    house.pause = frozenset({"product.reactions"})
    unlucky, near, far = await three_orders(house)
    right = house.parts["product"]
    bug_in(house, "product", OrderPlaced, lambda event: event.order_id == unlucky.order_id)
    await house.restart("product")

    await house.send(unlucky)
    pauses = house.contexts["product"].reactor.pauses
    await house.until(lambda: pauses.why, "it stands still")
    await house.send(near)
    await house.send(far)
    await house.until(lambda: settled(house, far), "others go on")

    assert not settled(house, near)
    house.parts["product"] = right
    await house.restart("product")
    await all_is_well(house, unlucky, near)


def test_a_consumer_that_nobody_has_is_refused_with_those_that_there_are() -> None:
    assert Settings(pause="order.writer, payment.reactions").pausing() == {"order.writer", "payment.reactions"}
    with pytest.raises(ValueError, match=r"unknown consumer 'order.reader'; there are order.writer, "):
        Settings(pause="order.reader").pausing()
