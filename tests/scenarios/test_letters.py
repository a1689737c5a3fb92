"""One order waits and all others go on; mended, everything comes in the order in which it happened."""

from collections.abc import Awaitable, Callable, Iterator, Sequence
from itertools import permutations
from typing import Any

import pytest
from msgspec.structs import replace

from events.event import Event
from events.letter import LetterParked, LetterReleased, LetterRetried
from events.notification import NotificationRequested
from events.order import OrderCancelled, OrderPlaced
from events.product import ReservationCommitted
from schemas.order import CancelOrder, PlaceOrder, RecordReservation
from schemas.parking import DiscardLetter
from schemas.settings import CONTEXTS
from schemas.values import Command
from tests.scenarios.house import House
from tests.scenarios.shop import order, sku_on
from tests.scenarios.test_bad_records import replace_rule
from workers.policy import Reaction

pytestmark = pytest.mark.anyio


def bug_in(house: House, context: str, kind: type[Event], raises: Callable[[Any], bool]) -> None:
    """A context's reactions to an event are to have a bug, from its next start on."""

    def spoiled(row: Reaction) -> Reaction:
        def react(event: Any) -> Sequence[Command]:
            if raises(event):
                raise ZeroDivisionError("a bug, for a test")
            return row.react(event)

        return Reaction(row.event, react) if row.event is kind else row

    parts = house.parts[context]
    house.parts[context] = replace(parts, reactions=tuple(map(spoiled, parts.reactions)))


@pytest.fixture
def mended(house: House) -> Iterator[Callable[[str], Awaitable[None]]]:
    """Gives a context its right reactions and rules back."""
    right = dict(house.parts)

    async def mend(context: str) -> None:
        house.parts[context] = right[context]
        await house.restart(context)

    yield mend
    house.parts.update(right)


Mend = Callable[[str], Awaitable[None]]


async def two_orders(house: House) -> tuple[PlaceOrder, PlaceOrder]:
    apple = sku_on(0)
    await house.stocked({apple: 10})
    return order((apple, 1)), order((apple, 1))


async def test_an_order_with_a_poison_command_waits_and_is_right_after_a_retry(house: House, mended: Mend) -> None:
    unlucky, lucky = await two_orders(house)
    await replace_rule(house, lambda c: isinstance(c, RecordReservation) and c.order_id == unlucky.order_id)

    await house.send(unlucky)
    await house.send(lucky)
    await house.until(lambda: house.letters(unlucky.stream), "the reservation cannot be recorded")
    cancelling = await house.send(CancelOrder(order_id=unlucky.order_id))
    await house.until(lambda: len(house.letters(unlucky.stream)) == 2, "the cancellation waits")
    await house.until(lambda: settled(house, lucky), "the other goes on")

    assert house.status(unlucky.order_id) == "placed"
    assert house.outcome(cancelling) == "letter.parked.v1"
    await mended("order")
    await house.retry("order", unlucky.stream)
    await house.settle()

    assert house.history(unlucky.stream) == ["order.placed.v1", "order.stock_secured.v1", "order.cancelled.v1"]
    assert house.chronicle.became[cancelling] == LetterRetried(
        about=unlucky.stream, letter=parked_as(house, cancelling), attempts=1, became="accepted", code="", detail="",
        command=cancelling,
    )  # fmt: skip
    assert not house.letters(unlucky.stream)
    await house.check()


def settled(house: House, bought: PlaceOrder) -> bool:
    return house.chronicle.saw("order.confirmed.v1", house.placing(bought))


def parked_as(house: House, command_id: str) -> str:
    [told] = house.chronicle.outcomes[command_id]
    assert isinstance(told.event, LetterParked)
    return told.event.letter


async def test_later_events_of_an_order_wait_behind_one_that_a_reaction_cannot_take(house: House, mended: Mend) -> None:
    unlucky, lucky = await two_orders(house)
    bug_in(house, "product", OrderPlaced, lambda event: event.order_id == unlucky.order_id)
    await house.restart("product")
    about = f"product-hears-{unlucky.stream}"

    await house.send(unlucky)
    await house.send(CancelOrder(order_id=unlucky.order_id))
    await house.send(lucky)
    await house.until(lambda: len(house.letters(about)) == 2, "the cancellation waits")
    await house.settle()

    assert house.status(lucky.order_id) == "confirmed"
    assert [letter.type for letter in house.letters(about)] == [OrderPlaced.tag, OrderCancelled.tag]
    await mended("product")
    await house.retry("product", about)
    await house.until(lambda: house.chronicle.of(LetterReleased), "it is released")
    await house.settle()
    await house.check()
    assert not house.letters(about)


