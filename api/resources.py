"""Resources say where in the read models the aggregate behind a stream is, and under which URL."""

from typing import NamedTuple

from pydantic import Field

from api.answers import Strict, public
from api.problems import Problem, field_error, invalid
from api.system import System
from api.watch import Row
from projections import contact, notification, order, payment, product, user
from projections.moments import UPTO, moment, row_as_of
from projections.view import Projection


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


class AsOf(Strict):
    """Of one resource: as it was then, at a time (ISO 8601) or at a record's offset in its partition."""

    as_of: str | None = Field(None, max_length=40)


async def load_as_of(system: System, stream: str, as_of: str | None) -> Row:
    """The aggregate's row as it was; as it is, if no moment is named. `as_of` in it says which event came last.

    Raises:
        Problem: 404, when it was not there yet; 422, when the moment is none.
    """
    if as_of is None:
        return await load(system, stream)
    try:
        then = moment(as_of)
    except ValueError:
        said = "is neither a time such as 2026-11-28T10:00:00Z nor the offset of a record"
        raise invalid([field_error(["as_of"], said, "moment")]) from None
    resource = RESOURCES[stream.partition("-")[0]]
    row = row_as_of(resource.model, await system.rows(resource.context, UPTO, {"stream": stream}), then)
    if row is None:
        raise Problem(resource.unknown, f"It was not there as of {as_of}.")
    last = {"at": row.pop("at"), "partition": row["partition"], "position": row["position"]}
    return public(row) | {"as_of": last}


async def load(system: System, stream: str) -> Row:
    """The aggregate's row.

    Raises:
        Problem: 404, when the read model does not have it (yet).
    """
    kind, _, key = stream.partition("-")
    resource = RESOURCES[kind]
    row = await system.row(resource.context, resource.query, **{resource.key: key})
    if row is None:
        raise Problem(resource.unknown)
    return public(row)
