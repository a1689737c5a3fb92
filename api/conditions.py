"""Conditions are entity tags (RFC 9110): which version a client has seen, and what it asks only of that one.

A tag is the aggregate's version and that of the read model, which says what is made of it: "7.1". A command's condition
is about the first alone, and its writer decides upon it: a check here would be a race.
"""

import re
from collections.abc import Sequence

from starlette.requests import Request

from api.problems import Problem

_TAG = re.compile(r'(?:W/)?"(\d{1,18})(?:\.\d{1,9})?"', re.ASCII)
_MANY = 10


def etag(version: int, model: int) -> str:
    """The tag of a resource in this version, as this version of its read model shows it."""
    return f'"{version}.{model}"'


def is_known(request: Request, tag: str) -> bool:
    """Whether the client has this already, by its If-None-Match."""
    said = ",".join(request.headers.getlist("if-none-match"))
    return said.strip() == "*" or tag in (each.strip().removeprefix("W/") for each in said.split(","))


def expected(said: Sequence[str]) -> str:
    """What If-Match asks for, as an envelope has it: versions, comma separated, or *; empty if there is no header.

    Raises:
        Problem: 422, if it is no list of tags as we give them.
    """
    if not said:
        return ""
    tags = [each.strip() for each in ",".join(said).split(",")]
    if tags == ["*"]:
        return "*"
    found = [_TAG.fullmatch(tag) for tag in tags]
    if len(tags) > _MANY or None in found or any(tag.startswith("W/") for tag in tags):
        raise Problem("BadCondition")
    return ",".join(str(int(each[1])) for each in found if each)
