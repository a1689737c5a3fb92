"""Asking makes a selection of what an analyst has typed, or says what is wrong with it and what there is."""

import re
from collections.abc import Sequence

from events.moments import time_in
from events.registry import OUTCOMES
from events.selection import Selection, classes_of, has_customer, tags_of
from events.topics import PARTITIONS
from schemas.settings import CONTEXTS
from workers.operator.ground import known_context
from workers.operator.log import place_of
from workers.operator.terms import Exit, Refused, unknown

POSITIONS = re.compile(r"(\d+):(\d+)(-)?(\d+)?")


def selected(
    contexts: Sequence[str],
    types: Sequence[str],
    stream: str,
    correlation: str,
    customer: str,
    since: str,
    until: str,
    positions: str,
) -> Selection:
    """What is wanted.

    Raises:
        Refused: there is no such context, type, kind of stream or time, or they do not go together.
    """
    names = tuple(dict.fromkeys(map(known_context, contexts))) or CONTEXTS
    if stream:
        of = place_of(stream).topic.partition(".")[0]
        if contexts and of not in names:
            raise Refused(f"{stream} is of the context {of}, not of {', '.join(names)}")
        names = (of,)
    if types:
        names = _with_types(names, types)
    selection = Selection(
        contexts=names,
        types=tuple(dict.fromkeys(types)),
        stream=stream,
        correlation=correlation,
        customer=customer,
        since=_time("--from", since),
        until=_time("--to", until),
        positions=_positions(positions, names),
    )
    if since and until and time_in(since) >= time_in(until):
        raise Refused(f"--to {until} is not after --from {since}", Exit.USAGE)
    if customer and not any(has_customer(cls) for cls in classes_of(selection) if types or cls not in OUTCOMES):
        raise Refused(f"no event of {', '.join(types or names)} belongs to a customer: leave out --customer, "
                      "or ask for types such as order.placed or payment.captured", Exit.USAGE)  # fmt: skip
    return selection


def only(selection: Selection) -> dict[str, int] | None:
    """The one partition of a context that can have what is wanted."""
    if not selection.stream:
        return None
    place = place_of(selection.stream)
    return {place.topic.partition(".")[0]: place.partition}


def _with_types(names: Sequence[str], types: Sequence[str]) -> tuple[str, ...]:
    """Those contexts that have one of the types; every type must be of one."""
    there = {name: tags_of(name) for name in names}
    for wanted in types:
        if not wanted or not any(tag.startswith(wanted) for tags in there.values() for tag in tags):
            outcomes = {cls.tag for cls in OUTCOMES}
            known = [tag for tags in there.values() for tag in tags if tag not in outcomes]
            raise unknown("type", wanted, [*known, *sorted(outcomes)])
    wanted_ones = tuple(types)
    return tuple(name for name, tags in there.items() if any(tag.startswith(wanted_ones) for tag in tags))


def _time(option: str, text: str) -> str:
    """The time as it is written down, in UTC."""
    if not text:
        return ""
    try:
        return time_in(text).isoformat()
    except ValueError:
        raise Refused(f"{option} {text!r} is no time: write 2017-10-10 or 2017-10-10T12:00:00Z", Exit.USAGE) from None


def _positions(text: str, names: Sequence[str]) -> dict[int, tuple[int, int]]:
    """Of each partition, the first and the last position; 0:17 is one record, 0:17- all from there on."""
    if not text:
        return {}
    if len(names) > 1:
        raise Refused(f"--positions are of one context: name it by --context, one of {', '.join(names)}", Exit.USAGE)
    found = {}
    for one in text.split(","):
        said = POSITIONS.fullmatch(one.strip())
        if said is None or (said[4] and int(said[4]) < int(said[2])):
            raise Refused(f"{one!r} are no positions: write 0:17 for one record of partition 0, 0:17-40 for some, "
                          "0:17- for all from there on; commas separate partitions", Exit.USAGE)  # fmt: skip
        if int(said[1]) >= PARTITIONS:
            raise unknown("partition", said[1], [str(p) for p in range(PARTITIONS)])
        last = int(said[4]) if said[4] else -1 if said[3] else int(said[2])
        found[int(said[1])] = int(said[2]), last
    return found
