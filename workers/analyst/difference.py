"""Difference is what two runs over one history have not in common: counts, rows, money, and the first that differ."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from workers.analyst.rerun import Rerun

Row = dict[str, Any]
Happened = list[tuple[str, datetime, int]]

NO_SUM = {"version", "partition", "position", "price"}
"""Numbers of a row that it makes no sense to add up."""


def types(base: Rerun, other: Rerun) -> list[Row]:
    """How many events of each type, in both."""
    return [_both({"type": tag}, base.types[tag], other.types[tag]) for tag in sorted(base.types | other.types)]


def rows(base: Rerun, other: Rerun) -> list[Row]:
    """How many rows each read model has, and what their numbers come to, by status and currency where it has them."""
    found = []
    for name in sorted(base.rows.keys() | other.rows.keys()):
        ours, theirs = _sums(base.rows.get(name, {})), _sums(other.rows.get(name, {}))
        for key in sorted(ours.keys() | theirs.keys()):
            head = {"read_model": name, "of": "/".join(part for part in key[:2] if part), "what": key[2]}
            found.append(_both(head, ours.get(key, 0), theirs.get(key, 0)))
    return found


def _sums(views: Mapping[str, Any]) -> Counter[tuple[str, str, str]]:
    sums: Counter[tuple[str, str, str]] = Counter()
    for view in views.values():
        group = str(getattr(view, "status", "")), str(getattr(view, "currency", ""))
        sums[*group, "rows"] += 1
        for field in view.__struct_fields__:
            value = getattr(view, field)
            if type(value) is int and field not in NO_SUM:
                sums[*group, field] += value
    return sums


def _both(head: Row, ours: int, theirs: int) -> Row:
    return {**head, "as_it_is": ours, "what_if": theirs, "difference": theirs - ours}


def differing(base: Mapping[str, Happened], other: Mapping[str, Happened]) -> list[str]:
    """The streams that something else happened to, those that part first before."""
    found = [(_parts(base.get(s, []), other.get(s, [])), s) for s in base.keys() | other.keys()]
    return [stream for at, stream in sorted((at, stream) for at, stream in found if at is not None)]


def _parts(ours: Happened, theirs: Happened) -> datetime | None:
    """When two histories of a stream part, if they do; that something happened a moment later is no difference."""
    n = _first_apart(ours, theirs)
    there = [side[n][1] for side in (ours, theirs) if n < len(side)]
    return min(there) if there else None


def _first_apart(ours: Happened, theirs: Happened) -> int:
    """The first place at which two histories are not the same; behind the end of both, if they are."""
    pairs = enumerate(zip(ours, theirs, strict=False))
    return next((n for n, (mine, other) in pairs if not _same(mine, other)), min(len(ours), len(theirs)))


def side_by_side(stream: str, ours: Happened, theirs: Happened) -> list[Row]:
    """What happened to a stream, one line an event."""
    lines = []
    for n in range(max(len(ours), len(theirs))):
        mine, other = (side[n] if n < len(side) else None for side in (ours, theirs))
        lines.append({"stream": stream, "as_it_is": _said(mine), "what_if": _said(other), "same": _same(mine, other)})
    return lines


def _said(one: tuple[str, datetime, int] | None) -> str:
    return f"{one[1]:%Y-%m-%d %H:%M:%S} {one[0]}" if one else ""


def _same(one: tuple[str, datetime, int] | None, other: tuple[str, datetime, int] | None) -> bool:
    return bool(one and other and (one[0], one[2]) == (other[0], other[2]))


def why(recorded: Mapping[str, Happened], base: Mapping[str, Happened], streams: Sequence[str]) -> list[Row]:
    """How often the rule as it is says something else than what was recorded, by what that is."""
    found: dict[tuple[str, str], list[str]] = defaultdict(list)
    for stream in streams:
        ours, theirs = recorded.get(stream, []), base.get(stream, [])
        n = _first_apart(ours, theirs)
        words = tuple(side[n][0] if n < len(side) else "nothing" for side in (ours, theirs))
        found[words].append(stream)  # type: ignore[index]
    return [
        {"recorded": was, "decided": now, "aggregates": len(there), "such_as": there[0]}
        for (was, now), there in sorted(found.items(), key=lambda each: -len(each[1]))
    ]
