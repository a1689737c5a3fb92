"""Described is the OpenAPI document made whole: the schemas that routes refer to, with examples, and what questions and
answers have in common: positions, tags, links and other headers.
"""

from collections.abc import Iterator

import msgspec
from fastapi import FastAPI
from pydantic.json_schema import models_json_schema

from api.bodies import MODELS
from api.examples import EXAMPLES
from api.openapi import LISTS, PREFER, REF, TAGGED, Part, header
from api.shapes import SHAPES
from projections.contact import ContactView
from projections.finding import FoundPage
from projections.notification import NotificationView
from projections.order import OrderView
from projections.payment import PaymentView
from projections.price import Price
from projections.product import ProductView
from projections.reservation import Stock
from projections.revenue import Revenue
from projections.spending import Spent
from projections.standing import Standing
from projections.user import UserView
from schemas.values import SECRET

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
    Standing,
    ContactView,
    *SHAPES,
)
ANSWERED = {
    "X-Request-Id": "The request's name, in problems and in the log: the client's own, or one that was made for it",
    "ETag": "The version that is shown, for If-Match and If-None-Match",
    "Log-Position": "Where the last event of it lies; a question with it waits until the read models are there",
    "Idempotent-Replayed": "`true`: the first answer to this Idempotency-Key, again",
    "Preference-Applied": "`wait=N`: the outcome was waited for",
    "Location": "Where the outcome of the command is told, or what it has created",
    "Retry-After": "Seconds after which asking again makes sense",
    "Link": 'The next page, as `<…>; rel="next"`',
    "RateLimit": "How often one may still ask, and when that begins anew",
    "RateLimit-Policy": "How often one may ask",
    "Deprecation": "Since when the version of the API in the path is deprecated (RFC 9745)",
    "Sunset": "When the version of the API in the path ends (RFC 8594)",
}
"""Headers of answers."""
_POSITION = "from earlier answers, comma separated: wait until the read models are there"
AFTER = {"name": "after", "in": "query", "description": f"as Log-Position, {_POSITION}", "schema": {"type": "string"}}
SEEN = header("Log-Position", _POSITION)


def complete(app: FastAPI) -> None:
    """Have the app describe itself whole."""
    plain = app.openapi

    def openapi() -> Part:
        if app.openapi_schema is None:
            document = plain()
            components = document.setdefault("components", {})
            components.setdefault("schemas", {}).update(_schemas())
            components["headers"] = {
                name: {"description": said, "schema": {"type": "string"}} for name, said in ANSWERED.items()
            }
            for methods in document["paths"].values():
                for method, operation in methods.items():
                    _complete(method, operation)
        assert app.openapi_schema is not None  # noqa: S101  plain() has made it
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]


def with_headers(answer: Part, *names: str) -> Part:
    """The answer, with these headers as well."""
    named = {name: {"$ref": f"#/components/headers/{name}"} for name in names}
    return {**answer, "headers": {**answer.get("headers", {}), **named}}


def _complete(method: str, operation: Part) -> None:
    if method == "get":
        there = {each["name"] for each in operation.get("parameters", [])}
        more = [each for each in (AFTER, SEEN, PREFER) if each["name"] not in there]
        operation["parameters"] = [*operation.get("parameters", []), *more]
    views = {_view(answer) for answer in operation["responses"].values()}
    for status, answer in operation["responses"].items():
        names = _headers(method, status, _view(answer), bool(views & TAGGED))
        operation["responses"][status] = with_headers(answer, *names)


def _headers(method: str, status: str, view: str, tagged: bool) -> Iterator[str]:
    """Those of an answer; `tagged` if the operation is about one aggregate that has an entity tag."""
    yield "X-Request-Id"
    if status in ("default", "202"):
        yield "Retry-After"
    if status in ("201", "202") and (view == "Accepted" or tagged):
        yield "Location"
    if view.endswith("Page"):
        yield "Link"
    if tagged and (view or status == "304"):
        yield from ("Log-Position",) if view == "Accepted" else ("ETag", "Log-Position")
    if tagged and method == "post":
        yield from ("Idempotent-Replayed", "Preference-Applied")


def _view(answer: Part) -> str:
    """What the answer refers to; empty for what is no JSON of ours."""
    schema: Part = answer.get("content", {}).get("application/json", {}).get("schema", {})
    return str(schema.get("$ref", "")).rpartition("/")[2]


def _schemas() -> Part:
    models = [(model, "validation") for model in MODELS.values()]
    _, bodies = models_json_schema(models, ref_template=REF.format("{model}"))  # type: ignore[arg-type]
    _, views = msgspec.json.schema_components(VIEWS, ref_template=REF.format("{name}"))
    shown = {name: _shown(schema, name in TAGGED) for name, schema in views.items()}
    return {name: _exemplified(name, schema) for name, schema in {**bodies["$defs"], **shown, **LISTS}.items()}


def _shown(schema: Part, tagged: bool) -> Part:
    """A view without what nobody is shown; one of an aggregate with its version."""
    properties = {name: part for name, part in schema.get("properties", {}).items() if name not in SECRET}
    properties |= {"version": {"type": "integer"}} if tagged else {}
    needed = [name for name in schema.get("required", []) if name not in SECRET]
    return {**schema, "properties": properties, "required": needed} if properties else schema


def _exemplified(name: str, schema: Part) -> Part:
    """The schema with an example; a list's is of one thing."""
    if name in LISTS:
        of = schema["properties"]["items"]["items"]["$ref"].rpartition("/")[2]
        return {**schema, "examples": [{**dict.fromkeys(schema["required"]), "items": [EXAMPLES[of]]}]}
    return {**schema, "examples": [EXAMPLES[name]]} if name in EXAMPLES else schema
