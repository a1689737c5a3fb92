"""Forgetting drops a person's key from a process's memory as soon as the log says that it is destroyed.

It follows the user context's events from where they end: a key that was asked for later is the one that there is, and
one that was asked for before is asked for anew. Nothing follows from what it reads but that, so it keeps no position.
"""

import asyncio
import logging

from events import topics
from events.errors import LogError
from events.log import Log, Place, Reader
from events.user import KeyDestroyed
from projections.person_keys import PersonKeys

logger = logging.getLogger(__name__)

AGAIN = 1.0
"""Seconds until one that could follow no more tries again; each time that it cannot, it waits twice as long."""
LONGEST = 30.0
_TOPIC, _DESTROYED, _USER = topics.events("user"), KeyDestroyed.tag.encode(), b"user-"


class Forgetting:
    """A service of any process that opens or seals."""

    name = "destroyed keys"

    def __init__(self, log: Log, keys: PersonKeys) -> None:
        self._log, self._keys = log, keys

    async def run(self) -> None:
        """Follow, once there are keys to forget, until cancelled; while that is impossible, they are kept a moment."""
        fault, pause = "", AGAIN
        while True:
            await self._keys.wanted.wait()
            try:
                await self._follow()
            except LogError as error:
                if repr(error) != fault:
                    logger.warning("destroyed keys are not heard of: %r; keys are asked for each second", error)
                fault = repr(error)
            finally:
                pause = AGAIN if self._keys.hears(False) else min(2 * pause, LONGEST)
            await asyncio.sleep(pause)

    async def _follow(self) -> None:
        places = [Place(_TOPIC, partition) for partition in range(topics.PARTITIONS)]
        reader = await self._log.reader({place: (await self._log.bounds(place))[1] for place in places})
        try:
            self._keys.hears(True)
            while True:
                await self._hear(reader)
        finally:
            await reader.close()

    async def _hear(self, reader: Reader) -> None:
        for records in (await reader.batch()).values():
            for record in records:
                if record.headers.get("ce_type") == _DESTROYED:
                    self._keys.forget(record.key.removeprefix(_USER).decode(errors="replace"))
