"""Standing is how far each version of a context's read models has come, in figures."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from msgspec import Struct

from projections.versions import Version
from projections.view import Model


class Standing(Struct, frozen=True):
    """One version. wanted: the code's version here, 0 where this code has no such read model. positions: the next
    offset, by partition. behind: records up to the head. rate: records a second, and seconds_left, while it is built.
    """

    context: str
    name: str
    version: int
    code: int
    wanted: int
    live: bool
    state: str
    behind: int
    rate: float | None
    seconds_left: float | None
    parked: int
    said: str
    positions: dict[int, int]


def standings(
    context: str,
    known: Sequence[Model],
    versions: Iterable[Version],
    marks: Mapping[int, int],
    apart: Sequence[Mapping[str, Any]],
    heads: Mapping[int, int],
) -> list[Standing]:
    """Every version; `marks` is the context's checkpoint, `apart` are rows of the question POSITIONS."""
    found = []
    for version in versions:
        own = [row for row in apart if (row["name"], row["number"]) == (version.name, version.number)]
        at = dict(marks) if version.joined else {row["partition"]: row["next"] for row in own}
        built = not version.joined and version.state == "building"
        left = sum(max(0, row["goal"] - row["next"]) for row in own)
        rate = sum(row["rate"] for row in own if row["goal"] > row["next"])
        found.append(
            Standing(
                context=context,
                name=version.name,
                version=version.number,
                code=version.code,
                wanted=max((model.version for model in known if model.name == version.name), default=0),
                live=version.live,
                state="up to date" if version.joined else version.state,
                behind=sum(max(0, head - at.get(partition, 0)) for partition, head in heads.items()),
                rate=round(rate, 1) if built else None,
                seconds_left=round(left / rate, 1) if built and rate else None,
                parked=version.parked,
                said=version.said,
                positions=at,
            )
        )
    return found
