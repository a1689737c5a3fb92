"""While nobody can be asked, what is pending waits in a queue: it does not come round and round."""

import asyncio
from typing import Any

import pytest

from aggregates.decider import Decider, Todo, alone
from aggregates.repository import Entity
from schemas.payment import RecordVoid
from schemas.values import Command
from tests.builders.values import A
from workers.effects import AT_ONCE, Effects
from workers.provider import CircuitOpen

pytestmark = pytest.mark.anyio

RULES = Decider("payment", {"payment": "to be voided"}, lambda state, _: state, alone({}), lambda _: [Todo("void")])
PENDING = Entity(RULES.initial["payment"], 1)
STREAMS = [f"payment-{number}" for number in range(10 * AT_ONCE)]


async def test_an_open_circuit_is_looked_at_by_a_few_and_all_get_through_once_it_closes() -> None:
    opened, asked, answered = True, set[str](), list[str]()

    async def ask(stream: str, _: Any, __: Todo) -> Command:
        asked.add(stream)
        if opened:
            raise CircuitOpen(0.001, "circuit open")
        return RecordVoid(order_id=A)

    async def answer(stream: str, _: Todo, __: Command) -> None:
        answered.append(stream)

    effects = Effects(RULES, {"void": ask}, answer)
    for stream in STREAMS:
        effects.look(stream, PENDING)
    for _ in range(100):
        await asyncio.sleep(0.001)
    while_open, opened = set(asked), False
    async with asyncio.timeout(10):
        while len(answered) < len(STREAMS):
            await asyncio.sleep(0.001)

    assert while_open == set(STREAMS[:AT_ONCE])
    assert sorted(answered) == sorted(STREAMS)
