"""The world of messages is closed: each is registered once, under its context, and has a rule that knows it."""

from datetime import timedelta
from types import ModuleType

import pytest

from aggregates import notification, order, payment, reservation, user
from aggregates.decider import Decider
from aggregates.errors import Rejection
from events import letter as letter_events
from events import notification as notification_events
from events import order as order_events
from events import outcome as outcome_events
from events import payment as payment_events
from events import product as product_events
from events import user as user_events
from events.event import Event
from events.registry import COMMANDS, EVENTS, OUTCOMES, command_codec, event_codec
from schemas import notification as notification_commands
from schemas import order as order_commands
from schemas import parking
from schemas import payment as payment_commands
from schemas import product as product_commands
from schemas import user as user_commands
from schemas.parking import EVERYWHERE
from schemas.settings import CONTEXTS
from schemas.values import Command
from tests.golden.examples import COMMANDS as ASKED
from tests.golden.examples import EVENTS as RECORDED
from tests.spec import Life
from workers import notification as notification_workers
from workers import order as order_workers
from workers import payment as payment_workers
from workers import product as product_workers

EVENT_MODULES: dict[str, ModuleType] = {
    "order": order_events,
    "product": product_events,
    "payment": payment_events,
    "user": user_events,
    "notification": notification_events,
}
COMMAND_MODULES: dict[str, ModuleType] = {
    "order": order_commands,
    "product": product_commands,
    "payment": payment_commands,
    "user": user_commands,
    "notification": notification_commands,
}
DECIDERS: dict[str, Decider] = {
    "order": order.DECIDER,
    "product": reservation.decider(timedelta(minutes=15)),
    "payment": payment.decider(timedelta(minutes=10)),
    "user": user.DECIDER,
    "notification": notification.DECIDER,
}
HEARD = {
    reaction.event
    for worker in (order_workers, product_workers, payment_workers, notification_workers)
    for reaction in worker.REACTIONS
}


def tagged(module: ModuleType, base: type) -> set[type]:
    """The messages that a module defines."""
    found = (thing for thing in vars(module).values() if isinstance(thing, type) and issubclass(thing, base))
    return {cls for cls in found if cls.__module__ == module.__name__ and vars(cls)["tag"]}


@pytest.mark.parametrize("context", CONTEXTS)
def test_every_message_that_a_context_defines_is_registered(context: str) -> None:
    assert set(EVENTS[context]) == tagged(EVENT_MODULES[context], Event)
    assert set(COMMANDS[context]) == tagged(COMMAND_MODULES[context], Command)
    assert set(OUTCOMES) == tagged(outcome_events, Event) | tagged(letter_events, Event)
    assert set(EVERYWHERE) == tagged(parking, Command)


def test_every_tag_is_unique_and_events_say_their_version() -> None:
    tags = [*event_codec.types, *command_codec.types]
    assert len(set(tags)) == len(tags)
    assert all(tag.rpartition(".v")[2].isdecimal() for tag in event_codec.types)


@pytest.mark.parametrize("context", CONTEXTS)
def test_every_command_of_a_context_has_a_rule(context: str) -> None:
    for cls in COMMANDS[context]:
        try:
            Life(DECIDERS[context]).decide(ASKED[cls.tag])
        except Rejection:
            continue


@pytest.mark.parametrize("context", CONTEXTS)
def test_every_event_of_a_context_is_taken_into_account(context: str) -> None:
    for cls in EVENTS[context]:
        Life(DECIDERS[context]).record([RECORDED[cls.tag]])


@pytest.mark.parametrize("context", CONTEXTS)
def test_a_contexts_streams_are_of_kinds_that_its_rules_know(context: str) -> None:
    kinds = set(DECIDERS[context].initial)
    assert {RECORDED[cls.tag].stream.partition("-")[0] for cls in EVENTS[context]} == kinds
    assert {ASKED[cls.tag].stream.partition("-")[0] for cls in COMMANDS[context]} == kinds


def test_every_event_that_a_reaction_waits_for_is_registered() -> None:
    assert {cls for classes in EVENTS.values() for cls in classes} >= HEARD