async def test_a_reaction_that_fails_again_keeps_its_place_and_those_behind_theirs(house: House, mended: Mend) -> None:
    unlucky, _ = await two_orders(house)
    bug_in(house, "product", OrderPlaced, lambda event: event.order_id == unlucky.order_id)
    await house.restart("product")
    about = f"product-hears-{unlucky.stream}"
    await house.send(unlucky)
    await house.send(CancelOrder(order_id=unlucky.order_id))
    await house.until(lambda: len(house.letters(about)) == 2, "both wait")

    await house.retry("product", about)
    await house.until(lambda: [letter.attempts for letter in house.letters(about)] == [2, 0], "it fails again")

    assert [letter.type for letter in house.letters(about)] == [OrderPlaced.tag, OrderCancelled.tag]
    await mended("product")
    await house.retry("product", about)
    await house.until(lambda: not house.letters(about), "both are released")
    await house.settle()
    await house.check()


async def test_nothing_is_done_twice_when_the_reactors_position_is_lost(house: House, mended: Mend) -> None:
    """Then it hears everything again, with a bug that is mended: what was set aside must not be reacted to at once."""
    unlucky, _ = await two_orders(house)
    bug_in(house, "product", OrderPlaced, lambda event: event.order_id == unlucky.order_id)
    await house.restart("product")
    about = f"product-hears-{unlucky.stream}"
    await house.send(unlucky)
    await house.until(lambda: house.letters(about), "it waits")
    await house.settle()
    await mended("product")
    assert house.history(unlucky.stream) == ["order.placed.v1"], "and not reacted to on the way"

    await house.retry("product", about)
    await house.until(lambda: not house.letters(about), "it is released")
    await house.settle()
    await house.restart(*CONTEXTS)
    await house.settle()

    assert house.status(unlucky.order_id) == "confirmed"
    await house.check()


async def test_a_discarded_event_is_never_reacted_to_and_the_rest_goes_on(house: House, mended: Mend) -> None:
    unlucky, _ = await two_orders(house)
    bug_in(house, "notification", OrderCancelled, lambda event: event.order_id == unlucky.order_id)
    await house.restart("notification")
    about = f"notification-hears-{unlucky.stream}"
    await house.send(unlucky)
    await house.settle()
    await house.send(CancelOrder(order_id=unlucky.order_id))
    await house.until(lambda: house.letters(about), "it waits")
    await mended("notification")

    await house.of_letter("notification", about, house.letters(about)[0].id, DiscardLetter, why="no mail is due")
    await house.settle()
    await house.restart("notification")
    await house.settle()

    assert not house.letters(about)
    told = [event.template for event in house.chronicle.of(NotificationRequested)]
    assert "order_cancelled" not in told


ARRIVALS = list(permutations(("retry", "commit", "restart")))


@pytest.mark.parametrize("far", [False, True], ids=["beside", "over the topic"])
@pytest.mark.parametrize("twice", [False, True], ids=["once", "twice"])
@pytest.mark.parametrize("arrival", ARRIVALS, ids=map("-".join, ARRIVALS))
async def test_whatever_comes_first_a_retry_or_the_next_event_they_are_heard_in_order(
    memory_house: House, arrival: Sequence[str], twice: bool, far: bool
) -> None:
    """The order hears of its shelf: the commitment waits behind the reservation, or comes while that is released."""
    house = memory_house
    house.log.twice, house.log.far = twice, far
    bought, _ = await two_orders(house)
    right = house.parts["product"]
    bug_in(house, "product", OrderPlaced, lambda event: event.order_id == bought.order_id)
    await house.restart("product")
    about = f"product-hears-{bought.stream}"
    await house.send(bought)
    await house.until(lambda: house.letters(about), "it waits")
    house.parts["product"] = right
    await house.restart("product")

    for step in arrival:
        match step:
            case "retry":
                await house.retry("product", about)
            case "commit":
                await house.send(CancelOrder(order_id=bought.order_id))
            case _:
                await house.restart("product")
    await house.until(lambda: not house.letters(about), "all are released")
    await house.settle()

    heard = [event.type for event in house.chronicle.of(LetterReleased)]
    assert heard in ([OrderPlaced.tag], [OrderPlaced.tag, OrderCancelled.tag])
    assert house.stock(house.chronicle.of(OrderPlaced)[0].lines[0].sku)[1] == 0, "nothing is held"
    assert not house.chronicle.of(ReservationCommitted)
    await house.check()


async def test_while_one_waits_others_are_not_even_slower(memory_house: House) -> None:
    """Ten orders beside a stuck one: all confirmed, none of them a letter."""
    house = memory_house
    unlucky, _ = await two_orders(house)
    await replace_rule(house, lambda c: isinstance(c, RecordReservation) and c.order_id == unlucky.order_id)
    pear = sku_on(1)
    await house.stocked({pear: 10})
    others = [order((pear, 1)) for _ in range(10)]
    await house.send(unlucky)
    for each in others:
        await house.send(each)
    await house.until(lambda: all(settled(house, each) for each in others), "they go on")
    await house.until(lambda: house.letters(unlucky.stream), "it waits")
    assert {event.about for event in house.chronicle.parked if isinstance(event, LetterParked)} == {unlucky.stream}
