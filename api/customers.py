"""Customers over HTTP: what each has spent, and who has spent most."""

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response

from api.access import only_of
from api.answers import Limited, reply
from api.openapi import lists
from api.system import of
from projections.spending import OF_CUSTOMER, TOP
from schemas.values import Currency, CustomerId

router = APIRouter(tags=["customers"])


class Spending(Limited):
    """How many customers of each currency, or of one."""

    currency: Currency | None = None


@router.get("/customers/{customer_id}/spending", **lists("Spent"))
async def get_spending(request: Request, customer_id: Annotated[CustomerId, Path()]) -> Response:
    """What a customer's confirmed orders come to, by currency, without those cancelled since; nothing for strangers."""
    mine = only_of(request) in (None, customer_id)
    rows = await of(request).rows("order", OF_CUSTOMER, {"customer_id": customer_id})
    return reply({"items": rows if mine else []})


@router.get("/spending", **lists("Spent"))
async def list_spending(request: Request, query: Annotated[Spending, Query()]) -> Response:
    """The customers who have spent most in each currency, the first `limit` of them."""
    parameters = {"currency": query.currency, "limit": query.limit}
    return reply({"items": await of(request).rows("order", TOP, parameters)})
