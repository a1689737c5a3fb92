"""Figures per minute, held against what the log adds up to."""

from collections.abc import Iterator

from tests.faults.checker.findings import Violation
from tests.faults.checker.folds.statistics import Key, minute_of
from tests.faults.checker.reading import World
from tests.faults.checker.wire import lines

KEPT_OPEN = 3600.0
"""Seconds that a minute is kept open for late events."""


def figures(world: World) -> Iterator[Violation]:
    """Each figure is what the log adds up to at the offset that it states, and in the end none is missing.

    Where clocks were made to jump so far that an event came later than the minutes are kept open for (by design, it is
    then left out), nothing is compared.
    """
    offsets = [0.0, *(float(fault.detail.get("offset") or 0) for fault in world.evidence.faults_of("clock"))]
    if max(offsets) - min(offsets) > KEPT_OPEN - 120:
        return
    seen: dict[Key, int] = {}
    for row in lines(world.evidence.dump / "tables" / "notification" / "statistics.jsonl"):
        key = (minute_of(row["minute"]), row["source"], row["name"], row["currency"])
        seen[key] = row["value"]
        if row["value"] != (right := world.statistics.at(key, row["upto"])):
            said = (
                f"{row['name']} {row['currency']} of {row['minute']} is {row['value']}, not {right}, at {row['upto']}"
            )
            yield Violation("views.statistics", row["source"], said, place=f"{row['source']}/{row['upto']}")
    for key, (places, values) in world.statistics.all.items():
        if seen.get(key) != values[-1]:
            minute, source, name, currency = key
            said = f"{name} {currency} of minute {minute} is {seen.get(key)}, and {values[-1]} in the end"
            yield Violation("views.statistics", source, said, place=f"{source}/{places[-1]}")


CHECKS = (figures,)
