"""Travel is a history to travel in: a supermarket's first orders, and holds of stock of which some lasted too long."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import NAMESPACE_OID, uuid5

from aggregates.repository import LOCAL
from aggregates.reservation import decider
from events import topics
from events.envelope import CLIENT, Envelope
from events.fence import Fence
from events.fenced import claim
from events.ids import derive
from events.kafka import KafkaLog
from events.log import Draft, Place
from events.registry import command_codec, event_codec
from schemas.product import CommitReservation, LapseReservation, ListProduct, ReserveStock
from schemas.values import Command, Item
from tests.scenarios.shop import sku_on

BEGAN = datetime(2017, 3, 1, 12, tzinfo=UTC)
SHELF, HOLDS = 2, 60
HOLD = timedelta(minutes=15)


def holds() -> Iterator[tuple[datetime, Command, str]]:
    """Of three orders, one is confirmed after three minutes, one after eight, and one never; then a last piece."""
    ample, scarce = sku_on(SHELF, "ample"), sku_on(SHELF, "scarce")
    for sku, stock in ((ample, 1000), (scarce, 1)):
        yield BEGAN, ListProduct(sku=sku, name=sku, price=100, stock=stock), CLIENT
    for n in range(HOLDS):
        yield from _hold(BEGAN + timedelta(hours=1, minutes=n), _order(n), ample, (3, 8, None)[n % 3])
    yield from _hold(BEGAN + timedelta(hours=9), _order(HOLDS), scarce, None)
    second = ReserveStock(order_id=_order(HOLDS + 1), partition=SHELF, items=(Item(sku=scarce, quantity=1),))
    yield BEGAN + timedelta(hours=9, minutes=8), second, CLIENT


def _hold(at: datetime, name: str, sku: str, minutes: int | None) -> Iterator[tuple[datetime, Command, str]]:
    yield at, ReserveStock(order_id=name, partition=SHELF, items=(Item(sku=sku, quantity=2 - (sku[0] == "s")),)), CLIENT
    if minutes is None:
        yield at + HOLD, LapseReservation(order_id=name, partition=SHELF), LOCAL
    else:
        yield at + timedelta(minutes=minutes), CommitReservation(order_id=name, partition=SHELF), CLIENT


def _order(number: int) -> str:
    return str(uuid5(NAMESPACE_OID, f"hold {number}"))


async def write_holds(kafka: str) -> None:
    """Record them as the owner of the shelf would have; of the commands, the refused one is still in its topic."""
    log, rules, states = KafkaLog(kafka), decider(HOLD), dict[str, tuple[Any, int]]()
    place = Place(topics.events("product"), SHELF)
    try:
        owner = await claim(log, place, Fence(), lambda record: None)
        for at, command, origin in sorted(holds(), key=lambda each: each[0]):
            cause = derive(command.stream, f"{command.tag} {at}")
            begun = Envelope(cause, command.tag, "api", at.isoformat(), command.stream, cause, cause, origin)
            position = -1
            if isinstance(command, ReserveStock) and command.order_id == _order(HOLDS + 1):
                draft = Draft(command.stream, command_codec.encode(command), begun.headers())
                position = await log.append(Place(topics.commands("product"), SHELF), [draft])

            def state_of(stream: str) -> Any:
                return states[stream][0] if stream in states else rules.initial_of(stream)

            commit = []
            for index, event in enumerate(rules.decide(command, state_of, at)):
                version = states.get(event.stream, (None, 0))[1] + 1
                states[event.stream] = rules.evolve(state_of(event.stream), event), version
                envelope = Envelope(
                    derive(cause, str(index)), event.tag, "product", at.isoformat(), event.stream, cause, cause, origin,
                    version=version, epoch=owner.epoch, writer=owner.writer, position=position,
                )  # fmt: skip
                commit.append((envelope, event_codec.encode(event)))
            await owner.append(commit)
    finally:
        await log.close()
