"""The Faust app and worker own the process: its signals, its services and their supervision, its agents.

Every set of agents is an app of its own with a consumer group of its own (`orderlog-<agent>`), so it does not matter
which process runs it beside what. Such an app is itself a supervised service: if it crashes, or stands still, it is
built anew, and the services beside it do not notice. Why Faust carries these streams and no others, and with which
settings: docs/decisions/0002-what-faust-carries.md.
"""

import asyncio
import logging
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager
from functools import cached_property
from typing import Any, Protocol
from uuid import uuid4

import faust
from faust.app.base import BootStrategy
from faust.transport.drivers import aiokafka as driver
from faust.types.enums import ProcessingGuarantee
from mode import Service as ModeService

from events.errors import Unavailable
from events.kafka import create_topics, this_process
from events.log import Place, Record
from events.topics import PARTITIONS, Topic
from schemas.settings import Settings
from workers.agents import Agent, Claims, Held, Stalled, Watchdog
from workers.statistics import MINUTE

logger = logging.getLogger(__name__)
quiet = logging.getLogger("faust.app")
"""For Faust's own words where it would use ours; `quieten` turns it down."""

GRACE_SECONDS = 4.0
"""How long services have to end after they were asked to."""
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 10.0
PATIENCE_SECONDS = 30.0
"""How long a stream may stand still while its head moves."""
COMMIT_SECONDS = 1.0
FETCH_BYTES, FETCH_WAIT_MS = 1 << 20, 250
"""A fetch is answered when so much has come, or so much time has passed."""


class Service(Protocol):
    """Something that runs until it is cancelled."""

    name: str

    async def run(self) -> None: ...


class Crashed(Exception):
    """A stream's app has crashed; the cause says why."""


def run(
    settings: Settings,
    services: Sequence[Service] = (),
    agents: Sequence[Agent] = (),
    resources: AbstractAsyncContextManager[Any] | None = None,
) -> int:
    """Run services and agents until SIGTERM or SIGINT, and return the exit code.

    `resources` is entered before the first service starts, and left after the last has ended.
    """
    quieten()
    loop = new_loop()
    asyncio.set_event_loop(loop)
    streams = [Stream(settings, agent) for agent in agents]
    process = Process(settings, [*services, *streams], resources)
    worker = Worker(process, loop=loop, quiet=True, override_logging=False, redirect_stdouts=False)
    try:
        worker.execute_from_commandline()
    except SystemExit as end:
        return int(end.code or 0)
    return 0


def quieten() -> None:
    """Faust and its parts say only what is wrong; what matters in a normal life is said here, in one line each."""
    for name in ("faust", "mode"):
        logging.getLogger(name).setLevel(logging.WARNING)


def new_loop() -> asyncio.AbstractEventLoop:
    """uvloop's, where there is one."""
    try:
        import uvloop
    except ImportError:
        return asyncio.new_event_loop()
    return uvloop.new_event_loop()


class ConsumerThread(driver.AIOKafkaConsumerThread):  # type: ignore[misc]
    """Faust's consumer, which is content with a few fetches a second: it carries nothing that is in a hurry."""

    def _create_worker_consumer(self, transport: Any) -> Any:
        consumer = super()._create_worker_consumer(transport)
        consumer._fetch_min_bytes, consumer._fetch_max_wait_ms = FETCH_BYTES, FETCH_WAIT_MS
        return consumer


class Consumer(driver.Consumer):  # type: ignore[misc]
    """The consumer with our thread."""

    def _new_consumer_thread(self) -> ConsumerThread:
        return ConsumerThread(self, loop=self.loop, beacon=self.beacon)


class Transport(driver.Transport):  # type: ignore[misc]
    """The transport with our consumer."""

    Consumer = Consumer


class App(faust.App):  # type: ignore[misc]
    """A Faust app with our settings and no one else's."""

    logger = quiet

    def _new_transport(self) -> Transport:
        return Transport(self.conf.broker_consumer, self)

    def __init__(self, settings: Settings, name: str) -> None:
        wanted = options(settings, name)
        super().__init__(f"orderlog-{name}", **wanted)
        self.finalize()
        if differing := [key for key in wanted if key in CHECKED and getattr(self.conf, key) != wanted[key]]:
            raise RuntimeError(f"Faust does not take our settings: {', '.join(differing)}")


