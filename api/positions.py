"""Positions are how far a client has seen the log: opaque words in answers, for which later questions can wait.

One holds places: an offset in a partition of a context's events, or a command that was accepted there and whose outcome
is to be seen first. Places of several may stand side by side.
"""

import re
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from api.problems import Problem, field_error, invalid
from events.topics import PARTITIONS
from schemas import words
from schemas.settings import CONTEXTS

HEADER = "Log-Position"
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
