"""Positions are how far a client has seen the log: opaque words in answers, for which later questions can wait.

One holds places: an offset in a partition of a context's events, or a command that was accepted there and whose outcome
is to be seen first. Places of several may stand side by side.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from starlette.requests import Request

from api.asking import wait_of
from api.problems import Problem, field_error, invalid
from api.system import System, of
from events.log import Place
from events.topics import PARTITIONS, events
from schemas import words
from schemas.settings import CONTEXTS

HEADER = "Log-Position"
PATIENCE = 2.0
"""Seconds that a question waits for a read model if the client does not say (`Prefer: wait=N`)."""

LONGEST = 4000
_MANY = 64
_PLACE = re.compile(r"([a-z]+)/(\d{1,3})/(?:(\d{1,18})|([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}))", re.ASCII)


class Seen(NamedTuple):
    """A place: in a partition of a context, the event at an offset, or else the outcome of a command."""

    context: str
    partition: int
    offset: int = -1
    command_id: str = ""


def write(places: Iterable[Seen]) -> str:
    """The places as an opaque word."""
    said = ",".join(f"{p.context}/{p.partition}/{p.command_id or p.offset}" for p in places)
    return words.written(said.encode())


def at(context: str, row: Mapping[str, int]) -> dict[str, str]:
    """The header that says where the last event of a row lies."""
    return {HEADER: write([Seen(context, row["partition"], row["position"])])}


def read(said: str, name: str) -> list[Seen]:
    """The places that words name, comma separated; `name` is what they were given as.

    Raises:
        Problem: 422, naming it.
    """
    try:
        if len(said) > LONGEST:
            raise ValueError
        places = [_place(each) for word in words.listed(said) for each in words.read(word).decode("ascii").split(",")]
    except ValueError:
        raise _refused(name) from None
    if len(places) > _MANY:
        raise _refused(name)
    return places


def _place(said: str) -> Seen:
    found = _PLACE.fullmatch(said)
    if found is None or found[1] not in CONTEXTS or int(found[2]) >= PARTITIONS:
        raise ValueError
    return Seen(found[1], int(found[2]), int(found[3] or -1), found[4] or "")


def _refused(name: str) -> Problem:
    return invalid([field_error([name], "is not a Log-Position that an answer has given", "log_position")])


async def read_your_writes(request: Request) -> None:
    """Wait until the read models have what the client has seen, before anything is answered or sent.

    Raises:
        Problem: 503, if that takes too long; it says how far behind they are.
    """
    if places := said_in(request):
        await reached(of(request), places, wait_of(request) or PATIENCE)


def said_in(request: Request) -> list[Seen]:
    """The places that a question is to have seen, by header and by parameter."""
    named = ",".join(request.headers.getlist(HEADER))
    return [*read(named, HEADER), *read(request.query_params.get("after", ""), "after")]


async def reached(system: System, places: Sequence[Seen], within: float) -> None:
    """As read_your_writes. What this process has no read model of, none of its answers depends on."""
    ours = [place for place in places if place.context in system.contexts]
    if ours and not await system.seen(ours, within):
        behind = [{"context": c, "partition": p, "records": n} for (c, p), n in (await _behind(system, ours)).items()]
        far = ", ".join(f"{each['records']} in {each['context']}/{each['partition']}" for each in behind)
        raise Problem("BehindPosition", f"Records that it has not taken in: {far}.", behind=behind)


async def _behind(system: System, places: Sequence[Seen]) -> dict[tuple[str, int], int]:
    """How many records of each partition are not in the read models: up to the place, or for a command, of all."""
    found: dict[tuple[str, int], int] = {}
    for place in places:
        at, end = await system.checkpoint(place.context, place.partition), place.offset + 1
        if place.command_id:
            _, end = await system.log.bounds(Place(events(place.context), place.partition))
        where = (place.context, place.partition)
        found[where] = max(found.get(where, 0), end - at, 0)
    return found
