"""Ground is what commands stand on: where the servers are, and connections to them that answer soon or say so."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import typer

from events.kafka import KafkaLog
from projections.postgres import Database
from schemas.settings import CONTEXTS, Settings
from workers.local import addresses
from workers.operator.terms import unknown


@dataclass(frozen=True)
class Ground:
    """The log, and a database per context."""

    settings: Settings
    log: KafkaLog
    databases: dict[str, Database]


def find_settings() -> Settings:
    """The environment's; where it names no server, those that a local run on the home folder has started."""
    said = Settings()
    if said.model_fields_set & {"kafka", "postgres"} or not (found := addresses(said.home)):
        return said
    typer.secho(f"orders: ORDERLOG_KAFKA says nothing: looking at the local run in {said.home}", err=True, dim=True)
    return said.model_copy(update=found)


@asynccontextmanager
async def standing(settings: Settings | None = None) -> AsyncIterator[Ground]:
    """The ground, until the command has ended."""
    settings = settings or find_settings()
    log = KafkaLog(settings.kafka)
    databases = {context: Database(settings.postgres, context, size=2) for context in CONTEXTS}
    try:
        for database in databases.values():
            await database.open()
        yield Ground(settings, log, databases)
    finally:
        for database in databases.values():
            await database.close()
        await log.close()


def known_context(name: str) -> str:
    """The context of this name.

    Raises:
        Refused: there is none.
    """
    if name not in CONTEXTS:
        raise unknown("context", name, CONTEXTS)
    return name
