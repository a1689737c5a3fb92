"""Joint is several agents on one stream: each record is fetched, judged and decoded once for all of them.

Half of what an event costs under Faust is its way to the agent, so agents that always run beside each other share it.
"""

from collections.abc import Sequence

from events.envelope import Envelope
from events.event import Event
from events.log import Place
from workers.agents import Agent, Tables


class Joint(Agent):
    """Agents that read together; a record that one of them cannot handle is parked, and acked, for all."""

    def __init__(self, name: str, parts: Sequence[Agent], pace_seconds: float = 0.5) -> None:
        first = parts[0]
        topics = sorted({topic for part in parts for topic in part.topics})
        super().__init__(first.log, topics, first.park, first.transient)
        self.name, self.pace, self._parts = name, pace_seconds, parts

    def open(self, tables: Tables) -> None:
        """As Agent.open."""
        super().open(tables)
        for part in self._parts:
            part.open(tables)

    def resume(self, places: frozenset[Place]) -> None:
        """As Agent.resume."""
        super().resume(places)
        for part in self._parts:
            part.resume(frozenset(place for place in places if place.topic in part.topics))

    async def handle(self, place: Place, offset: int, envelope: Envelope, event: Event) -> None:
        """Each in turn, if it listens to the topic."""
        for part in self._parts:
            if place.topic in part.topics:
                await part.handle(place, offset, envelope, event)

    async def flush(self) -> None:
        """Each in turn: a record is acked when all of them have written out what it leads to."""
        for part in self._parts:
            await part.flush()
