"""Bodies are read here and nowhere else: at most 1 MiB, JSON in UTF-8, exactly the fields of the command asked.

The raw bytes go to pydantic, for the commands are strict and only JSON mode knows that a list is a tuple.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError, create_model
from starlette.requests import Request

from api.problems import Problem, field_error, invalid
from schemas.mark import MARK as SEALED
from schemas.values import Command, Value

LIMIT = 1 << 20
MANY = 5000
"""Errors in one body beyond which none is named."""

MARK = SEALED.encode()

MODELS: dict[str, type[BaseModel]] = {}
"""Every body that some route takes, for the OpenAPI document."""
_TAKEN: dict[str, type[Command]] = {}

M = TypeVar("M", bound=BaseModel)


@cache
def body_of(command: type[Command], *elsewhere: str, optional: tuple[str, ...] = ()) -> type[Value]:
    """The command without the fields that come from elsewhere, such as the path."""
    fields: dict[str, Any] = {}
    for name, field in command.model_fields.items():
        if name in optional:
            fields[name] = (field.rebuild_annotation() | None, None)
        elif name not in elsewhere:
            fields[name] = (field.annotation, field)
    if _TAKEN.setdefault(command.__name__, command) is not command:
        raise TypeError(f"two commands are called {command.__name__}: their bodies would be one")
    model = create_model(command.__name__, __base__=Value, __doc__=command.__doc__, **fields)
    return MODELS.setdefault(command.__name__, model)  # type: ignore[return-value]


async def read(request: Request, model: type[M], sealed: bool = False) -> M:
    """The body as a model; no body at all is an empty object. `sealed` as in `parse`.

    Raises:
        Problem: 400, 413, 415 or 422; nothing has been done.
    """
    raw = await raw_of(request)
    if raw:
        _check_type(request)
    return parse(model, raw or b"{}", sealed)


def parse(model: type[M], raw: bytes, sealed: bool = False) -> M:
    """The model that the bytes are; with `sealed`, some of its texts may be so already.

    Raises:
        Problem: 400 if they are no JSON, 422 naming the fields that do not fit.
    """
    try:
        body: M = model.__pydantic_validator__.validate_json(raw)
    except ValidationError as error:
        raise _refused(error) from None
    # Postgres cannot hold NUL, and would say so only after the event is recorded.
    if b"\\u0000" in raw and (found := list(_where(_has_nul, body.model_dump(), ()))):
        raise invalid([field_error(where, "must not contain the NUL character", "nul") for where in found])
    # Whoever may not read a sealed text could have it opened in an answer about something of theirs.
    if not sealed and (MARK in raw or b"\\u" in raw) and (found := list(_where(_is_sealed, body.model_dump(), ()))):
        raise invalid([field_error(where, f"must not begin with {SEALED}", "sealed") for where in found])
    # The last of two values would count here, and the first perhaps with somebody who looked at it on the way.
    if errors := repeated(raw):
        raise invalid(errors)
    return body


def _refused(error: ValidationError) -> Problem:
    if (count := error.error_count()) > MANY:  # to spell them out would hold everybody up for seconds
        return invalid([field_error((), f"{count} fields do not fit; look at the schema", "too_many_errors")])
    found = error.errors(include_url=False, include_context=False, include_input=False)
    if found[0]["type"] == "json_invalid":
        return Problem("BadJson", found[0]["msg"])
    return invalid([field_error(item["loc"], item["msg"], item["type"]) for item in found])


def _has_nul(text: str) -> bool:
    return "\0" in text


def _is_sealed(text: str) -> bool:
    return text.strip().startswith(SEALED)


def _where(so: Callable[[str], bool], value: Any, where: tuple[str | int, ...]) -> Iterator[tuple[str | int, ...]]:
    """Where a body has texts that are so."""
    if isinstance(value, str) and so(value):
        yield where
    elif isinstance(value, (dict, list, tuple)):
        for name, part in value.items() if isinstance(value, dict) else enumerate(value):
            yield from _where(so, part, (*where, name))


class _Repeating(dict[str, Any]):
    """A JSON object of which some names came more than once: the last of each counts."""

    names: list[str]


def repeated(raw: bytes) -> list[dict[str, str]]:
    """What is wrong where a name comes more than once in one object of the JSON, which must be some."""
    return [field_error(where, "is there more than once", "repeated") for where in _repeated(raw)]


def _repeated(raw: bytes) -> list[tuple[str | int, ...]]:
    """The places; all objects without such a name are looked at once, and quickly."""
    found: list[_Repeating] = []

    def read(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        fields = dict(pairs)
        if len(fields) == len(pairs):
            return fields
        found.append(_Repeating(fields))
        found[-1].names = [name for name, count in Counter(name for name, _ in pairs).items() if count > 1]
        return found[-1]

    body = json.loads(raw, object_pairs_hook=read)
    return list(_places(body, ())) if found else []


def _places(value: Any, where: tuple[str | int, ...]) -> Iterator[tuple[str | int, ...]]:
    if isinstance(value, _Repeating):
        yield from ((*where, name) for name in value.names)
    if isinstance(value, (dict, list)):
        for name, part in value.items() if isinstance(value, dict) else enumerate(value):
            yield from _places(part, (*where, name))


async def raw_of(request: Request) -> bytes:
    """All of the body, unless it is too long: then no more than the limit is read. A length that is no number lies.

    Raises:
        Problem: 413.
    """
    announced = request.headers.get("content-length", "0")
    if announced.isdecimal() and int(announced[:20]) > LIMIT:
        raise _too_large()
    raw = bytearray()
    async for chunk in request.stream():
        raw += chunk
        if len(raw) > LIMIT:
            raise _too_large()
    return bytes(raw)


def _too_large() -> Problem:
    # The rest of the body is not read, so the connection cannot serve another request.
    return Problem("BodyTooLarge", f"A body may have {LIMIT} bytes.", headers={"Connection": "close"})


def _check_type(request: Request) -> None:
    kind = request.headers.get("content-type", "application/json").partition(";")[0].strip().lower()
    if kind != "application/json" or request.headers.get("content-encoding", "identity") != "identity":
        raise Problem("UnsupportedMediaType", f"Send application/json, not encoded, instead of {kind[:100]}.")
