"""Records that nobody can read, and rules with bugs: they are set aside, and everyone else goes on."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from msgspec.structs import replace

from aggregates.decider import StateOf
from events.event import Event
from events.log import Draft, Place
from events.order import OrderPlaced
from schemas.order import RecordReservation
from schemas.settings import CONTEXTS
from schemas.values import Command
from tests.scenarios.house import House
from tests.scenarios.shop import client_draft, order, place_of, sku_on
from workers.policy import Reaction, on

pytestmark = pytest.mark.anyio


def with_header(name: str, value: Any) -> Callable[[Draft], Draft]:
    def spoil(draft: Draft) -> Draft:
        return draft._replace(headers=[*((n, v) for n, v in draft.headers if n != name), (name, value)])

    return spoil


GARBAGE: dict[str, Callable[[Draft], Draft]] = {
    "no headers": lambda draft: draft._replace(headers=[]),
    "no headers and a NUL in the key": lambda draft: draft._replace(headers=[], key="order-\0"),
    "no headers and a long key": lambda draft: draft._replace(headers=[], key="order-" + 300_000 * "x"),
    "no JSON": lambda draft: draft._replace(value=b"{"),
    "no body": lambda draft: draft._replace(value=b""),
    "no bytes of UTF-8": lambda draft: draft._replace(value=b"\xff\xfe"),
    "an unknown field": lambda draft: draft._replace(value=b'{"surprise":1,' + draft.value[1:]),
    "a very long body": lambda draft: draft._replace(value=draft.value + 300_000 * b" "),
    "an unknown tag": with_header("ce_type", b"order.eat.v1"),
    "another context's command": with_header("ce_type", b"payment.capture"),
    "a NUL in the subject": with_header("ce_subject", b"order-\0"),
    "a long subject": with_header("ce_subject", b"order-" + 300_000 * b"x"),
    "a NUL in the id": with_header("ce_id", b"\0"),
    "an endless correlation": with_header("correlation", 400_000 * b"x"),
    "a header that is no UTF-8": with_header("ce_id", b"\xff"),
    "a header without a value": with_header("ce_type", None),
    "a version that is no number": with_header("version", b"x"),
}
ODD: dict[str, Callable[[Draft], Draft]] = {
    "a subject of nobody": with_header("ce_subject", b"weather-today"),
    "another's subject": with_header("ce_subject", b"order-of-another"),
    "an origin without numbers": with_header("origin", b"a/b/c"),
    "an origin of many numbers": with_header("origin", b"a/1/2/3"),
    "no source": with_header("ce_source", b""),
    "a time that is none": with_header("ce_time", b"soon"),
}


def parked(house: House) -> list[tuple[str, int, int]]:
    return [(event.topic, event.partition, event.offset) for event in house.chronicle.parked]


@pytest.mark.parametrize("spoil", GARBAGE.values(), ids=GARBAGE)
async def test_a_command_that_makes_no_sense_is_parked_and_the_stream_goes_on(
    memory_house: House, spoil: Callable[[Draft], Draft]
) -> None:
    apple = sku_on(0)
    await memory_house.stocked({apple: 10})
    bought = order((apple, 1))
    place = place_of(bought)

    offset = await memory_house.log.append(place, [spoil(client_draft(bought, str(uuid4())))])
    await memory_house.send(bought)
    await memory_house.settle()
    await memory_house.restart("order")

    assert (*place, offset) in parked(memory_house)
    assert memory_house.status(bought.order_id) == "confirmed"
    await memory_house.check()


async def test_senseless_commands_of_every_kind_are_parked_and_all_streams_go_on(house: House) -> None:
    apple = sku_on(0)
    await house.stocked({apple: 10})
    bought = order((apple, 1))
    place = place_of(bought)

    drafts = [spoil(client_draft(bought, str(uuid4()))) for spoil in GARBAGE.values()]
    offsets = [await house.log.append(place, [draft]) for draft in drafts]
    await house.send(bought)
    await house.settle()
    await house.restart("order")

    assert {(*place, offset) for offset in offsets} <= set(parked(house))
    assert house.status(bought.order_id) == "confirmed"
    await house.check()


@pytest.mark.parametrize("spoil", ODD.values(), ids=ODD)
async def test_a_command_is_heeded_for_what_it_asks_however_odd_its_circumstances(
    house: House, spoil: Callable[[Draft], Draft]
) -> None:
    apple = sku_on(0)
    await house.stocked({apple: 10})
    bought, placing = order((apple, 1)), str(uuid4())
    house.sent[placing] = bought
    house.chronicle.expect(placing, bought.tag)

    await house.log.append(place_of(bought), [spoil(client_draft(bought, placing))])
    await house.settle()
    await house.restart("order")

    assert house.status(bought.order_id) == "confirmed"
    await house.check()


async def test_strangers_records_among_the_events_are_ignored(house: House) -> None:
    apple = sku_on(1)
    await house.stocked({apple: 10})
    bought = order((apple, 1))
    for spoil in GARBAGE.values():
        for name in CONTEXTS:
            draft = spoil(client_draft(bought, str(uuid4())))
            await house.log.log.append(Place(f"{name}.events", 1), [draft, with_header("writer", None)(draft)])

    await house.send(bought)
    await house.settle()
    await house.restart(*CONTEXTS)
    await house.handed_over(bought.order_id)

    assert house.status(bought.order_id) == "delivered"
    await house.check()


async def test_a_bug_in_a_rule_parks_the_command_and_others_go_on(house: House) -> None:
    apple = sku_on(1)
    await house.stocked({apple: 10})
    unlucky, lucky = order((apple, 1)), order((apple, 1))
    await replace_rule(house, lambda command: getattr(command, "order_id", "") == unlucky.order_id)

    placing = await house.send(unlucky)
    await house.send(lucky)
    await house.settle()
    await replace_rule(house, lambda command: False)

    assert house.outcome(placing) == "letter.parked.v1"
    assert any("a bug, for a test" in event.reason for event in house.chronicle.parked)
    assert house.status(lucky.order_id) == "confirmed"
    await house.check()


async def test_an_order_stuck_by_a_bug_hears_of_its_lapse_once_it_is_mended(house: House) -> None:
    apple = sku_on(2)
    await house.stocked({apple: 10})
    house.due_in("product", 0.1)
    bought = order((apple, 1))
    await replace_rule(house, lambda command: isinstance(command, RecordReservation))

    await house.send(bought)
    await house.until(lambda: len(house.letters(f"order-{bought.order_id}")) == 2, "the lapse waits too")
    await replace_rule(house, lambda command: False)
    assert house.status(bought.order_id) == "placed"
    await house.retry("order", f"order-{bought.order_id}")
    await house.settle()

    assert house.status(bought.order_id) == "rejected"
    assert house.stock(apple) == (10, 0)
    await house.check()


async def test_a_bug_in_a_reaction_parks_the_event_once_and_others_go_on(house: House) -> None:
    apple = sku_on(3)
    await house.stocked({apple: 10})
    unlucky, lucky = order((apple, 1)), order((apple, 1))
    parts = house.parts["notification"]

    def tell(event: OrderPlaced) -> list[Command]:
        if event.order_id == unlucky.order_id:
            raise ZeroDivisionError("a bug, for a test")
        return []

    reactions: list[Reaction] = [*parts.reactions, on(OrderPlaced, tell)]
    house.parts["notification"] = replace(parts, reactions=reactions)
    await house.restart("notification")
    await house.send(unlucky)
    await house.send(lucky)
    await house.settle()
    house.parts["notification"] = parts
    await house.restart("notification")
    about = f"notification-hears-order-{unlucky.order_id}"
    assert len(house.letters(about)) == 2, "what comes later waits"
    await house.retry("notification", about)
    await house.settle()

    assert [event.topic for event in house.chronicle.parked if "ZeroDivision" in event.reason] == ["order.events"]
    assert house.status(unlucky.order_id) == house.status(lucky.order_id) == "confirmed"
    await house.check()


async def replace_rule(house: House, raises: Callable[[Command], bool]) -> None:
    """Give the order context a rule with a bug."""
    from aggregates.order import DECIDER

    def decide(command: Command, state_of: StateOf, at: Any) -> list[Event]:
        if raises(command):
            raise ZeroDivisionError("a bug, for a test")
        return DECIDER.decide(command, state_of, at)

    house.parts["order"] = replace(house.parts["order"], decider=replace(DECIDER, decide=decide))
    await house.restart("order")
