"""Renamed is a log on whose broker every topic has another name, so that what is done to it is done to nobody else."""

from collections.abc import Mapping, Sequence

from events.log import Draft, Log, Place, Position, Reader, Record


class Renamed:
    """A log before another; `word` goes before the name of every topic and group."""

    def __init__(self, log: Log, word: str) -> None:
        self._log, self._word = log, word

    def there(self, place: Place) -> Place:
        """What a place is called on the broker."""
        return Place(f"{self._word}-{place.topic}", place.partition)

    def here(self, place: Place) -> Place:
        """The same the other way round."""
        return Place(place.topic.removeprefix(f"{self._word}-"), place.partition)

    async def append(self, place: Place, drafts: Sequence[Draft]) -> int:
        """As Log.append."""
        return await self._log.append(self.there(place), drafts)

    async def bounds(self, place: Place) -> tuple[int, int]:
        """As Log.bounds."""
        return await self._log.bounds(self.there(place))

    async def reader(self, positions: Mapping[Place, int]) -> Reader:
        """As Log.reader."""
        return RenamedReader(await self._log.reader({self.there(p): at for p, at in positions.items()}), self)

    async def committed(self, group: str) -> dict[Place, Position]:
        """As Log.committed."""
        found = await self._log.committed(f"{self._word}-{group}")
        return {self.here(place): position for place, position in found.items()}

    async def commit(self, group: str, positions: Mapping[Place, Position]) -> None:
        """As Log.commit."""
        await self._log.commit(f"{self._word}-{group}", {self.there(p): at for p, at in positions.items()})


class RenamedReader:
    """A reader of it."""

    def __init__(self, reader: Reader, log: Renamed) -> None:
        self._reader, self._log = reader, log

    async def batch(self, max_records: int = 500, timeout: float = 1.0) -> dict[Place, list[Record]]:
        """As Reader.batch."""
        found = await self._reader.batch(max_records, timeout)
        return {self._log.here(place): records for place, records in found.items()}

    def seek(self, place: Place, offset: int) -> None:
        """As Reader.seek."""
        self._reader.seek(self._log.there(place), offset)

    async def position(self, place: Place) -> int:
        """As Reader.position."""
        return await self._reader.position(self._log.there(place))

    async def close(self) -> None:
        """As Reader.close."""
        await self._reader.close()
