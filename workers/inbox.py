"""Inbox is where commands wait for their writer, in order; it lasts as long as the writer's ownership."""

import asyncio
from collections import deque
from collections.abc import Iterable, Mapping, Sequence

from aggregates.stage import Incoming
from events.errors import Fenced

ROOM = 64
"""Batches that may wait; who brings more waits with them."""

Receipt = asyncio.Future[None]
"""Done when the outcomes of what was brought are recorded."""


class Inbox:
    """Commands for some partitions, whoever brings them: the topic, the effects, the context's own reactions."""

    def __init__(self, name: str, partitions: Iterable[int]) -> None:
        self.partitions = frozenset(partitions)
        self._name = name
        self._waiting: deque[tuple[int, Sequence[Incoming], Receipt]] = deque()
        self._under_way: list[Receipt] = []
        self._more, self._room = asyncio.Event(), asyncio.Event()
        self._closed = False

    async def put(self, partition: int, incoming: Sequence[Incoming]) -> Receipt:
        """Bring commands.

        Raises:
            Fenced: the writer begins again; bring them to its next inbox. A receipt may end so, too.
        """
        while len(self._waiting) >= ROOM and not self._closed:
            self._room.clear()
            await self._room.wait()
        self.check()
        receipt: Receipt = asyncio.get_running_loop().create_future()
        self._waiting.append((partition, incoming, receipt))
        self._more.set()
        return receipt

    async def take(self, most: int) -> Mapping[int, list[Incoming]]:
        """What waits, by partition; about `most` of any one at a time."""
        while not self._waiting:
            self._more.clear()
            await self._more.wait()
        taken: dict[int, list[Incoming]] = {}
        while self._waiting:
            partition, incoming, receipt = self._waiting.popleft()
            taken.setdefault(partition, []).extend(incoming)
            self._under_way.append(receipt)
            if len(taken[partition]) > most:
                break
        self._room.set()
        return taken

    def done(self) -> None:
        """What was taken last is recorded."""
        for receipt in self._under_way:
            if not receipt.done():  # whoever waited may have gone
                receipt.set_result(None)
        self._under_way = []

    def close(self) -> None:
        """Let nothing in any more, and tell all who wait."""
        self._closed = True
        self._room.set()
        for receipt in [*self._under_way, *(receipt for _, _, receipt in self._waiting)]:
            if not receipt.done():
                receipt.set_exception(self._ended())
                receipt.exception()  # most have nobody who asks
        self._waiting.clear()

    def check(self) -> None:
        """Nothing, while the writer takes commands from here.

        Raises:
            Fenced: it does so no more.
        """
        if self._closed:
            raise self._ended()

    def _ended(self) -> Fenced:
        return Fenced(f"{self._name} writer begins again")
