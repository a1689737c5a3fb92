"""The load plays the script in an open loop: orders come at their time, however the system fares."""

import asyncio
import time
from collections.abc import Coroutine
from typing import Any

from tests.faults.load_client import Client
from tests.faults.load_script import Ask, Life, Script
from tests.faults.load_watch import Watch

AT_ONCE = 16
"""Listings under way at the same time."""
PATIENCE = 40.0
"""Seconds that a customer waits for an order to come far enough for the next step."""
CARD_PATIENCE = 15.0
"""Seconds that one waits in between to be asked for another card."""


class Load:
    """One run's customers; `placed` counts the orders asked for so far."""

    def __init__(self, script: Script, client: Client, watch: Watch, rate: float) -> None:
        self._script, self._client, self._watch, self._rate = script, client, watch, rate
        self._tasks: set[asyncio.Task[Any]] = set()
        self._enough = asyncio.Event()
        self._bug: BaseException | None = None
        self.placed = 0
        self.late = 0.0
        """Seconds by which the latest order was sent late: how much the loop was held up."""

    async def list_products(self) -> int:
        """Fill the catalogue, and return how many products it has."""
        waiting = iter(products := self._script.products())

        async def work() -> None:
            for ask in waiting:
                await self._client.insist(ask)

        await asyncio.gather(*(work() for _ in range(AT_ONCE)))
        return len(products)

    def enough(self) -> None:
        """No more orders than the least, from now on."""
        self._enough.set()

    async def run(self, least: int, seconds: float) -> None:
        """Place at least so many orders, and go on until told that it is enough, or the time is over.

        Returns when the last customer has done the last step. What goes wrong in the load itself is raised then.
        """
        began = time.monotonic()
        for life in self._script.lives():
            due = began + life.number / self._rate
            if (life.number >= least and self._enough.is_set()) or due - began > seconds:
                break
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            self.late = max(self.late, time.monotonic() - due)
            self._begin(self._live(life))
            if refill := self._script.refill(life.number):
                self._begin(self._client.insist(refill))
            self.placed += 1
        while self._tasks:
            await asyncio.wait(self._tasks)
        if self._bug is not None:
            raise self._bug

    def _begin(self, work: Coroutine[Any, Any, Any]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        self._bug = self._bug or task.exception()  # one of ours must not pass in silence

    async def _live(self, life: Life) -> None:
        """Send an order, and do with it what its customer does."""
        first = life.later[:1]
        match life.fate:
            case "cancel first":
                await asyncio.gather(self._send(first[0]), self._after(0.005, self._send(life.place)))
            case "cancel at once" | "ship at once":
                await asyncio.gather(self._send(life.place), self._send(first[0]))
            case "amend":
                later = [self._after(0.02 * n, self._send(ask)) for n, ask in enumerate(life.later, 1)]
                await asyncio.gather(self._send(life.place), *later)
            case "cancel in payment" | "cancel a line":
                await self._step(life, "secured", 0.0)
            case "other cards":
                await self._step(life, "card awaited", life.pause)
            case "cancel paid" | "cancel a paid line" | "refund a part" | "refund twice" | "refund all":
                await self._step(life, "captured", life.pause)
            case _:
                await self._step(life, "confirmed", life.pause)

    async def _step(self, life: Life, stage: str, pause: float) -> None:
        await self._send(life.place)
        if not life.later or not await self._watch.until(life.order_id, stage, PATIENCE):
            return
        asked = "card awaited"
        for ask in life.later:
            if ask.kind == "attempt":
                if not await self._watch.until(life.order_id, asked, CARD_PATIENCE):
                    return
                asked = "card awaited again"
            await asyncio.sleep(pause)
            await self._send(ask)

    async def _send(self, ask: Ask) -> None:
        """A request with its repeats, which another hand sends."""
        for delay in ask.repeats:
            self._begin(self._after(delay, self._client.insist(ask)))
        await self._client.insist(ask)

    async def _after(self, seconds: float, work: Coroutine[Any, Any, Any]) -> None:
        await asyncio.sleep(seconds)
        await work
