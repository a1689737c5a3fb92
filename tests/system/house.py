"""House is a whole running system with its own servers, and what a test asks of it from outside."""

import asyncio
import json
import time
from collections import Counter, defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

from rich.console import Console

from api.keys import Keyring
from api.tokens import Tokens
from events import topics
from events.envelope import Envelope
from events.event import Event
from events.fence import Fence, Verdict
from events.kafka import KafkaLog
from events.log import Place, scan
from events.registry import event_codec
from workers.baskets import YEAR
from workers.run import Plan, Run
from workers.shop import Shop
from workers.steps import settle


class House:
    """A run with its shop."""

    def __init__(self, run: Run, shop: Shop) -> None:
        self.run, self.shop = run, shop

    async def settled(self, seconds: float = 60) -> bool:
        """Whether everything settles in time."""
        return await settle(self.shop, seconds)

    async def events(self, context: str) -> list[tuple[Envelope, Event]]:
        """Every effective event of a context, partition by partition."""
        log = KafkaLog(self.run.address.kafka)
        found = []
        try:
            for partition in range(topics.PARTITIONS):
                place, fence = Place(topics.events(context), partition), Fence()
                async for records in scan(log, place, 0, (await log.bounds(place))[1]):
                    for record in records:
                        if fence.judge(record.offset, record.headers) is Verdict.EFFECTIVE:
                            envelope = Envelope.read(record.headers)
                            found.append((envelope, event_codec.decode(envelope.type, record.value)))
        finally:
            await log.close()
        return found

    def ledger(self) -> list[dict[str, Any]]:
        """What the payment provider has written."""
        lines = (self.run.plan.home / "ledger.jsonl").read_text().splitlines()
        return [json.loads(line) for line in lines]

    def log_of(self, name: str) -> str:
        """What a process has said."""
        return self.run.child(name).log.read_text()


def shop_of(run: Run, url: str = "") -> Shop:
    """A client of a run's gateway, or of the one at `url`, that works here."""
    tokens = Tokens(Keyring(run.plan.home / "keys"))
    return Shop(url or run.address.api, tokens.issue("staff", ("staff", "operator"), timedelta(hours=8)))


@asynccontextmanager
async def house(home: Path, **plan: Any) -> AsyncIterator[House]:
    """Start everything, and wait until it is ready."""
    with Run(Plan(home, YEAR, **plan), Console(quiet=True)) as run:
        shop = shop_of(run)
        try:
            await shop.until_ready(90)
            yield House(run, shop)
        finally:
            await shop.close()


async def wait_until(question: Any, seconds: float, what: str) -> None:
    """Ask until the answer is yes.

    Raises:
        AssertionError: it never was.
    """
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if await question():
            return
        await asyncio.sleep(0.05)
    raise AssertionError(f"not within {seconds:.0f} s: {what}")


async def check(house: House, expected: dict[str, str] | None = None) -> None:
    """Hold what the log, the provider and the read models say against each other."""
    await wait_until(lambda: _nothing_behind(house), 60, "every read model is up to date")
    orders = await house.events("order")
    ends = defaultdict(list)
    for envelope, event in orders:
        if envelope.type in ("order.confirmed.v1", "order.rejected.v1", "order.cancelled.v1"):
            ends[event.stream].append(envelope.type)
    placed = [event.stream for envelope, event in orders if envelope.type == "order.placed.v1"]
    assert len(placed) == len(set(placed)), "an order was placed twice"
    assert set(ends) == set(placed), "an order has no end"
    for stream, types in ends.items():
        assert types in (
            ["order.confirmed.v1"],
            ["order.rejected.v1"],
            ["order.cancelled.v1"],
            ["order.confirmed.v1", "order.cancelled.v1"],
        ), f"{stream} ended as {types}"
    if expected is not None:
        assert {stream: types[-1] for stream, types in ends.items()} == expected
    for context in ("order", "product", "payment", "notification"):
        _gapless(context, await house.events(context))
    await _stock(house)
    await _money(house, ends)


async def _nothing_behind(house: House) -> bool:
    items = (await house.shop.get("/projections"))["items"]
    return not any(item["behind"] for item in items if item["live"])


def _gapless(context: str, events: list[tuple[Envelope, Event]]) -> None:
    versions: Counter[str] = Counter()
    for envelope, _ in events:
        if envelope.version:
            versions[envelope.subject] += 1
            assert envelope.version == versions[envelope.subject], f"{context}: {envelope.subject} skips a version"


async def _stock(house: House) -> None:
    on_hand: Counter[str] = Counter()
    held: Counter[str] = Counter()
    for envelope, event in await house.events("product"):
        sku, quantity = getattr(event, "sku", ""), getattr(event, "quantity", 0)
        match envelope.type:
            case "stock.received.v1":
                on_hand[sku] += quantity
            case "stock.reserved.v1":
                held[sku] += quantity
                assert held[sku] <= on_hand[sku], f"{sku} is oversold"
            case "stock.released.v1":
                held[sku] -= quantity
            case "stock.shipped.v1":
                held[sku] -= quantity
                on_hand[sku] -= quantity
    async for row in house.shop.pages("/products"):
        assert (row["on_hand"], row["held"]) == (on_hand[row["sku"]], held[row["sku"]]), f"{row['sku']} differs"


async def _money(house: House, ends: dict[str, list[str]]) -> None:
    kept: Counter[str] = Counter()
    captures: Counter[str] = Counter()
    for entry in house.ledger():
        if entry.get("reason"):
            continue
        order = f"order-{entry['reference']}"
        if entry["operation"] == "capture":
            kept[order] += entry["amount"]
            captures[order] += 1
        if entry["operation"] == "refund":
            kept[order] -= entry["amount"]
    assert not [order for order, count in captures.items() if count > 1], "captured twice"
    async for row in house.shop.pages("/orders"):
        order = f"order-{row['order_id']}"
        owed = row["total"] if ends[order][-1] == "order.confirmed.v1" else 0
        assert kept[order] == owed, f"{order}: {kept[order]} kept, {owed} owed"
