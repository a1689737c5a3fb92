"""Orders over HTTP: place, cancel, ship, deliver; one order, its history, and lists by customer and status."""

from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import Field

from aggregates.order import Status
from api.answers import Paged, before, history, paged, reply
from api.asking import asked
from api.bodies import body_of, read
from api.commands import sent, submit
from api.openapi import gives, takes
from api.problems import Problem
from api.resources import AsOf, one
from api.system import of
from projections.order import PAGE
from projections.registry import HISTORY
from schemas.order import CancelOrder, DeliverOrder, PlaceOrder, ShipOrder
from schemas.values import CustomerId, OrderId

router = APIRouter(tags=["orders"])

Id = Annotated[OrderId, Path()]


class OneOrder(AsOf):
    """As it was; or wait until it is confirmed, rejected or cancelled, `timeout` seconds at most."""

    wait_for: Literal["settled"] | None = None
    timeout: float = Field(10, ge=0, le=30)


class Orders(Paged):
    """Which orders."""

    customer_id: CustomerId | None = None
    status: Status | None = None


@router.post("/orders", **takes(PlaceOrder, optional=("order_id",), view="OrderView"))
async def place_order(request: Request) -> Response:
    """Order these lines; every SKU must be on sale."""
    ask = asked(request)
    fields = dict(await read(request, body_of(PlaceOrder, optional=("order_id",))))
    order_id = fields.pop("order_id") or ask.derived("order")
    command = PlaceOrder(order_id=order_id, **fields)

    async def on_sale() -> None:
        if (catalogue := of(request).catalogue) is not None:
            await catalogue.refuse_unknown(command.lines)

    return await sent(request, ask, command, creates=True, check=on_sale)


@router.post("/orders/{order_id}/cancel", **takes(CancelOrder, "order_id", view="OrderView"))
async def cancel_order(request: Request, order_id: Id) -> Response:
    """Call the order off; possible until it is shipped."""
    return await submit(request, CancelOrder, order_id=order_id)


@router.post("/orders/{order_id}/ship", **takes(ShipOrder, "order_id", view="OrderView"))
async def ship_order(request: Request, order_id: Id) -> Response:
    """Hand the goods to the carrier."""
    return await submit(request, ShipOrder, order_id=order_id)


@router.post("/orders/{order_id}/deliver", **takes(DeliverOrder, "order_id", view="OrderView"))
async def deliver_order(request: Request, order_id: Id) -> Response:
    """Record that the goods have arrived."""
    return await submit(request, DeliverOrder, order_id=order_id)


@router.get("/orders")
async def list_orders(request: Request, query: Annotated[Orders, Query()]) -> Response:
    """Orders, the latest first."""
    wanted = {"customer_id": query.customer_id, "status": query.status and query.status.value}
    parameters = {**wanted, **before(query.cursor), "limit": query.limit + 1}
    return paged(request, await of(request).rows("order", PAGE, parameters), query.limit, "placed_at", "order_id")


@router.get("/orders/{order_id}", **gives("OrderView"))
async def get_order(request: Request, order_id: Id, query: Annotated[OneOrder, Query()]) -> Response:
    """One order."""
    if query.wait_for:
        await of(request).settled(order_id, query.timeout)
    return await one(request, f"order-{order_id}", query.as_of)


@router.get("/orders/{order_id}/history")
async def get_history(request: Request, order_id: Id) -> Response:
    """What happened to the order: its recorded events."""
    rows = await of(request).rows("order", HISTORY, {"stream": f"order-{order_id}"})
    if not rows:
        raise Problem("OrderUnknown")
    return reply({"items": history(rows)})
