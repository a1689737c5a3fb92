"""Hands are processes beside this one, each of which brings some partitions of a version forward: one core each.

They only do sooner what the one who has them would do itself. Where they end, be it by an error, it goes on, and meets
by itself what has stopped them.
"""

import logging
import os
import sys
from collections.abc import Mapping

from msgspec import Struct, json

from events.errors import LogError
from events.kafka import KafkaLog
from projections.postgres import Database, DatabaseUnavailable
from projections.registry import models
from projections.store import Moved
from projections.versions import Version, Versions
from schemas.settings import Settings
from workers.lent import asked, lent
from workers.loop import collect_seldom, run
from workers.rebuild import Pace, Progress, Rebuild, Stopped, Tell
from workers.together import together

logger = logging.getLogger(__name__)

MOST = 4
"""Hands at the same time; the database needs a core too."""


class Task(Struct, frozen=True):
    """What one hand is to do: which version of a context's read model, and to which offset of each partition.

    `database` is where it lies, if that is not the context's own.
    """

    kafka: str
    postgres: str
    context: str
    name: str
    number: int
    goals: dict[int, int]
    database: str = ""


class Hands:
    """As many as there are cores."""

    def __init__(self, settings: Settings, context: str, database: str = "") -> None:
        self._settings, self._context, self._database = settings, context, database
        self._count = min(os.cpu_count() or 1, MOST)

    async def __call__(self, version: Version, behind: Mapping[int, int], goals: Mapping[int, int], tell: Tell) -> None:
        """Have a version brought to these offsets, as far as nothing comes between; `behind` is how far each is off."""
        by_size = sorted(goals, key=lambda partition: -behind[partition])
        shares = [by_size[first :: self._count] for first in range(min(self._count, len(by_size)))]
        where = self._settings.kafka, self._settings.postgres, self._context, version.name, version.number
        await together(*(_lend(Task(*where, {p: goals[p] for p in share}, self._database), tell) for share in shares))


async def _lend(task: Task, tell: Tell) -> None:
    async with lent("workers.hands") as hand:
        assert hand.stdin  # noqa: S101  asked for
        assert hand.stdout  # noqa: S101
        hand.stdin.write(json.encode(task) + b"\n")
        async for line in hand.stdout:
            tell(json.decode(line, type=Progress))
        if code := await hand.wait():
            logger.warning("a process that helped to fill %s ended with %d; this one goes on alone", task.name, code)


def main() -> None:
    """Do what the first line asks for."""
    collect_seldom()
    run(_work(json.decode(asked().get(), type=Task)))


async def _work(task: Task) -> None:
    log, database = KafkaLog(task.kafka), Database(task.postgres, task.database or task.context, wait=10)
    await database.open()
    try:
        versions = Versions(database, models(task.context))
        [version] = [v for v in await versions.all() if (v.name, v.number) == (task.name, task.number)]
        rebuild = Rebuild(log, versions, version, Pace(None), _told)
        await rebuild.open()
        await rebuild.advance(task.goals)
    except (Stopped, Moved, LogError, DatabaseUnavailable):
        return  # whoever has this hand meets the same
    finally:
        await database.close()
        await log.close()


def _told(progress: Progress) -> None:
    sys.stdout.buffer.write(json.encode(progress) + b"\n")
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
