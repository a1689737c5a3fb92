"""Ground is what commands stand on: where the servers are, and connections to them that answer soon or say so."""

import asyncio
import logging
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

import typer

from events.cluster import Cluster, asking
from events.kafka import KafkaLog
from events.topics import TOPICS
from projections.postgres import Database
from schemas.settings import CONTEXTS, Settings
from workers.local import addresses
from workers.operator.terms import Refused, unknown

CLOSING_SECONDS = 3.0


@dataclass(frozen=True)
class Ground:
    """The log, the brokers' own account of it, and a database per context."""

    settings: Settings
    log: KafkaLog
    cluster: Cluster
    databases: dict[str, Database]


def find_settings() -> Settings:
    """The environment's; where it names no server, those that a local run on the home folder has started.

    It is said which, on stderr: an operator must know whom they are talking to.
    """
    try:
        said = Settings()
        said.chosen()
        said.pausing()
    except ValueError as senseless:
        raise Refused(f"the settings make no sense: {senseless}") from None
    if said.model_fields_set & {"kafka", "postgres"}:
        return said
    found = addresses(said.home)
    where = (
        f"looking at the local run in {said.home}" if found else f"and nothing runs in {said.home}: trying {said.kafka}"
    )
    typer.secho(f"orders: the environment names no server, {where}", err=True, dim=True)
    return said.model_copy(update=found)


@asynccontextmanager
async def standing(whole: bool = True, settings: Settings | None = None) -> AsyncIterator[Ground]:
    """The ground, until the command has ended; it is `whole` if all topics are there.

    Raises:
        Unavailable: Kafka gives no answer. Databases are asked only when they are used.
        Refused: topics are missing.
    """
    quieten()
    settings = settings or find_settings()
    async with asking(settings.kafka) as cluster, kept(settings) as (log, databases):
        if whole and (missing := [topic.name for topic in TOPICS if topic.name not in await cluster.names()]):
            raise Refused(f"there is no topic {', '.join(missing)}: `orders topics create` makes what is missing")
        yield Ground(settings, log, cluster, databases)


@asynccontextmanager
async def kept(
    settings: Settings, contexts: Iterable[str] = CONTEXTS
) -> AsyncIterator[tuple[KafkaLog, dict[str, Database]]]:
    """A log and databases, closed at the end."""
    log = KafkaLog(settings.kafka)
    databases = {context: Database(settings.postgres, context, size=2) for context in contexts}
    try:
        for database in databases.values():
            await database.open()
        yield log, databases
    finally:
        for database in databases.values():
            await database.close()
        with suppress(TimeoutError):  # what waits in a producer for a broker that has gone is not waited for
            async with asyncio.timeout(CLOSING_SECONDS):
                await log.close()


def quieten() -> None:
    """What goes wrong is said in one line, by `run`; the libraries say it again in many."""
    for name in ("aiokafka", "events.kafka", "aiokafka.consumer.group_coordinator"):
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)


def known_context(name: str) -> str:
    """The context of this name.

    Raises:
        Refused: there is none.
    """
    if name not in CONTEXTS:
        raise unknown("context", name, CONTEXTS)
    return name


def chosen(name: str | None) -> tuple[str, ...]:
    """The one context that was named, or all.

    Raises:
        Refused: there is none of that name.
    """
    return (known_context(name),) if name else CONTEXTS
