"""OpenAPI of the commands: their bodies are read raw, so what they look like is said here."""

from typing import Any

import msgspec
from fastapi import FastAPI
from pydantic.json_schema import models_json_schema

from api.bodies import MODELS, body_of
from api.shown import ContactShown, Preview, Template
from projections.finding import FoundPage
from projections.notification import NotificationView
from projections.order import OrderView
from projections.payment import PaymentView
from projections.price import Price
from projections.product import ProductView
from projections.reservation import Stock
from projections.revenue import Revenue
from projections.spending import Spent
from projections.user import UserView
from schemas.values import Command

VIEWS = (
    OrderView,
    ProductView,
    PaymentView,
    NotificationView,
    Stock,
    Price,
    FoundPage,
    Spent,
    Revenue,
    UserView,
    ContactShown,
    Preview,
    Template,
)
_REF = "#/components/schemas/{}"
_JSON = "application/json"

PROBLEM = {
    "type": "object",
    "required": ["type", "title", "status", "code", "detail"],
    "properties": {
        **{name: {"type": "string"} for name in ("type", "title", "code", "detail", "instance", "request_id")},
        "status": {"type": "integer"},
        "errors": {"type": "array", "items": {"type": "object", "additionalProperties": {"type": "string"}}},
    },
}
ACCEPTED = {
    "type": "object",
    "required": ["command_id", "status", "command", "resource"],
    "properties": {name: {"type": "string"} for name in ("command_id", "status", "command", "resource")},
}
DEFAULT: dict[int | str, dict[str, Any]] = {
    "default": {
        "description": "A problem (RFC 9457)",
        "content": {"application/problem+json": {"schema": {"$ref": _REF.format("Problem")}}},
    }
}
_KEY = r'^"?[!#-~]([ -~]{0,198}[!#-~])?"?$'
HEADERS = [
    {"name": name, "in": "header", "description": said, "schema": {"type": "string", **more}}
    for name, said, more in (
        (
            "Idempotency-Key",
            "UUID, or up to 200 visible characters: a retry with it takes effect once",
            {"pattern": _KEY},
        ),
        ("Prefer", "`wait=N`: answer with the outcome if it is there within N seconds, 30 at most", {}),
    )
]
_CREATING = ("PlaceOrder", "ListProduct")
"""Bodies that, if one waits, are answered with what has been created."""


def takes(command: type[Command], *elsewhere: str, optional: tuple[str, ...] = (), view: str = "") -> dict[str, Any]:
    """Arguments of a route that takes the command, without the fields that come from elsewhere."""
    return takes_body(body_of(command, *elsewhere, optional=optional).__name__, view)


def takes_body(body: str, view: str = "") -> dict[str, Any]:
    """Arguments of a command's route that takes the body of this name and, if one waits, gives this view."""
    done = {"description": "Done", "content": {_JSON: {"schema": {"$ref": _REF.format(view)} if view else {}}}}
    accepted = {
        "description": "Durable, not yet decided",
        "content": {_JSON: {"schema": {"$ref": _REF.format("Accepted")}}},
    }
    created = {201: {**done, "description": "Done, and new"}} if body in _CREATING else {}
    return {
        "status_code": 202,
        "responses": {200: done, **created, 202: accepted},
        "openapi_extra": {"requestBody": request_body(body), "parameters": HEADERS},
    }


def request_body(name: str) -> dict[str, Any]:
    """The OpenAPI of a body; it may be left out if nothing in it must be there."""
    required = any(field.is_required() for field in MODELS[name].model_fields.values())
    return {"required": required, "content": {_JSON: {"schema": {"$ref": _REF.format(name)}}}}


def gives(view: str) -> dict[str, Any]:
    """Arguments of a route that answers with this view."""
    return {"responses": {200: {"content": {_JSON: {"schema": {"$ref": _REF.format(view)}}}}}}


def lists(view: str) -> dict[str, Any]:
    """Arguments of a route that answers with a list of this view."""
    items = {"type": "array", "items": {"$ref": _REF.format(view)}}
    schema = {"type": "object", "required": ["items"], "properties": {"items": items}}
    return {"responses": {200: {"content": {_JSON: {"schema": schema}}}}}


def complete(app: FastAPI) -> None:
    """Add the schemas that the routes refer to."""
    plain = app.openapi

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            schemas = plain().setdefault("components", {}).setdefault("schemas", {})
            schemas.update(_schemas())
        assert app.openapi_schema is not None  # noqa: S101  plain() has made it
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]


def _schemas() -> dict[str, Any]:
    models = [(model, "validation") for model in MODELS.values()]
    _, bodies = models_json_schema(models, ref_template=_REF.format("{model}"))  # type: ignore[arg-type]
    _, views = msgspec.json.schema_components(VIEWS, ref_template=_REF.format("{name}"))
    return {**bodies["$defs"], **views, "Accepted": ACCEPTED, "Problem": PROBLEM}
