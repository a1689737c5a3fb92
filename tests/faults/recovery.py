"""Recovery is how long after each fault work went on, by the kind of what was hurt, and what was wanted of it."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from msgspec import Struct

MEANING = {
    "worker": "worker: started again, or woken up → all its partitions claimed, and a new order confirmed",
    "api": "API: started again → a new request accepted",
    "postgres": "Postgres: start begun → a new order confirmed, and in the read model",
    "kafka": "broker: start begun → a new order confirmed",
    "lag": "all faults healed and the last request answered → nothing under way, no view behind",
}


class Row(Struct, frozen=True):
    """One line of the table; all times in seconds. `over` counts what took longer than `limit`, `never` what did not
    come back while it was waited for."""

    kind: str
    alone: bool
    count: int
    p50: float
    p95: float
    worst: float
    limit: float
    over: int
    never: int


def rows(lines: Iterable[Mapping[str, Any]]) -> list[Row]:
    """The table, for lines of recovery.jsonl: what happened alone first, then what had other faults beside it."""
    found: defaultdict[tuple[bool, str], list[float | None]] = defaultdict(list)
    limits: dict[str, float] = {}
    for line in lines:
        found[bool(line["beside"]), line["kind"]].append(line["seconds"])
        limits[line["kind"]] = line["limit"]
    keys = sorted(found, key=lambda key: (key[0], list(MEANING).index(key[1])))
    return [_row(kind, not crowded, found[crowded, kind], limits[kind]) for crowded, kind in keys]


def _row(kind: str, alone: bool, seconds: Sequence[float | None], limit: float) -> Row:
    back = sorted(each for each in seconds if each is not None)
    p50, p95, worst = (back[min(int(len(back) * share), len(back) - 1)] if back else 0.0 for share in (0.5, 0.95, 1.0))
    over = sum(each > limit for each in back)
    return Row(kind, alone, len(seconds), p50, p95, worst, limit, over, len(seconds) - len(back))
