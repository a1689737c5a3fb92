"""System is what the handlers of one process share: the lanes, and the read models of the contexts it serves."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from functools import partial
from typing import Any, TypeVar

from starlette.requests import Request

from api.accounts import Passwords
from api.catalogue import Catalogue
from api.feed import Feed
from api.lanes import Lanes
from api.positions import Seen
from api.problems import Problem
from api.repeats import Keys
from api.seats import Seats
from api.tokens import Tokens
from api.watch import Row, Watch
from events.ids import key_of
from events.log import Log
from projections import order, product
from projections.forgetting import Forgetting
from projections.keys_apart import KeysApart
from projections.person_keys import KeyTable, PersonKeys
from projections.postgres import Database, DatabaseUnavailable
from projections.registry import CHECKPOINTS, OUTCOME, OUTCOMES, REACHED, UNDER_KEY
from schemas.settings import Settings
from schemas.values import Command

PATIENCE = 1.8
"""Seconds that a request waits for an answer of a database, connecting included."""

T = TypeVar("T")


class System:
    """One process of the API."""

    def __init__(self, settings: Settings, log: Log, databases: Mapping[str, Database], tokens: Tokens) -> None:
        apart = KeysApart(settings.keys_url, settings.account_secret)
        self.keys = PersonKeys(KeyTable(databases["user"]) if "user" in databases else apart)
        self._apart, self._forgetting = apart, Forgetting(log, self.keys)
        self._tasks: list[asyncio.Task[None]] = []
        self.settings, self.log, self.databases = settings, log, databases
        self.contexts = settings.chosen()
        self.started = time.monotonic()
        self.lanes, self.repeats = Lanes(log), Keys()
        self.passwords, self.tokens = Passwords(), tokens
        self._outcomes = {
            context: Watch(self._asker(context, OUTCOMES, "command_ids"), "command_id") for context in self.contexts
        }
        self._reached = {
            context: Watch(self._asker(context, REACHED, "wanted"), "wanted", pause=0.02) for context in self.contexts
        }
        self._settled = Watch(self._asker("order", order.SETTLED, "order_ids"), "order_id", pause=0.025)
        self.feed = Feed(partial(self.rows, "order"))
        self.seats = Seats(settings.streams, settings.streams_user)
        # Stock is another context's: where this process does not serve it, orders for unknown SKUs are rejected later.
        ask_missing = self._asker("product", product.MISSING, "skus")
        self.catalogue = Catalogue(ask_missing) if "product" in self.contexts else None

    async def open(self) -> None:
        """Begin to connect; servers that are down are no error yet."""
        for database in self.databases.values():
            await database.open()
        self._tasks = [asyncio.create_task(self._forgetting.run())]

    async def close(self) -> None:
        """Let go of everything."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.feed.close()
        await self.lanes.close()
        for watch in (*self._outcomes.values(), *self._reached.values(), self._settled):
            await watch.close()
        for database in self.databases.values():
            await database.close()
        await self._apart.aclose()
        if close := getattr(self.log, "close", None):
            await close()

    async def rows(self, context: str, query: str, parameters: Mapping[str, Any] | None = None) -> list[Row]:
        """The rows that answer a question, in time.

        Raises:
            DatabaseUnavailable: also when the server is there but does not answer.
        """
        return await in_time(self.databases[context].fetch(query, parameters), PATIENCE)

    async def row(self, context: str, query: str, **parameters: Any) -> Row | None:
        """The one row, if there is one."""
        return next(iter(await self.rows(context, query, parameters)), None)

    async def outcome(self, context: str, command_id: str, within: float = 0) -> Row | None:
        """What became of a command, as soon as the read model has it."""
        if within:
            return await self._outcomes[context].within(command_id, within)
        return await self.row(context, OUTCOME, command_id=command_id)

    async def outcomes_under_key(self, context: str, command_id: str) -> list[Row]:
        """What became of the commands that were sent under the key that this id follows from."""
        return await self.rows(context, UNDER_KEY, {"key": key_of(command_id)})

    async def checkpoint(self, context: str, partition: int) -> int:
        """The offset up to which the read models have taken in a partition."""
        rows = await self.rows(context, CHECKPOINTS)
        return next((row["next"] for row in rows if row["partition"] == partition), 0)

    async def seen(self, places: Sequence[Seen], within: float) -> bool:
        """Whether the read models have all of these, as soon as they do."""
        return all(await asyncio.gather(*(self._seen(place, within) for place in places)))

    async def _seen(self, place: Seen, within: float) -> bool:
        if place.command_id:
            return await self.outcome(place.context, place.command_id, within) is not None
        wanted = f"{place.partition}/{place.offset}"
        return await self._reached[place.context].within(wanted, within) is not None

    async def sealed(self, command: Command, person: str) -> Command:
        """The command with what is personal sealed for this person, in time.

        Raises:
            Erased: nothing more is recorded of them.
            DatabaseUnavailable: their key cannot be had now.
        """
        return await in_time(self.keys.sealed(command, person), PATIENCE)

    async def opened(self, raw: bytes) -> bytes:
        """The JSON document with what is sealed in it opened, in time.

        Raises:
            DatabaseUnavailable: keys cannot be had now.
        """
        return await in_time(self.keys.opened_json(raw), PATIENCE)

    async def settled(self, order_id: str, within: float) -> None:
        """Wait until the order waits for nobody but people."""
        await self._settled.within(order_id, within)

    def _asker(self, context: str, query: str, keys: str) -> Callable[[list[str]], Awaitable[list[Row]]]:
        return lambda wanted: self.rows(context, query, {keys: wanted})


def of(request: Request) -> System:
    """The system that serves this request."""
    system: System = request.app.state.system
    return system


def served(request: Request, context: str) -> str:
    """The context, if this process serves it."""
    if context not in of(request).contexts:
        raise Problem("NotFound", f"This process serves {', '.join(of(request).contexts)}.")
    return context


async def in_time(question: Coroutine[Any, Any, T], seconds: float) -> T:
    """The answer, or DatabaseUnavailable. A question without an answer is left alone, for to cancel it waits too."""
    task = asyncio.create_task(question)
    try:
        await asyncio.wait({task}, timeout=seconds)
    finally:
        if not task.done():
            _abandoned.add(task)
            task.add_done_callback(_forget)
    if not task.done():
        raise DatabaseUnavailable("no answer in time")
    return task.result()


_abandoned: set[asyncio.Task[Any]] = set()


def _forget(task: asyncio.Task[Any]) -> None:
    _abandoned.discard(task)
    if not task.cancelled():
        task.exception()  # looked at, so that nobody complains
