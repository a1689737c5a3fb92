"""OpenAPI of the routes: bodies are read raw and answers made by hand, so what they look like is said here.

What all routes have in common (api/described.py) is added where the document is made.
"""

from typing import Any

from api.bodies import MODELS, body_of
from schemas.values import Command

REF = "#/components/schemas/{}"
JSON = "application/json"
Part = dict[str, Any]

TAGGED = frozenset({"OrderView", "ProductView", "PaymentView", "UserView", "NotificationView", "ContactView"})
"""Views of one aggregate each, which have an entity tag."""
CONDITIONAL: set[str] = set()
"""Commands to such an aggregate, which may be sent on a condition."""
LISTS: dict[str, Part] = {}
"""Lists that some route answers with, by name."""

DEFAULT: dict[int | str, Part] = {
    "default": {
        "description": "A problem (RFC 9457)",
        "content": {"application/problem+json": {"schema": {"$ref": REF.format("Problem")}}},
    }
}
_KEY = r'^"?[!#-~]([ -~]{0,198}[!#-~])?"?$'
_TAG = r'"\d{1,18}(\.\d{1,9})?"'


def header(name: str, said: str, example: str = "", **more: str) -> Part:
    """A header that a request may have."""
    shown = {"example": example} if example else {}
    return {"name": name, "in": "header", "description": said, **shown, "schema": {"type": "string", **more}}


_RETRY = "1 to 200 visible characters: a retry with it gets the first answer again"
_CURRENT = "ETags, of which one must be the current one; else 412"
PREFER = header("Prefer", "`wait=N`: answer with the outcome if it is there within N seconds, 30 at most", "wait=5")
HEADERS = [header("Idempotency-Key", _RETRY, "order-17", pattern=_KEY), PREFER]
_IF_MATCH = header("If-Match", _CURRENT, '"7.1"', pattern=rf"^(\*|{_TAG})$")
_IF_NONE_MATCH = header("If-None-Match", "an ETag: 304 if it is still the current one", '"7.1"')
_CREATING = ("PlaceOrder", "ListProduct")
"""Bodies that, if one waits, are answered with what has been created."""


def takes(command: type[Command], *elsewhere: str, optional: tuple[str, ...] = (), view: str) -> Part:
    """Arguments of a route that takes the command, without the fields that come from elsewhere."""
    if view in TAGGED:
        CONDITIONAL.add(command.__name__)
    return takes_body(body_of(command, *elsewhere, optional=optional).__name__, view)


def takes_body(body: str, view: str) -> Part:
    """Arguments of a command's route that takes the body of this name and, if one waits, gives this view."""
    created = {201: _answer(view, "Done, and new")} if body in _CREATING else {}
    return {
        "status_code": 202,
        "responses": {200: _answer(view, "Done"), **created, 202: _answer("Accepted", "Durable, not yet decided")},
        "openapi_extra": {
            "requestBody": request_body(body),
            "parameters": [*HEADERS, _IF_MATCH] if view in TAGGED else HEADERS,
        },
    }


def request_body(name: str) -> Part:
    """The OpenAPI of a body; it may be left out if nothing in it must be there."""
    required = any(field.is_required() for field in MODELS[name].model_fields.values())
    return {"required": required, "content": {JSON: {"schema": {"$ref": REF.format(name)}}}}


def gives(view: str) -> Part:
    """Arguments of a route that answers with this view or shape."""
    given = {200: {"content": {JSON: {"schema": {"$ref": REF.format(view)}}}}}
    if view not in TAGGED:
        return {"responses": given}
    unchanged = {304: {"description": "The client has this version"}}
    return {"responses": {**given, **unchanged}, "openapi_extra": {"parameters": [_IF_NONE_MATCH]}}


def lists(view: str) -> Part:
    """Arguments of a route that answers with a list of these."""
    return _listed(view, "List", {})


def pages(view: str) -> Part:
    """Arguments of a route that answers with a page of these, and where the list goes on."""
    return _listed(view, "Page", {"next": {"anyOf": [{"type": "string"}, {"type": "null"}]}})


def _listed(view: str, kind: str, more: Part) -> Part:
    name = view.removesuffix("View") + kind
    items = {"type": "array", "items": {"$ref": REF.format(view)}}
    LISTS[name] = {"type": "object", "required": ["items", *more], "properties": {"items": items, **more}}
    return gives(name)


def _answer(view: str, said: str) -> Part:
    return {"description": said, "content": {JSON: {"schema": {"$ref": REF.format(view)}}}}
