"""A worker process for the tests: `python -m tests.faust.process KAFKA HOME [TOPIC COMMANDS NAME]`.

It says on standard output what happens to its services.
"""

import asyncio
import logging
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from events.kafka import KafkaLog
from schemas.settings import Settings
from tests.faust.world import tell
from workers.agents import Agent, Notify, Parked
from workers.app import run


class Ticker:
    """A service that has something to put in order when it ends."""

    name = "ticker"

    async def run(self) -> None:
        print("ticker runs", flush=True)
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0.2)
            print("ticker ends in order", flush=True)


class Unlucky:
    """A service that crashes in its first life."""

    name, lives = "unlucky", 0

    async def run(self) -> None:
        self.lives += 1
        print(f"unlucky lives {self.lives}", flush=True)
        if self.lives == 1:
            raise RuntimeError("bad luck")
        await asyncio.Event().wait()


@asynccontextmanager
async def resources() -> AsyncIterator[None]:
    print("resources open", flush=True)
    yield
    print("resources closed", flush=True)


async def park(_: Parked) -> None:
    """Nothing is parked here."""


def main(kafka: str, home: str, *listen: str) -> int:
    agents: list[Agent] = []
    if listen:
        topic, target, name = listen
        agents = [Notify(KafkaLog(kafka), tell, park, [topic], target, name=name)]
    return run(Settings(kafka=kafka, home=Path(home)), [Ticker(), Unlucky()], agents, resources())


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO)
    sys.exit(main(*sys.argv[1:]))