def options(settings: Settings, name: str) -> dict[str, Any]:
    """Faust's settings, of which the defaults lose data, wait for minutes or open ports."""
    home = (settings.home / "faust" / name).absolute()
    home.mkdir(parents=True, exist_ok=True)
    session = settings.session_timeout_ms / 1000
    return {
        "broker": [f"kafka://{address.strip()}" for address in settings.kafka.split(",")],
        "env": {},  # Faust prefers any variable named like a setting, such as PRODUCER_ACKS, to our arguments
        "datadir": home,
        "broker_client_id": this_process(),
        "autodiscover": False,
        "web_enabled": False,
        "worker_redirect_stdouts": False,
        "key_serializer": "raw",
        "value_serializer": "raw",
        "store": "memory://",
        "Table": Table,
        "processing_guarantee": ProcessingGuarantee.AT_LEAST_ONCE,  # its exactly_once is not: see the decision record
        "topic_partitions": PARTITIONS,
        "topic_replication_factor": settings.replication,
        "topic_disable_leader": True,
        "table_standby_replicas": 1,  # 0 would change the assignor, and tables would lose their partitions
        "stream_wait_empty": False,  # a record that waits for the world must not hold up a rebalance
        "consumer_auto_offset_reset": "earliest",
        "consumer_metadata_max_age_ms": 30_000,
        "broker_session_timeout": session,
        "broker_heartbeat_interval": session / 6,
        "broker_rebalance_timeout": 10.0,
        "broker_request_timeout": max(session, 10.0),
        "broker_commit_interval": COMMIT_SECONDS,
        "broker_max_poll_records": 500,
        "producer_acks": -1,
        "producer_request_timeout": 10.0,
        "stream_buffer_maxsize": 1024,
    }


CHECKED = frozenset(
    {
        "processing_guarantee",
        "web_enabled",
        "topic_disable_leader",
        "table_standby_replicas",
        "stream_wait_empty",
        "consumer_auto_offset_reset",
        "broker_session_timeout",
        "broker_commit_interval",
        "producer_acks",
        "producer_request_timeout",
    }
)


class NoKafka(BootStrategy):  # type: ignore[misc]
    """The process itself reads no stream: it starts, and stops, without a broker."""

    enable_kafka = False


class Process(App):
    """The app that the worker runs: every service of the process hangs under it."""

    BootStrategy = NoKafka
    producer_only = True

    def __init__(
        self, settings: Settings, services: Sequence[Service], resources: AbstractAsyncContextManager[Any] | None
    ) -> None:
        super().__init__(settings, "process")
        self._resources = resources
        self._hosted = [Hosted(service) for service in services]
        for hosted in self._hosted:
            self.add_dependency(hosted)

    async def on_start(self) -> None:
        """Resources come before services."""
        await super().on_start()
        if self._resources is not None:
            await self.add_async_context(self._resources)

    async def on_started(self) -> None:
        """Say what runs."""
        await super().on_started()
        names = ", ".join(hosted.service.name for hosted in self._hosted)
        logger.info("started: %s", names or "nothing")

    async def on_stop(self) -> None:
        """Ask all services at once; each is then waited for in its turn."""
        logger.info("stopping")
        for hosted in self._hosted:
            hosted.cancel()
        await super().on_stop()


class Worker(faust.Worker):  # type: ignore[misc]
    """Faust's worker, less the spinner and the second that it sleeps before it closes the loop."""

    def __init__(self, app: Process, **options: Any) -> None:
        super().__init__(app, **options)
        self.spinner = None

    async def _sentinel_task(self) -> None:
        await asyncio.sleep(0)


class Hosted(ModeService):  # type: ignore[misc]
    """A service under supervision: what crashes is logged and started again, later each time."""

    logger = quiet

    def __init__(self, service: Service) -> None:
        super().__init__()
        self.service = service
        self._task: asyncio.Task[None] | None = None
        self._ending = False

    async def on_start(self) -> None:
        """Begin; the service runs beside everything else."""
        self._task = asyncio.get_running_loop().create_task(self._supervise(), name=self.service.name)

    def cancel(self) -> None:
        """Ask the service to end; once, as a second time would cut its end short."""
        if self._task is not None and not self._ending:
            self._task.cancel()
        self._ending = True

    async def on_stop(self) -> None:
        """Wait for the end, but not for ever."""
        self.cancel()
        if self._task is None:
            return
        _, late = await asyncio.wait({self._task}, timeout=GRACE_SECONDS)
        if late:
            logger.error("%s did not end within %.0f s", self.service.name, GRACE_SECONDS)

    async def _supervise(self) -> None:
        pause = FIRST_PAUSE
        while True:
            began = self.loop.time()
            try:
                await self.service.run()
            except Exception as error:
                if self._ending:
                    logger.exception("%s crashed at its end", self.service.name)
                    return
                if self.loop.time() - began > 6 * LONGEST_PAUSE:
                    pause = FIRST_PAUSE
                down = isinstance(error, Unavailable)  # one line says all; anything else is worth a traceback
                logger.error("%s: %r; again in %.1f s", self.service.name, error, pause, exc_info=not down)
            else:
                logger.info("%s has ended", self.service.name)
                return
            await asyncio.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE)


