"""Questions are checked before they are answered: every parameter is known and there once, and a cursor is one of ours.

A parameter that is ignored would answer another question. A cursor is signed together with the list, its filters and
who asks, so that it goes on with the same question only.
"""

import hmac
from collections.abc import Iterable
from typing import Any, get_origin
from urllib.parse import urlencode

from fastapi.routing import APIRoute
from pydantic import BaseModel
from starlette.requests import Request

from api.access import whose
from api.paths import asked_for
from api.problems import field_error, invalid
from api.system import of
from schemas import words

EVERYWHERE = {"after": False}
"""Parameters of every question to a read model (api/freshness.py)."""

_APART = frozenset({"cursor", "limit", "after"})
"""Parameters that may be another on the next page."""


async def well_asked(request: Request) -> None:
    """See that a request's parameters are what its route takes.

    Raises:
        Problem: 422, naming those that it does not.
    """
    if not request.query_params:
        return
    given = [name for name, _ in request.query_params.multi_items()]
    known = _known(request.scope["route"]) | (EVERYWHERE if request.method == "GET" else {})
    errors = [
        field_error([name], _no_such(known), "unknown_parameter") for name in dict.fromkeys(given) if name not in known
    ]
    twice = [name for name, several in known.items() if given.count(name) > 1 and not several]
    errors += [field_error([name], "is there more than once", "repeated") for name in twice]
    if errors:
        raise invalid(errors)
    cursor = request.query_params.get("cursor")
    if cursor and not _is_ours(request, cursor):
        raise invalid([field_error(["cursor"], "is not a cursor that this list has given", "cursor")])


def following(request: Request, place: str) -> str:
    """The URL of the same question for what comes after a place in its list."""
    asked = [(name, value) for name, value in request.query_params.multi_items() if name != "cursor"]
    cursor = f"{place}.{_signed(request, place)}"
    return f"{request.url.path}?{urlencode([*asked, ('cursor', cursor)])}"


def _is_ours(request: Request, cursor: str) -> bool:
    place, _, signature = cursor.partition(".")
    return cursor.isascii() and hmac.compare_digest(signature, _signed(request, place))


def _signed(request: Request, place: str) -> str:
    secret = of(request).settings.account_secret
    filters = sorted(item for item in request.query_params.multi_items() if item[0] not in _APART)
    return signature(secret, place, asked_for(request.scope), urlencode(filters), whose(request))


def signature(secret: str, place: str, path: str, filters: str = "", who: str = "") -> str:
    """What proves that a list gave this place, to this question and somebody."""
    said = "\n".join(("cursor", who, path, filters, place))
    return words.written(hmac.digest(secret.encode(), said.encode(), "sha256")[:18])


def _no_such(known: Iterable[str]) -> str:
    return f"is no parameter of this request, which takes {', '.join(sorted(known)) or 'none'}"


def _known(route: Any) -> dict[str, bool]:
    """The parameters that a route takes, its models' fields included, and whether it takes several of each."""
    if not isinstance(route, APIRoute):
        return {}
    names: dict[str, bool] = {}
    for field in route.dependant.query_params:
        model = field.field_info.annotation
        if isinstance(model, type) and issubclass(model, BaseModel):
            fields = model.model_fields.items()
            names.update((each.alias or name, get_origin(each.annotation) is list) for name, each in fields)
        else:
            names[field.alias] = get_origin(model) is list
    return names
