"""Payments over HTTP: where the money of an order is, and how to give it back."""

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response

from api.answers import Paged, before, paged
from api.asking import asked
from api.bodies import body_of, read
from api.commands import sent
from api.openapi import gives, pages, takes
from api.resources import AsOf, one
from api.system import of
from projections.payment import PAGE
from schemas.payment import AttemptPayment, RefundPayment
from schemas.values import OrderId

router = APIRouter(tags=["payments"])

Id = Annotated[OrderId, Path()]


@router.post("/orders/{order_id}/refund", **takes(RefundPayment, "order_id", "refund_id", view="PaymentView"))
async def refund_payment(request: Request, order_id: Id) -> Response:
    """Give back an amount, or all that is left."""
    ask = asked(request)
    body = await read(request, body_of(RefundPayment, "order_id", "refund_id"))
    refund_id = ask.derived("refund")
    return await sent(request, ask, RefundPayment(order_id=order_id, refund_id=refund_id, **dict(body)))


@router.post("/payments/{order_id}/attempts", **takes(AttemptPayment, "order_id", "attempt_id", view="PaymentView"))
async def attempt_payment(request: Request, order_id: Id) -> Response:
    """Name another card while a declined payment awaits one, until its `due_at`."""
    ask = asked(request)
    body = await read(request, body_of(AttemptPayment, "order_id", "attempt_id"))
    attempt_id = ask.derived("attempt")
    return await sent(request, ask, AttemptPayment(order_id=order_id, attempt_id=attempt_id, **dict(body)))


@router.get("/payments", **pages("PaymentView"))
async def list_payments(request: Request, query: Annotated[Paged, Query()]) -> Response:
    """Payments, the latest first."""
    parameters = {**before(query.cursor), "limit": query.limit + 1}
    rows = await of(request).rows("payment", PAGE, parameters)
    return paged(request, rows, query.limit, "requested_at", "order_id")


@router.get("/payments/{order_id}", **gives("PaymentView"))
async def get_payment(request: Request, order_id: Id, query: Annotated[AsOf, Query()]) -> Response:
    """The payment of one order."""
    return await one(request, f"payment-{order_id}", query.as_of)
