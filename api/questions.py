"""Questions are checked before they are answered: every parameter is known and there once, and a cursor is one of ours.

A parameter that is ignored would answer another question. A cursor is signed together with the list, its filters and
who asks, so that it goes on with the same question only.
"""

import base64
import hmac
from typing import Any
from urllib.parse import urlencode

from fastapi.routing import APIRoute
from pydantic import BaseModel
from starlette.requests import Request

from api.problems import field_error, invalid
from api.system import of

EVERYWHERE = frozenset({"after"})
"""Parameters of every question to a read model (api/positions.py)."""

_APART = frozenset({"cursor", "limit", "after"})
"""Parameters that may be another on the next page."""


async def well_asked(request: Request) -> None:
    """See that a request's parameters are what its route takes.

    Raises:
        Problem: 422, naming those that it does not.
    """
    given = [name for name, _ in request.query_params.multi_items()]
    known = _known(request.scope["route"]) | (EVERYWHERE if request.method == "GET" else frozenset())
    errors = [
        field_error([name], _no_such(known), "unknown_parameter") for name in dict.fromkeys(given) if name not in known
    ]
    errors += [field_error([name], "is there more than once", "repeated") for name in known if given.count(name) > 1]
    if errors:
        raise invalid(errors)
    cursor = request.query_params.get("cursor")
    if cursor and not _is_ours(request, cursor):
        raise invalid([field_error(["cursor"], "is not a cursor that this list has given", "cursor")])


def next_page(request: Request, place: str) -> str:
    """The URL of the page that begins behind this place."""
    cursor = f"{place}.{_signed(request, place)}"
    return f"{request.url.path}?{urlencode({**request.query_params, 'cursor': cursor})}"


def _is_ours(request: Request, cursor: str) -> bool:
    place, _, signature = cursor.partition(".")
    return cursor.isascii() and hmac.compare_digest(signature, _signed(request, place))


def _signed(request: Request, place: str) -> str:
    scope, secret = request.scope, of(request).settings.cursor_secret
    filters = sorted(item for item in request.query_params.items() if item[0] not in _APART)
    who, path = getattr(scope.get("principal"), "subject", ""), scope["path"].removeprefix(scope.get("root_path", ""))
    return signature(secret, place, path, urlencode(filters), who)


def signature(secret: str, place: str, path: str, filters: str = "", who: str = "") -> str:
    """What proves that a list gave this place, to this question and somebody."""
    said = "\n".join((who, path, filters, place))
    return base64.urlsafe_b64encode(hmac.digest(secret.encode(), said.encode(), "sha256")[:18]).decode()


def _no_such(known: frozenset[str]) -> str:
    return f"is no parameter of this request, which takes {', '.join(sorted(known)) or 'none'}"


def _known(route: Any) -> frozenset[str]:
    """The parameters that a route takes, its models' fields included."""
    if not isinstance(route, APIRoute):
        return frozenset()
    names: set[str] = set()
    for field in route.dependant.query_params:
        model = field.field_info.annotation
        if isinstance(model, type) and issubclass(model, BaseModel):
            names.update(each.alias or name for name, each in model.model_fields.items())
        else:
            names.add(field.alias)
    return frozenset(names)
