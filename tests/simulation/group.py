"""Group is one context's coordinator: it hands out partitions, and waits for nobody to let go of his.

That is harsher than Kafka's, which asks everyone whom it can reach to let go first: here an old owner and a new one
overlap at every change, for as long as the old one does not hear of it.
"""

import asyncio
from typing import Protocol

from events.topics import PARTITIONS
from tests.simulation.chance import Chance
from workers.context import Assign

SESSION = 2.0
"""Seconds after which a member that is not heard of loses its partitions."""


class Process(Protocol):
    """A member's process."""

    name: str
    cut: bool
    dead: bool
    paused: bool

    async def awake(self) -> None:
        """Go on when the process does; never if it is dead."""


class Member:
    """One process in the group."""

    def __init__(self, process: Process) -> None:
        self.process = process
        self.partitions: frozenset[int] = frozenset()
        self.news = asyncio.Event()

    @property
    def silent(self) -> bool:
        """Whether the coordinator does not hear of it."""
        return self.process.cut or self.process.dead or self.process.paused


class Group:
    """Who has which partitions."""

    def __init__(self, context: str, chance: Chance) -> None:
        self._context, self._chance = context, chance
        self._members: list[Member] = []

    async def join(self, process: Process, assign: Assign) -> None:
        """Take part, and pass on which partitions are this process's, until cancelled."""
        member = Member(process)
        try:
            while True:
                await asyncio.sleep(self._chance.delay())
                await process.awake()
                if not process.cut and member not in self._members:
                    self._members.append(member)
                    self.share_out()
                await self._heard(member)
                await assign(frozenset())
                await assign(member.partitions)
        finally:
            if not process.dead:
                self._remove(member)

    async def _heard(self, member: Member) -> None:
        """Wait until there is news for this member, and it learns of it."""
        if member.process.cut:
            await asyncio.sleep(0.5)
            return
        await member.news.wait()
        member.news.clear()
        await asyncio.sleep(self._chance.between(0, 2.5) if self._chance.maybe(0.4) else self._chance.delay())
        await member.process.awake()

    def watch(self, process: Process) -> None:
        """This process is not heard of from now on; in a while the others know."""
        asyncio.get_running_loop().call_later(SESSION, self._expire, process)

    def _expire(self, process: Process) -> None:
        for member in [each for each in self._members if each.process is process and each.silent]:
            self._remove(member)

    def _remove(self, member: Member) -> None:
        if member in self._members:
            self._members.remove(member)
            member.partitions = frozenset()
            member.news.set()
            self.share_out()

    def share_out(self) -> None:
        """Everyone gets a new share, however little has changed."""
        if not self._members:
            return
        shares: list[set[int]] = [set() for _ in self._members]
        first = self._chance.random.randrange(len(shares))
        for p in range(PARTITIONS):
            shares[(first + p) % len(shares)].add(p)
        for member, share in zip(self._members, shares, strict=True):
            member.partitions = frozenset(share)
            member.news.set()
        if self._chance.say:
            told = ", ".join(f"{each.process.name} {sorted(each.partitions)}" for each in self._members)
            self._chance.say(f"{self._context}: {told}")
