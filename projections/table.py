"""Table is one version of a read model: what a batch of records makes of its rows, and the SQL that writes them."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

from msgspec import Struct, structs

from events.event import Event
from projections.postgres import Connection
from projections.recorded import Item
from projections.view import Journal, Model, Projection

REMEMBERED = 20_000
"""Views of a table that are remembered."""

AT_ONCE = 500
"""Records that are decoded together; of more, what was decoded first is out of the processor's caches again."""

Batch = Iterable[tuple[int, Item]]
"""Records with the partition of each."""
Touch = tuple[str, int, Item, Event]
"""The key that an event is for, its partition, and its record."""


class Fault(Exception):
    """A projection cannot take an event in: its code raises."""

    def __init__(self, table: str, key: str, partition: int, item: Item, error: Exception) -> None:
        self.key, self.partition, self.position = key, partition, item.offset
        self.reason = f"{item.type} at {partition}:{self.position}, key {key}: {error!r}"
        super().__init__(f"{table} cannot take in {self.reason}")


class Change(Struct, frozen=True):
    """A row as it is now; `fresh` if the table cannot have one with its key."""

    row: dict[str, Any]
    fresh: bool


class Table:
    """What every version of a read model has: its name, and how its rows are written."""

    def __init__(self, model: Model, name: str) -> None:
        self.model, self.name = model, name
        columns = ", ".join(model.columns)
        others = [column for column in model.columns if column not in model.keys]
        self.columns = tuple(model.columns)
        self._into = (
            f"INSERT INTO {name} ({columns}) SELECT {columns} FROM json_populate_recordset(NULL::{name}, %s::json)"  # noqa: S608
        )
        self._again = f"DO UPDATE SET {', '.join(f'{column} = excluded.{column}' for column in others)}"
        self.upsert = f"{self._into} ON CONFLICT ({', '.join(model.keys)}) {self._on_conflict()}"

    def _on_conflict(self) -> str:
        return self._again

    def forget(self) -> None:
        """Remember nothing of what was written."""

    async def changed(self, connection: Connection, batch: Batch) -> Sequence[Change]:
        """The rows as they are after these records.

        Raises:
            Fault: the projection's code raises.
        """
        raise NotImplementedError


class Rows(Table):
    """A row per record."""

    model: Journal

    def _on_conflict(self) -> str:
        return "DO NOTHING"

    async def changed(self, _: Connection, batch: Batch) -> Sequence[Change]:
        """As Table.changed."""
        apart = self.model.keys == ("partition", "position")
        return [Change(row, apart) for partition, item in batch for row in self.model.rows_of(partition, item)]


class Keyed(Table):
    """A row per key, with those remembered that were written last: to change one again, it need not be asked for.

    `parked` are keys that an event could not be taken into: what comes later for them is counted in `waiting`, and
    left out. Without a place to park, the first fault is raised.
    """

    model: Projection

    def __init__(self, model: Projection, name: str, parked: Iterable[str] | None = None) -> None:
        super().__init__(model, name)
        self.known: dict[str, Any] = {}
        self.parked = None if parked is None else set(parked)
        self.faults: list[Fault] = []
        self.waiting: dict[str, int] = {}
        self._select = f"SELECT {', '.join(model.fields)} FROM {name} WHERE {model.key} = ANY(%s)"  # noqa: S608

    def forget(self) -> None:
        """As Table.forget."""
        self.known.clear()

    async def changed(self, connection: Connection, batch: Batch) -> Sequence[Change]:
        """As Table.changed."""
        self.faults, self.waiting = [], {}
        views: dict[str, Any] = {}
        places: dict[str, dict[str, int]] = {}
        first: dict[str, int] = {}
        parts = iter(batch)
        while part := list(islice(parts, AT_ONCE)):
            touched = list(self._touched(part))
            begun = {key: item.version for key, _, item, _ in reversed(touched) if key not in first}
            views |= await self._views(connection, begun)
            first |= begun
            self._take_in(touched, views, places)
        self._remember(views)
        return [Change(structs.asdict(views[key]) | place, first[key] == 1) for key, place in places.items()]

    def _take_in(self, touched: Sequence[Touch], views: dict[str, Any], places: dict[str, dict[str, int]]) -> None:
        for key, partition, item, event in touched:
            if self.parked is not None and key in self.parked:
                self.waiting[key] = self.waiting.get(key, 0) + 1
                continue
            try:
                view = self.model.project(views.get(key), event, item.at)
            except Exception as error:
                self._fault(Fault(self.name, key, partition, item, error))
                continue
            if view is not None:
                views[key] = view
                places[key] = {"version": item.version, "partition": partition, "position": item.offset}

    def _touched(self, batch: Batch) -> Iterator[Touch]:
        key_of: Callable[[Event], str | None] = self.model.key_of
        for partition, item in batch:
            event = item.event
            if event is not None and item.version and (key := key_of(event)):
                yield key, partition, item, event

    def _fault(self, fault: Fault) -> None:
        if self.parked is None:
            raise fault
        self.parked.add(fault.key)
        self.faults.append(fault)

    async def _views(self, connection: Connection, first: Mapping[str, int]) -> dict[str, Any]:
        """The views before the events, of which `first` has the first version of each: before version 1 is none."""
        views = {key: self.known[key] for key in first if key in self.known}
        if asked := [key for key, version in first.items() if version > 1 and key not in views]:
            found = await connection.execute(self._select, [asked])
            for row in await found.fetchall():
                views[row[self.model.key]] = self.model.view(**row)
        return {key: view for key, view in views.items() if first[key] > 1}

    def _remember(self, views: Mapping[str, Any]) -> None:
        """Keep what was used last at the end, and no more than REMEMBERED of it."""
        for key, view in views.items():
            self.known.pop(key, None)
            self.known[key] = view
        for key in list(islice(self.known, max(0, len(self.known) - REMEMBERED))):
            del self.known[key]


def table_of(model: Model, name: str, parked: Iterable[str] | None = None) -> Table:
    """The table for a version of a read model."""
    return Rows(model, name) if isinstance(model, Journal) else Keyed(model, name, parked)
