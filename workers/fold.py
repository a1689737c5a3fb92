"""Fold makes a projection's rows in memory, event by event: the plain meaning of `project`, with no database in it."""

from typing import Any

from msgspec import structs

from events import topics
from events.fence import Fence
from events.log import Log, Place, Record, scan
from projections.reading import judged
from projections.view import Projection


class Fold:
    """The rows of some keys of one partition, or of all."""

    def __init__(self, log: Log, model: Projection, partition: int, keys: set[str] | None = None) -> None:
        self._log, self._model, self._keys = log, model, keys
        self._place, self.fence = Place(topics.events(model.context), partition), Fence()
        self._views: dict[str, Any] = {}
        self._places: dict[str, dict[str, int]] = {}
        self._passed: set[bytes] = set()

    async def upto(self, end: int) -> None:
        """Fold all records before this offset that were not folded before."""
        async for records in scan(self._log, self._place, self.fence.next, end):
            for record in records:
                self._fold(record)

    def rows(self) -> dict[str, dict[str, Any]]:
        """What the table has for these keys, by key."""
        return {key: structs.asdict(self._views[key]) | place for key, place in self._places.items()}

    def _fold(self, record: Record) -> None:
        if record.key in self._passed:  # of a stream that nobody asked for; it may move the fence all the same
            self.fence.judge(record.offset, record.headers)
            return
        item = judged(self.fence, record)
        if item is None or item.event is None or item.envelope is None or not item.envelope.version:
            return
        key = self._model.key_of(item.event)
        if key is None or (self._keys is not None and key not in self._keys):
            if key is not None:
                self._passed.add(record.key)
            return
        view = self._model.project(self._views.get(key), item.event, item.envelope.at)
        if view is not None:
            self._views[key] = view
            where = {"partition": self._place.partition, "position": record.offset}
            self._places[key] = {"version": item.envelope.version, **where}
