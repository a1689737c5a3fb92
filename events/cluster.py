"""Cluster is what the brokers say of themselves: topics as they are, who is in which group, how far each has read."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.coordinator.protocol import ConsumerProtocol
from aiokafka.errors import GroupCoordinatorNotAvailableError, for_code
from msgspec import Struct

from events.errors import Unavailable
from events.kafka import administrator
from events.log import Place, Position

PATIENCE, PAUSE = 15, 0.2
"""How often a group's coordinator is looked for, and the seconds between."""


class TopicAsIs(Struct, frozen=True):
    """A topic as the brokers have it; `copies` and `in_sync` are those of its worst partition."""

    name: str
    partitions: int
    copies: int
    in_sync: int
    config: Mapping[str, str]


class Member(Struct, frozen=True):
    """A process in a consumer group, and the places that it was given."""

    group: str
    client: str
    host: str
    places: tuple[Place, ...]


class Cluster:
    """Questions to the brokers, over one connection of an administrator's."""

    def __init__(self, admin: AIOKafkaAdminClient) -> None:
        self._admin = admin

    async def identity(self) -> str:
        """The id that the brokers' data were given when they were made."""
        return str((await self._admin.describe_cluster())["cluster_id"])

    async def names(self) -> set[str]:
        """The topics there are."""
        return set(await self._admin.list_topics())

    async def topics(self, names: Sequence[str]) -> dict[str, TopicAsIs]:
        """Those of these topics that there are."""
        found = {row["topic"]: row["partitions"] for row in await self._admin.describe_topics(list(names)) if
                 not row["error_code"]}  # fmt: skip
        configs = await self._configs(ConfigResourceType.TOPIC, list(found))
        return {name: _topic(name, parts, configs.get(name, {})) for name, parts in found.items() if parts}

    async def brokers(self) -> dict[str, dict[str, str]]:
        """The settings of every broker, by its number."""
        known = (await self._admin.describe_cluster())["brokers"]
        return await self._configs(ConfigResourceType.BROKER, [str(row["node_id"]) for row in known])

    async def groups(self) -> list[str]:
        """The consumer groups there are."""
        return sorted(row[0] for row in await self._admin.list_consumer_groups())

    async def members(self, groups: Sequence[str]) -> list[Member]:
        """Who is in these groups."""
        # One at a time: aiokafka 0.14 reads answers of version 3 as version 2, and stumbles at the second group.
        answers = [one for group in groups for one in await self._group(group)]
        return [
            Member(row[1], member[1], member[2].removeprefix("/"), _places(member[4]))
            for answer in answers
            for row in answer.groups
            for member in row[5]
        ]

    async def _group(self, group: str) -> list[Any]:
        """A group's description; a broker that has just started has no coordinator for a moment."""
        for _ in range(PATIENCE):
            with suppress(GroupCoordinatorNotAvailableError):
                found: list[Any] = await self._admin.describe_consumer_groups([group])
                return found
            await asyncio.sleep(PAUSE)
        raise Unavailable(f"nobody coordinates the group {group}")

    async def positions(self, group: str) -> dict[Place, Position]:
        """How far a group has come, as it has noted on the brokers."""
        found = await self._admin.list_consumer_group_offsets(group)
        return {
            Place(tp.topic, tp.partition): Position(kept.offset, kept.metadata)
            for tp, kept in found.items()
            if kept.offset >= 0
        }

    async def _configs(self, kind: ConfigResourceType, names: Sequence[str]) -> dict[str, dict[str, str]]:
        if not names:
            return {}
        answers = await self._admin.describe_configs([ConfigResource(kind, name) for name in names])
        rows: list[Any] = [row for answer in answers for row in answer.resources]
        for code, detail, *_ in rows:
            if code:
                raise Unavailable(detail or for_code(code).__name__)
        return {row[3]: {entry[0]: entry[1] or "" for entry in row[4]} for row in rows}


def _topic(name: str, partitions: Sequence[Mapping[str, Any]], config: Mapping[str, str]) -> TopicAsIs:
    copies = min(len(part["replicas"]) for part in partitions)
    return TopicAsIs(name, len(partitions), copies, min(len(part["isr"]) for part in partitions), config)


def _places(assignment: bytes) -> tuple[Place, ...]:
    if not assignment:
        return ()  # it has just come
    given = ConsumerProtocol.ASSIGNMENT.decode(assignment).assignment
    return tuple(sorted(Place(topic, partition) for topic, partitions in given for partition in partitions))


@asynccontextmanager
async def asking(bootstrap: str) -> AsyncIterator[Cluster]:
    """The cluster behind these addresses.

    Raises:
        Unavailable: there is no answer, to whatever question.
    """
    async with administrator(bootstrap) as admin:
        yield Cluster(admin)