class Stream:
    """An agent as a service: a Faust app of its own, built anew for every life."""

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

    def _build(self) -> tuple[App, "Tables"]:
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
            await asyncio.wait_for(app.stop(), GRACE_SECONDS - 1)
        except Exception as error:
            logger.warning("%s: app did not stop: %r", self.name, error)


class Table(faust.Table):  # type: ignore[misc]
    """A table that leaves expiry to the agent.

    Faust's own goes by the wall clock, so it would close windows under a replay that still counts in them; and even
    without an expiry it remembers every change of a window for ever.
    """

    logger = quiet

    def _should_expire_keys(self) -> bool:
        return False

    def partition_for_key(self, key: Any) -> int:
        """That of the source that the key names: Faust's own is that of the record in hand, and a flush has none."""
        source = key[0] if isinstance(key, tuple) else key
        return int(source.rpartition("/")[2])


class Tables:
    """An agent's state as Faust tables: every change goes to a changelog topic, and comes back where Faust resumes."""

    def __init__(self, app: App) -> None:
        self._app = app
        self.changelogs: list[Changelog] = []

    @cached_property
    def claims(self) -> Claims:
        """The table of claims."""
        table: Claims = self._table("claims")
        return table

    @cached_property
    def windows(self) -> "Minutes":
        """The table of minutes."""
        return Minutes(self._table("minutes").tumbling(MINUTE))

    def _table(self, name: str) -> Any:
        table = self._app.Table(name, partitions=PARTITIONS)
        self.changelogs.append(Changelog(table.changelog_topic_name, -1))
        return table

    def missing(self, places: Iterable[Place], assigned: Iterable[Place]) -> set[Place]:
        """The changelog partitions that these places need and that are not assigned here."""
        needed = {Place(log.name, place.partition) for log in self.changelogs for place in places}
        return needed - set(assigned)


class Changelog(Topic, frozen=True):
    """The topic behind a table.

    Faust would create it, but a group that is formed before its brokers know of it gets no changelog, and then
    neither restores a table nor lets it be changed.
    """

    def config(self) -> dict[str, str]:
        """As Topic.config; only the last change of a key matters."""
        return {"cleanup.policy": "compact"}


class Minutes:
    """A tumbling table, asked by source and start of window; the time is the event's, never the clock's.

    A changelog keeps what came last, and that may be from a worker that was paused, replaced, and woke up. So each life
    writes under a name of its own, and the window that has counted furthest is the one that is read, as with rows.
    """

    def __init__(self, table: Any) -> None:
        self._table, self._life = table, uuid4().hex[:8]

    def put(self, source: str, start: float, window: dict[str, Any]) -> None:
        """Keep the window as it is now."""
        self._table[f"{self._life}@{source}"][self._range(start)] = window

    def drop(self, source: str, start: float) -> None:
        """Close the window, whoever has written of it."""
        for key, found, begun, _ in list(self._all()):
            if (found, begun) == (source, start):
                del self._table[key][self._range(start)]

    def items(self) -> Iterator[tuple[str, float, dict[str, Any]]]:
        """All open windows: source, start, window."""
        furthest: dict[tuple[str, float], dict[str, Any]] = {}
        for _, source, start, window in self._all():
            known = furthest.setdefault((source, start), window)
            if window["upto"] > known["upto"]:
                furthest[source, start] = window
        for (source, start), window in furthest.items():
            yield source, start, window

    def _all(self) -> Iterator[tuple[str, str, float, dict[str, Any]]]:
        """Key, source, start and window of all that anybody has written. Before lives had names, a key was a source."""
        for (key, (start, _)), window in list(self._table.table.items()):
            yield key, key.rpartition("@")[2], start, window

    def _range(self, start: float) -> tuple[float, float]:
        return self._table.table.window.current(start)  # type: ignore[no-any-return]
