"""Resources say where in the read models the aggregate behind a stream is, and under which URL."""

from typing import NamedTuple

from api.answers import public
from api.problems import Problem
from api.system import System
from api.watch import Row
from projections import order, payment, product, user


class Resource(NamedTuple):
    """A kind of stream as clients see it; `key` is the query's parameter, `unknown` the code of its 404."""

    context: str
    query: str
    key: str
    url: str
    unknown: str


RESOURCES = {
    "order": Resource("order", order.ONE, "order_id", "/orders/{}", "OrderUnknown"),
    "product": Resource("product", product.ONE, "sku", "/products/{}", "ProductUnknown"),
    "payment": Resource("payment", payment.ONE, "order_id", "/payments/{}", "PaymentUnknown"),
    "user": Resource("user", user.ONE, "user_id", "/me", "NotFound"),
}


def url_of(stream: str) -> str:
    """The URL of the aggregate; empty for what clients cannot ask for."""
    kind, _, key = stream.partition("-")
    return RESOURCES[kind].url.format(key) if kind in RESOURCES else ""


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
