"""Stream is an agent as a service: it reads on where its group has come to, and acks what the agent has settled."""

import asyncio
import logging
from typing import Any

from events.errors import Unavailable
from events.kafka import create_topics
from events.log import Place, Record
from schemas.settings import Settings
from workers.agents import Agent, Held, Stalled, Watchdog
from workers.faust_app import App
from workers.tables import Tables

logger = logging.getLogger(__name__)

PATIENCE_SECONDS = 30.0
"""How long a stream may stand still while its head moves."""
STOP_SECONDS = 3.0
"""How long its app has to stop."""


class Crashed(Exception):
    """A stream's app has crashed; the cause says why."""


class Stream:
    """An agent, with a Faust app of its own, built anew for every life."""

    def __init__(self, settings: Settings, agent: Agent, patience_seconds: float = PATIENCE_SECONDS) -> None:
        self.name = f"stream {agent.name}"
        self._settings, self._agent = settings, agent
        self._patience = patience_seconds

    async def run(self) -> None:
        """Read the agent's topics until cancelled.

        Raises:
            Crashed, Stalled: start again.
        """
        app, tables = self._build()
        await create_topics(self._settings.kafka, tables.changelogs, self._settings.replication)
        beside = [asyncio.create_task(work) for work in (self._serve(app), self._agent.background(), self._watch(app))]
        try:
            done, _ = await asyncio.wait(beside, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
            raise Crashed(f"{self.name} has ended") from app.crash_reason
        finally:
            self._agent.running = False
            for task in beside:
                task.cancel()
            await asyncio.wait(beside)
            await self._stop(app)

    def _build(self) -> tuple[App, Tables]:
        app = App(self._settings, self._agent.name)
        tables = Tables(app)
        self._agent.open(tables)

        async def resume(*_: Any, **__: Any) -> None:
            # While tables are restored, Faust takes records of paused partitions too, and drops them; it then seeks
            # back, but what was let through before the seek makes it take all up to there for read, and the queues
            # are emptied after it. So nothing may flow until Faust, having sought, resumes the flow itself.
            app.consumer.stop_flow()
            places = {Place(tp.topic, tp.partition) for tp in app.consumer.assignment()}
            ours = frozenset(place for place in places if place.topic in self._agent.topics)
            if missing := tables.missing(ours, places):
                raise Crashed(f"{self.name}: its state is not assigned with it: {missing}")
            self._agent.resume(ours)
            self._agent.running = True
            logger.info("%s: reads %s", self.name, ", ".join(f"{p.topic}/{p.partition}" for p in sorted(ours)))

        async def revoke(*_: Any, **__: Any) -> None:
            self._agent.running = False
            await app.consumer.commit()

        app.on_rebalance_complete.connect(resume, weak=False)
        app.on_partitions_revoked.connect(revoke, weak=False)
        topic = app.topic(*self._agent.topics, key_serializer="raw", value_serializer="raw")
        app.agent(topic, name=self._agent.name, concurrency=1)(self._follow)
        return app, tables

    async def _follow(self, stream: Any) -> None:
        # Faust acks a record as soon as its handler is left, by an exception or at shutdown too. So acks are ours: what
        # has not been settled is never acked, and as nothing is read past it, never committed either.
        app = stream.app
        async for event in stream.noack().events():
            message = event.message
            place = Place(message.topic, message.partition)
            headers = dict(message.headers or ())
            record = Record(message.offset, message.key or b"", message.value or b"", headers, 0)

            def ours(generation: int = message.generation_id) -> bool:
                return bool(app.flow_control.is_active()) and generation == app.consumer_generation_id

            if await self._agent.settle(place, record, ours):
                self._agent.hold(Held(place, record.offset, ours, event.ack))

    async def _serve(self, app: App) -> None:
        await app.start()
        await app.wait_until_stopped()

    async def _watch(self, app: App) -> None:
        watchdog = Watchdog(self._patience)
        loop = asyncio.get_running_loop()
        settled = loop.time()
        while True:
            await asyncio.sleep(self._patience / 6)
            if self._agent.running:
                settled = loop.time()
                try:
                    watchdog.look(await self._lags(app), loop.time())
                    self._agent.reachable = True
                except Unavailable:
                    self._agent.reachable = False  # nobody can tell whether the head moves
            elif loop.time() - settled > 2 * self._patience:
                raise Stalled(f"{self.name} has no partitions for {2 * self._patience:.0f} s")

    async def _lags(self, app: App) -> dict[Place, tuple[int, int]]:
        log, positions = self._agent.log, self._agent.positions
        places = {Place(tp.topic, tp.partition) for tp in app.consumer.assignment() if tp.topic in self._agent.topics}
        # Where nothing has been settled yet, the group's own position is where the stream began.
        resumed = await log.committed(app.conf.id) if places - positions.keys() else {}
        lags = {}
        for place in places:
            first, head = await log.bounds(place)
            begun = resumed[place].offset if place in resumed else first
            lags[place] = positions.get(place, begun), head
        return lags

    async def _stop(self, app: App) -> None:
        try:
            await asyncio.wait_for(app.stop(), STOP_SECONDS)
        except Exception as error:
            logger.warning("%s: app did not stop: %r", self.name, error)
