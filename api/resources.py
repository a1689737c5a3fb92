"""Resources say where in the read models the aggregate behind a stream is, and under which URL."""

from collections.abc import Mapping
from typing import NamedTuple

from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response

from api.access import shown
from api.answers import Strict, public, reply
from api.conditions import etag, is_known
from api.positions import at
from api.problems import Problem, field_error, invalid
from api.system import System, of
from api.watch import Row
from projections import contact, notification, order, payment, product, user
from projections.moments import UPTO, moment, row_as_of
from projections.view import Projection

TOLD_AGAIN = 2_000
"""Events of an aggregate of which it is still shown how a command left it; one with more is shown as it is."""


class Resource(NamedTuple):
    """A kind of stream as clients see it; `key` is the query's parameter, `unknown` the code of its 404."""

    context: str
    query: str
    key: str
    url: str
    unknown: str
    model: Projection


RESOURCES = {
    "order": Resource("order", order.ONE, "order_id", "/orders/{}", "OrderUnknown", order.ORDERS),
    "product": Resource("product", product.ONE, "sku", "/products/{}", "ProductUnknown", product.PRODUCTS),
    "payment": Resource("payment", payment.ONE, "order_id", "/payments/{}", "PaymentUnknown", payment.PAYMENTS),
    "notification": Resource(
        "notification",
        notification.ONE,
        "notification_id",
        "/notifications/{}",
        "NotFound",
        notification.NOTIFICATIONS,
    ),
    "contact": Resource(
        "notification", contact.ONE, "customer_id", "/notifications/contacts/{}", "NotFound", contact.CONTACTS
    ),
    "user": Resource("user", user.ONE, "user_id", "/me", "NotFound", user.USERS),
}


def url_of(stream: str) -> str:
    """The URL of the aggregate; empty for what clients cannot ask for."""
    kind, _, key = stream.partition("-")
    return RESOURCES[kind].url.format(key) if kind in RESOURCES else ""


def resource_of(stream: str) -> Resource:
    """The kind of stream."""
    return RESOURCES[stream.partition("-")[0]]


class AsOf(Strict):
    """Of one resource: as it was then, at a time (ISO 8601) or at a record's offset in its partition."""

    as_of: str | None = Field(None, max_length=40)


async def one(request: Request, stream: str, as_of: str | None = None) -> Response:
    """The aggregate with its entity tag and position.

    Raises:
        Problem: as found and load_as_of.
    """
    if as_of is not None:
        return reply(shown(request, await load_as_of(of(request), stream, as_of)))
    return unless_known(request, stream, await found(of(request), stream))


def unless_known(request: Request, stream: str, row: Row) -> Response:
    """The row, or 304 if the client has this version of it already."""
    headers = _headers(stream, row)
    if is_known(request, headers["ETag"]):
        return Response(status_code=304, headers=headers)
    return tagged(request, stream, row)


def tagged(
    request: Request, stream: str, row: Row, status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    """A read model's row of one aggregate, as far as this request may see it."""
    return reply(shown(request, public(row)), status, {**_headers(stream, row), **(headers or {})})


def _headers(stream: str, row: Row) -> dict[str, str]:
    resource = resource_of(stream)
    return {"ETag": etag(row["version"], resource.model.version), **at(resource.context, row)}


async def load_as_of(system: System, stream: str, as_of: str) -> Row:
    """The aggregate's row as it was; `as_of` in it says which event came last.

    Raises:
        Problem: 404, when it was not there yet; 422, when the moment is none.
    """
    try:
        then = moment(as_of)
    except ValueError:
        said = "is neither a time such as 2026-11-28T10:00:00Z nor the offset of a record"
        raise invalid([field_error(["as_of"], said, "moment")]) from None
    resource = resource_of(stream)
    row = row_as_of(resource.model, await system.rows(resource.context, UPTO, {"stream": stream}), then)
    if row is None:
        raise Problem(resource.unknown, f"It was not there as of {as_of}.")
    last = {"at": row.pop("at"), "partition": row["partition"], "position": row["position"]}
    return public(row) | {"as_of": last}


async def load_left(system: System, stream: str, outcome: Row) -> Row:
    """The aggregate's row as the command of this outcome left it.

    Raises:
        Problem: 404, when the read model does not have it.
    """
    row = await found(system, stream)
    if row["position"] <= outcome["position"] or row["version"] > TOLD_AGAIN:
        return row
    resource = resource_of(stream)
    history = await system.rows(resource.context, UPTO, {"stream": stream})
    last = max([outcome["position"], *_followed(history, outcome["command_id"])])
    left = row_as_of(resource.model, history, last)
    if left is None:
        return row
    del left["at"]
    return left


def _followed(history: list[Row], command_id: str) -> list[int]:
    return [row["position"] for row in history if row["causation"] == command_id]


async def found(system: System, stream: str) -> Row:
    """The aggregate's row.

    Raises:
        Problem: 404, when the read model does not have it (yet).
    """
    resource = resource_of(stream)
    row = await system.row(resource.context, resource.query, **{resource.key: stream.partition("-")[2]})
    if row is None:
        raise Problem(resource.unknown)
    return row
