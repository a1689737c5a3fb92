"""Process puts one worker process together: the log, a database per context, the contexts asked for, their agents."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from functools import partial

from msgspec.structs import replace

from events import topics, tracing
from events.errors import Unavailable
from events.event import Event
from events.hub import Hub
from events.ids import derive
from events.kafka import KafkaLog, Membership, create_topics, this_process
from projections.forgetting import Forgetting
from projections.keys_apart import KeysApart
from projections.person_keys import KeyTable, PersonKeys
from projections.postgres import Database, DatabaseUnavailable
from projections.registry import PROJECTIONS, install
from projections.snapshots import Snapshots
from projections.states import tell
from projections.statistics import Figure, keep
from projections.store import Store
from schemas.settings import Settings
from schemas.values import Command
from workers import app, notification
from workers.agents import Agent, Notify, Parked, Statistics
from workers.caller import Caller
from workers.compose import mailer_of, parts_of, provider_of
from workers.contact_book import ContactBook
from workers.contacts import NOBODY
from workers.context import Assign, Context, Parts
from workers.joint import Joint
from workers.keeper import Keeper
from workers.reacting import park_of
from workers.reactor import ask
from workers.statistics import Row
from workers.together import end

logger = logging.getLogger(__name__)


class Process:
    """One worker process, as the settings ask for it."""

    def __init__(self, settings: Settings) -> None:
        self._settings, self._chosen = settings, settings.chosen()
        self._log = KafkaLog(settings.kafka)
        self._hub = Hub(self._log)
        self._databases = {name: Database(settings.postgres, name) for name in self._chosen}
        self._provider, self._mailer = provider_of(settings), mailer_of(settings)
        self._keys_apart = KeysApart(settings.keys_url, settings.account_secret)
        source = KeyTable(self._databases["user"]) if "user" in self._databases else self._keys_apart
        known = self._databases.get("notification")
        contacts = ContactBook(known, self._log) if known else NOBODY
        keys = PersonKeys(source)
        parts = parts_of(settings, self._provider, self._mailer, contacts, keys)
        self.contexts = [self._context(parts[name]) for name in self._chosen]
        # Sealed texts are opened where mails leave, and nowhere else in a worker.
        forgetting = [Forgetting(self._hub, keys)] if "notification" in self._chosen else []
        self._beside: list[app.Service] = [Keeper(settings, self._databases), *forgetting]

    def run(self) -> int:
        """Run until told to stop; the exit code."""
        return app.run(self._settings, [*self.contexts, *self._beside], self._agents(), self._resources())

    def _context(self, parts: Parts) -> Context:
        name, settings = parts.decider.context, self._settings

        async def join(assigned: Assign) -> None:
            topic = topics.commands(name)
            await Membership(settings.kafka, name, topic, settings.session_timeout_ms, assigned).run()

        database = self._databases[name]
        store = Store(database, name, PROJECTIONS[name])
        # Notifications are heard by a Faust agent (docs/decisions/0002), but for what their reactor hears beside it.
        heard = replace(parts, reactions=notification.BESIDE) if name == "notification" else parts
        return Context(self._hub, heard, join, store, Snapshots(database), settings.flush_seconds,
                       pause=settings.pausing())  # fmt: skip

    def _agents(self) -> list[Agent]:
        """Faust's streams. They cost as much per event as an order does on the money path, so they live where the
        notifications live: the context that a second process is for."""
        if "notification" not in self._chosen:
            return []
        park, transient = Park(self._log, "notification"), (DatabaseUnavailable,)
        heard = Notify(self._log, _requests, park, transient=transient)
        counted = Statistics(self._log, self._flush, park, transient=transient)
        return [Joint("streams", [heard, counted])]

    async def _tell(self) -> None:
        """Let operators see the circuit breaker, which lives here and nowhere else."""
        provider = self._provider
        if "payment" in self._databases and isinstance(provider, Caller):
            await tell(self._databases["payment"], this_process(), "breaker", lambda: provider.breaker_state)

    def _tell_of_pauses(self) -> list[Coroutine[None, None, None]]:
        """Let operators see what stands still."""
        found = [(context.name, pauses) for context in self.contexts for pauses in context.pauses if pauses.on]
        return [
            tell(self._databases[name], this_process(), f"paused {pauses.consumer}", pauses.told)
            for name, pauses in found
        ]

    async def _flush(self, rows: Sequence[Row]) -> None:
        await keep(self._databases["notification"], [figure for row in rows for figure in _figures(row)])

    @asynccontextmanager
    async def _resources(self) -> AsyncIterator[None]:
        settings = self._settings
        async with tracing.exporting(settings.otlp, settings.sampled, this_process()), self._connected():
            yield

    @asynccontextmanager
    async def _connected(self) -> AsyncIterator[None]:
        await _until_there(lambda: create_topics(self._settings.kafka, topics.TOPICS, self._settings.replication))
        for name, database in self._databases.items():
            await _until_there(partial(install, database, name))
        telling = [asyncio.create_task(doing) for doing in (self._tell(), *self._tell_of_pauses())]
        try:
            yield
        finally:
            await end(telling)
            for database in self._databases.values():
                await database.close()
            await self._provider.aclose()
            await self._mailer.aclose()
            await self._keys_apart.aclose()
            await self._log.close()


class Park:
    """Asks a context to record that a record could not be handled."""

    def __init__(self, log: KafkaLog, context: str) -> None:
        self._log, self._context = log, context

    async def __call__(self, parked: Parked) -> None:
        place, record = parked.place, parked.record
        command = park_of(self._context, place, record, f"{parked.agent}: {parked.reason}")
        # The id follows from the record, and the aggregate remembers it: parked twice is parked once.
        cause = derive(f"{place.topic}/{place.partition}/{record.offset}", parked.agent)
        await ask(self._log, self._context, command, cause, cause)


def _requests(event: Event) -> list[Command]:
    return [command for reaction in notification.REACTIONS if type(event) is reaction.event
            for command in reaction.react(event)]  # fmt: skip


def _figures(row: Row) -> list[Figure]:
    window = row.window
    counts = {name: getattr(window, name) for name in ("placed", "confirmed", "rejected", "cancelled")}
    figures = [Figure(row.minute, row.source, name, "", window.upto, n) for name, n in counts.items() if n]
    for name in ("captured", "refunded"):
        for currency, amount in getattr(window, name).items():
            figures.append(Figure(row.minute, row.source, name, currency, window.upto, amount))
    return figures


async def _until_there(prepare: Callable[[], Awaitable[object]]) -> None:
    """Wait for a server that is not up yet: a worker may well be started first."""
    while True:
        try:
            await prepare()
            return
        except (Unavailable, DatabaseUnavailable) as fault:
            logger.warning("waiting: %s", fault)
            await asyncio.sleep(1)
