"""Lanes gather commands that come together, and never say "written" or "not written" without knowing."""

import asyncio
import time
from collections.abc import Sequence
from uuid import uuid4

import pytest

from api import lanes as lanes_module
from api.app import create_app
from api.lanes import Lanes, Receipt, Unanswered
from events.errors import Unavailable
from events.ids import key_of, under
from events.log import Draft, Place
from events.memory import MemoryLog
from events.topics import MAX_BATCH_BYTES
from schemas.product import DescribeProduct, WithdrawProduct
from schemas.values import Command
from tests.api.world import client_of, settings

pytestmark = pytest.mark.anyio


class SlowLog(MemoryLog):
    """A log that takes its time until `let` is set."""

    def __init__(self) -> None:
        super().__init__()
        self.let = asyncio.Event()
        self.batches: list[int] = []

    async def append(self, place: Place, drafts: Sequence[Draft]) -> int:
        self.batches.append(len(drafts))
        await self.let.wait()
        return await super().append(place, drafts)


async def send(lanes: Lanes, command: Command) -> Receipt:
    cause = str(uuid4())
    return await lanes.send(command, command_id=str(uuid4()), correlation=cause, causation=cause)


async def test_commands_that_come_while_an_append_is_under_way_share_the_next() -> None:
    log = SlowLog()
    lanes = Lanes(log)
    sending = []
    for _ in range(10):
        sending.append(asyncio.create_task(send(lanes, WithdrawProduct(sku="tea"))))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
    log.let.set()
    receipts = await asyncio.gather(*sending)
    assert log.batches == [1, 9]
    assert [receipt.offset for receipt in receipts] == list(range(10))


async def test_a_batch_is_never_larger_than_the_log_takes() -> None:
    log = SlowLog()
    lanes = Lanes(log)
    command = DescribeProduct(sku="tea", name="x", description="ü" * 2000)
    sending = [asyncio.create_task(send(lanes, command)) for _ in range(500)]
    log.let.set()
    await asyncio.gather(*sending)
    assert sum(log.batches) == 500
    assert max(log.batches) * 4000 < MAX_BATCH_BYTES


async def test_a_log_that_does_not_answer_leaves_the_outcome_open(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lanes_module, "PATIENCE", 0.05)
    log = SlowLog()
    lanes = Lanes(log)
    with pytest.raises(Unanswered):
        await send(lanes, WithdrawProduct(sku="tea"))
    with pytest.raises(Unanswered):
        await send(lanes, WithdrawProduct(sku="tea"))
    log.let.set()
    receipt = await send(lanes, WithdrawProduct(sku="tea"))
    assert receipt.offset == 1, "the first was written after all, the second had given up before it was sent"


async def test_an_open_outcome_is_a_503_that_says_how_to_retry_safely(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lanes_module, "PATIENCE", 0.05)
    log = SlowLog()
    async with client_of(create_app(settings(contexts="order"), log=log)) as client:
        answer = await client.post(f"/orders/{uuid4()}/cancel")
        log.let.set()
    assert (answer.status_code, answer.json()["code"]) == (503, "OutcomeUnknown")
    assert answer.headers["retry-after"] == "1"
    (written,) = (record for records in log.records.values() for record in records)
    assert written.headers["ce_id"].decode() == answer.json()["command_id"]
    key, path = key_of(answer.json()["command_id"]), answer.json()["instance"]
    assert key_of(under("", f"POST {path}", answer.json()["idempotency_key"], b"")) == key


class BrokenLog(MemoryLog):
    """A log that cannot be reached until it is mended."""

    mended = False

    async def append(self, place: Place, drafts: Sequence[Draft]) -> int:
        if not self.mended:
            raise Unavailable("127.0.0.1:9092 refused")
        return await super().append(place, drafts)

    async def bounds(self, place: Place) -> tuple[int, int]:
        if not self.mended:
            raise Unavailable("127.0.0.1:9092 refused")
        return await super().bounds(place)


async def test_a_log_that_is_away_is_a_503_that_names_no_server_and_heals_by_itself() -> None:
    log, url = BrokenLog(), f"/orders/{uuid4()}/cancel"
    async with client_of(create_app(settings(contexts="order"), log=log)) as client:
        began = time.monotonic()
        away = await client.post(url)
        reasons = (await client.get("/ready")).json()["reasons"]
        assert time.monotonic() - began < 2
        log.mended = True
        assert (await client.post(url)).status_code == 202
    assert (away.status_code, away.json()["code"]) == (503, "LogUnavailable")
    assert "9092" not in away.text
    assert "log: no answer" in reasons
