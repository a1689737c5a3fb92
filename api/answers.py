"""Answers are how resources leave: JSON encoded at once, lists by signed cursor, rows without what is secret."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any

import msgspec
from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from api.problems import field_error, invalid
from api.questions import following
from api.watch import Row
from schemas import words
from schemas.mark import MARK as SEALED
from schemas.values import SECRET

MARK = SEALED.encode()
INTERNAL = frozenset({"partition", "position"})
_Version = Annotated[int, msgspec.Meta(ge=0, le=2**62)]
_JSON = msgspec.json.Encoder(decimal_format="number")  # sums of money are whole numbers, however large


class Strict(BaseModel):
    """Query parameters: one that is misspelt is refused, for ignored it would answer another question."""

    model_config = ConfigDict(extra="forbid")

    after: str | None = Field(None, max_length=4000, description="a Log-Position: wait until the read model is there")


class Limited(Strict):
    """How many rows at most."""

    limit: int = Field(50, ge=1, le=200)


class Paged(Limited):
    """One page of a list; `cursor` is from the page before, to the same question."""

    cursor: str | None = Field(None, max_length=400)


class Opened(Response):
    """A response whose sealed texts are opened as it leaves, where the process has the keys to it."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if MARK in self.body and (system := _system_of(scope)) is not None:
            self.body = await system.opened(bytes(self.body))
            self.headers["content-length"] = str(len(self.body))
        await super().__call__(scope, receive, send)


def _system_of(scope: Scope) -> Any:
    """The system of the app that answers; None where a gateway does."""
    return getattr(scope["app"].state, "system", None) if "app" in scope else None


def reply(content: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """The content as JSON, with what is sealed in it opened."""
    return Opened(_JSON.encode(content), status, headers, "application/json")


def as_recorded(content: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """The content as JSON; what is sealed stays so, for those who mend records or put answers together."""
    return Response(_JSON.encode(content), status, headers, "application/json")


def public(row: Mapping[str, Any]) -> Row:
    """The row as clients may see it."""
    return {name: value for name, value in row.items() if name not in SECRET and name not in INTERNAL}


def history(rows: Iterable[Mapping[str, Any]]) -> list[Row]:
    """Recorded events as clients may see them."""
    return [{**row, "data": public(row["data"])} for row in rows]


def paged(request: Request, rows: Sequence[Row], limit: int, *keys: str) -> Response:
    """A page of rows, of which one more than `limit` was asked for; `keys` are the columns they are sorted by."""
    more = len(rows) > limit
    rows = rows[:limit]
    url = following(request, write_cursor(*(rows[-1][key] for key in keys))) if more else None
    return reply({"items": [public(row) for row in rows], "next": url}, headers=linked(url))


def linked(url: str | None) -> dict[str, str]:
    """The header that says where a list goes on."""
    return {"Link": f'<{url}>; rel="next"'} if url else {}


def write_cursor(*place: Any) -> str:
    """A place in a list as an opaque word, not signed yet."""
    return words.written(_JSON.encode(place))


def before(cursor: str | None) -> dict[str, Any]:
    """The place in a list sorted by time and id, as its query takes it.

    Raises:
        Problem: 422, naming the cursor.
    """
    at, key = _place(cursor, tuple[datetime, str]) if cursor else (None, None)
    if at is not None and at.tzinfo is None:
        raise bad_cursor()
    return {"before_at": at, "before_id": key}


def after(cursor: str | None) -> dict[str, Any]:
    """The place in a list sorted by key.

    Raises:
        Problem: 422, naming the cursor.
    """
    return {"after": _place(cursor, tuple[str])[0] if cursor else None}


def before_version(cursor: str | None) -> dict[str, Any]:
    """The place in a list sorted by an aggregate's versions.

    Raises:
        Problem: 422, naming the cursor.
    """
    return {"before": _place(cursor, tuple[_Version])[0] if cursor else None}


def sorted_after(cursor: str | None, sort: str, shape: Any) -> dict[str, Any]:
    """The place in a list sorted by the values of a shape, as `place0`, `place1` …; a list sorted so has given it.

    Raises:
        Problem: 422, naming the cursor.
    """
    if cursor is None:
        return {}
    place, by = _place(cursor, tuple[shape, str])
    if by != sort or any(isinstance(value, str) and "\0" in value for value in place):
        raise bad_cursor()
    return {f"place{n}": value for n, value in enumerate(place)}


def _place(cursor: str, shape: Any) -> Any:
    """The place in a cursor, whose signature questions.py has looked at."""
    try:
        place = msgspec.json.decode(words.read(cursor.partition(".")[0]), type=shape)
    except (msgspec.MsgspecError, ValueError):
        raise bad_cursor() from None
    if isinstance(place[-1], str) and "\0" in place[-1]:
        raise bad_cursor()
    return place


def bad_cursor() -> Exception:
    """A cursor that is none of ours."""
    return invalid([field_error(["cursor"], "is not a cursor that a list has given", "cursor")])
