"""The Faust app and worker own the process: its signals, its services and their supervision, its agents.

Every set of agents is an app of its own with a consumer group of its own (`orderlog-<agent>`), so it does not matter
which process runs it beside what. Such an app is itself a supervised service (workers/stream.py): if it crashes, or
stands still, it is built anew, and the services beside it do not notice.
"""

import asyncio
import logging
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any, Protocol

import faust
from faust.app.base import BootStrategy
from mode import Service as ModeService

from events.errors import Unavailable
from schemas.settings import Settings
from workers.agents import Agent
from workers.faust_app import App
from workers.loop import new_loop
from workers.stream import Stream
from workers.tables import quiet

logger = logging.getLogger(__name__)

GRACE_SECONDS = 4.0
"""How long services have to end after they were asked to."""
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 10.0


class Service(Protocol):
    """Something that runs until it is cancelled."""

    name: str

    async def run(self) -> None: ...


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
