"""Writers is a process of some contexts' writers and reactions alone: no read models, no statistics, no Faust."""

import asyncio
import sys

import uvloop

from events import topics
from events.hub import Hub
from events.kafka import KafkaLog, Membership
from projections.postgres import Database
from projections.registry import install
from projections.snapshots import Snapshots
from schemas.settings import Settings
from workers.compose import mailer_of, parts_of, provider_of
from workers.context import Assign, Context, Parts
from workers.loop import collect_seldom


async def work(names: list[str]) -> None:
    """Run until killed."""
    settings = Settings()
    log = Hub(KafkaLog(settings.kafka))
    parts = parts_of(settings, provider_of(settings), mailer_of(settings))

    async def context(part: Parts) -> None:
        name = part.decider.context
        database = Database(settings.postgres, name)
        await install(database, name)

        async def join(assigned: Assign) -> None:
            await Membership(settings.kafka, name, topics.commands(name), 6000, assigned).run()

        await Context(log, part, join, None, Snapshots(database)).run()

    await asyncio.gather(*(context(parts[name]) for name in names))


if __name__ == "__main__":
    collect_seldom()
    uvloop.run(work(sys.argv[1].split(",")))
