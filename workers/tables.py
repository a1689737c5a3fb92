"""Tables are an agent's state as Faust keeps it: in memory, with every change in a changelog topic."""

import logging
from collections.abc import Iterable, Iterator
from functools import cached_property
from typing import Any
from uuid import uuid4

import faust

from events.log import Place
from events.topics import PARTITIONS, Topic
from workers.agents import Claims
from workers.statistics import MINUTE

quiet = logging.getLogger("faust.app")
"""For Faust's own words where it would use ours; workers/app.py turns it down."""


class Table(faust.Table):  # type: ignore[misc]
    """A table that leaves expiry to the agent.

    Faust's own goes by the wall clock, so it would close windows under a replay that still counts in them; and even
    without an expiry it remembers every change of a window for ever.
    """

    logger = quiet

    def _should_expire_keys(self) -> bool:
        return False

    def partition_for_key(self, key: Any) -> int:
        """That of the source that the key names: Faust's own is that of the record in hand, and a flush has none."""
        source = key[0] if isinstance(key, tuple) else key
        return int(source.rpartition("/")[2])


class Tables:
    """An agent's state as Faust tables: every change goes to a changelog topic, and comes back where Faust resumes."""

    def __init__(self, app: faust.App) -> None:
        self._app = app
        self.changelogs: list[Changelog] = []

    @cached_property
    def claims(self) -> Claims:
        """The table of claims."""
        table: Claims = self._table("claims")
        return table

    @cached_property
    def windows(self) -> "Minutes":
        """The table of minutes."""
        return Minutes(self._table("minutes").tumbling(MINUTE))

    def _table(self, name: str) -> Any:
        table = self._app.Table(name, partitions=PARTITIONS)
        self.changelogs.append(Changelog(table.changelog_topic_name, -1))
        return table

    def missing(self, places: Iterable[Place], assigned: Iterable[Place]) -> set[Place]:
        """The changelog partitions that these places need and that are not assigned here."""
        needed = {Place(log.name, place.partition) for log in self.changelogs for place in places}
        return needed - set(assigned)


class Changelog(Topic, frozen=True):
    """The topic behind a table.

    Faust would create it, but a group that is formed before its brokers know of it gets no changelog, and then
    neither restores a table nor lets it be changed.
    """

    def config(self) -> dict[str, str]:
        """As Topic.config; only the last change of a key matters."""
        return {"cleanup.policy": "compact"}


class Minutes:
    """A tumbling table, asked by source and start of window; the time is the event's, never the clock's.

    A changelog keeps what came last, and that may be from a worker that was paused, replaced, and woke up. So each life
    writes under a name of its own, and the window that has counted furthest is the one that is read, as with rows.
    """

    def __init__(self, table: Any) -> None:
        self._table, self._life = table, uuid4().hex[:8]

    def put(self, source: str, start: float, window: dict[str, Any]) -> None:
        """Keep the window as it is now."""
        self._table[f"{self._life}@{source}"][self._range(start)] = window

    def drop(self, source: str, start: float) -> None:
        """Close the window, whoever has written of it."""
        for key, found, begun, _ in list(self._all()):
            if (found, begun) == (source, start):
                del self._table[key][self._range(start)]

    def items(self) -> Iterator[tuple[str, float, dict[str, Any]]]:
        """All open windows: source, start, window."""
        furthest: dict[tuple[str, float], dict[str, Any]] = {}
        for _, source, start, window in self._all():
            known = furthest.setdefault((source, start), window)
            if window["upto"] > known["upto"]:
                furthest[source, start] = window
        for (source, start), window in furthest.items():
            yield source, start, window

    def _all(self) -> Iterator[tuple[str, str, float, dict[str, Any]]]:
        """Key, source, start and window of all that anybody has written. Before lives had names, a key was a source."""
        for (key, (start, _)), window in list(self._table.table.items()):
            yield key, key.rpartition("@")[2], start, window

    def _range(self, start: float) -> tuple[float, float]:
        return self._table.table.window.current(start)  # type: ignore[no-any-return]
