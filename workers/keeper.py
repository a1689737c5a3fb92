"""Keeper looks after the read models of a process: it says which are not kept by this code, and has them brought up.

What has to be read again is read by a process of its own, `orders projections …`: decoding history must not hold up a
decision. Where several workers look after the same context, one of these gets the right to build, and the others leave.
"""

import asyncio
import logging
import os
import sys
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import Iterator, Mapping, Sequence

from msgspec import Struct

from projections.postgres import Database, DatabaseUnavailable
from projections.registry import models
from projections.versions import Version, Versions
from projections.view import Model
from schemas.settings import Settings

logger = logging.getLogger(__name__)

EVERY_SECONDS = 10.0
"""Between two looks."""
UNAVAILABLE = 4
"""The exit code of a command whose servers give no answer."""
SOON_SECONDS = 0.5
"""To the next look where something was mended: what was rebuilt has to join the others, too."""


class Notice(Struct, frozen=True):
    """What is so, and the words of the command that mends it; `asked` if that needs the flag.

    `version`: the one that a worker with its code may take up again. Whoever keeps it up to date meanwhile is told so.
    """

    said: str
    words: tuple[str, ...]
    asked: bool
    version: Version | None = None


class Keeper:
    """A service of a worker process; `databases` are those of its contexts."""

    name = "read models"

    def __init__(self, settings: Settings, databases: Mapping[str, Database]) -> None:
        self._settings, self._databases = settings, databases
        self._said: set[str] = set()

    async def run(self) -> None:
        """Look, and mend, until cancelled."""
        while True:
            mended = False
            for context, database in self._databases.items():
                try:
                    mended |= await self._look(context, database)
                except DatabaseUnavailable as fault:
                    logger.warning("read models of %s cannot be looked at: %s", context, fault)
            await asyncio.sleep(SOON_SECONDS if mended else EVERY_SECONDS)

    async def _look(self, context: str, database: Database) -> bool:
        """Say what is so, mend it, and give back whether anything was mended."""
        known, mended = models(context), False
        versions = Versions(database, known)
        for notice in notices(known, await versions.all()):
            new = notice.said not in self._said
            if new:
                logger.warning("%s", notice.said)
                self._said.add(notice.said)
            if notice.version is not None:
                await versions.state(notice.version, "joining")
            # What is refused once would be refused again, and what has stopped has to be looked at: it is tried once.
            if not notice.asked or (self._settings.rebuild and new):
                mended |= await self._mend(notice)
        return mended

    async def _mend(self, notice: Notice) -> bool:
        env = {
            **os.environ,
            "ORDERLOG_KAFKA": self._settings.kafka,
            "ORDERLOG_POSTGRES": self._settings.postgres,
            "ORDERLOG_WHO": f"worker-{os.getpid()}",
        }
        command = (sys.executable, "-m", "workers", "projections", *notice.words, "--yes", "--json")
        process = await asyncio.create_subprocess_exec(*command, stdout=DEVNULL, stderr=PIPE, env=env)
        try:
            _, errors = await process.communicate()
        finally:
            if process.returncode is None:
                process.terminate()
                await process.wait()
        said = errors.decode(errors="replace").strip().splitlines()[-1:] or [""]
        logger.info("orders projections %s: exit code %d %s", " ".join(notice.words), process.returncode, said[0])
        if process.returncode == UNAVAILABLE:
            self._said.discard(notice.said)  # to be tried again
        return process.returncode == 0


def notices(known: Sequence[Model], versions: Sequence[Version]) -> Iterator[Notice]:
    """What is to be said of the read models that this code has, given their versions."""
    live = {version.name: version for version in versions if version.live}
    codes = {(model.name, model.version) for model in known}
    newest: dict[str, Model] = {}
    for model in sorted(known, key=lambda one: one.version):
        newest[model.name] = model
    for name, model in newest.items():
        full, table = f"{model.context}.{name}", live.get(name)
        if table is None:
            yield _new(full, f"{full} has no live version yet", model)
        elif table.code != model.version:
            yield _new(full, f"{full} is version {model.version} in this code, and {table.table} is made by "
                             f"version {table.code}", model)  # fmt: skip
        if (
            table is not None
            and not table.joined
            and table.state in ("ready", "joining")
            and (name, table.code) in codes
        ):
            why = ("--why", "the worker that has its code has started")
            yield Notice(f"{table.table} is brought up to date", ("resume", full, *why), False, table)


def _new(full: str, said: str, model: Model) -> Notice:
    why = ("--accept-differences", "--leave", "--why", f"by itself: the code has version {model.version}")
    words = ("rebuild", full, *why)
    return Notice(f"{said}: `orders projections rebuild {full}`", words, asked=True)
